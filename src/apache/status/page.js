// Keeps the page of pyhost-status up to date: fetches it anew, as the server has rendered it, and
// shows rates and courses, which only who has seen it before can know.
"use strict";
(() => {
  const interval = 2000, samplesKept = 120, latencyWindow = 60;
  const histories = new Map();  // of each group: its samples, the newest last
  const pulse = document.getElementById("pulse");

  const numbers = text => text.split(",").map(Number);

  // What a group's section says of itself.
  const sampleOf = (section, at) => ({
    at,
    requests: Number(section.dataset.requests),
    errors: Number(section.dataset.errors),
    busy: Number(section.dataset.busy),
    queued: Number(section.dataset.queued),
    buckets: numbers(section.dataset.buckets),
  });

  const remember = (name, sample) => {
    const history = histories.get(name) ?? [];
    const last = history.at(-1);
    if (last && (sample.at <= last.at || sample.requests < last.requests)) history.length = 0;
    history.push(sample);
    if (history.length > samplesKept) history.shift();
    histories.set(name, history);
    return history;
  };

  // Each step of a history: how fast a counter grew.
  const rates = (history, key) =>
      history.slice(1).map((now, i) => (now[key] - history[i][key]) / (now.at - history[i].at));

  const quantile = (bounds, buckets, part) => {
    const wanted = part * buckets.reduce((sum, each) => sum + each, 0);
    if (wanted <= 0) return null;
    let below = 0, lower = 0;
    for (let i = 0; i < bounds.length; ++i) {
      if (buckets[i] > 0 && below + buckets[i] >= wanted) {
        return lower + (bounds[i] - lower) * Math.max(wanted - below, 0) / buckets[i];
      }
      below += buckets[i];
      lower = bounds[i];
    }
    return lower;
  };

  // The buckets of what has happened between two samples.
  const between = (from, to) => to.buckets.map((each, i) => each - from.buckets[i]);

  const timeText = seconds => {
    if (seconds === null) return "–";
    if (seconds < 0.01) return `${(seconds * 1000).toFixed(1)} ms`;
    if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
    return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  };
  const rateText = rate => rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en");

  const path = (points, isArea) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", "M" + points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L"));
    if (isArea) line.setAttribute("class", "area");
    return line;
  };

  const draw = (svg, values) => {
    const top = Math.max(...values, 1e-9), width = 120, height = 30;
    const shown = Math.max(values.length, 30);
    const points = values.map((value, i) => [
      width * (shown - values.length + i) / (shown - 1),
      height - 2 - (height - 5) * value / top,
    ]);
    if (points.length < 2) return;
    const [first, last] = [points[0][0], points.at(-1)[0]];
    svg.replaceChildren(path([[first, height], ...points, [last, height]], true),
                        path(points, false));
  };

  const enliven = (section, history) => {
    const set = (key, text) => {
      const element = section.querySelector(`[data-live=${key}]`);
      if (element && text !== null) element.textContent = text;
    };
    const spark = (key, values) => {
      const tile = section.querySelector(`[data-spark=${key}]`);
      if (!tile) return;
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      for (const [name, value] of [["class", "spark"], ["viewBox", "0 0 120 30"],
                                   ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) {
        svg.setAttribute(name, value);
      }
      draw(svg, values);
      tile.append(svg);
    };
    const now = history.at(-1);
    const requestRates = rates(history, "requests");
    if (requestRates.length > 0) {
      const recent = requestRates.slice(-3);
      const rate = recent.reduce((sum, each) => sum + each, 0) / recent.length;
      set("requests", rateText(rate));
      set("requests-unit", "/s");
      const since = section.querySelector("[data-live=requests-since]");
      since.textContent = `${since.dataset.total} since the start`;
    }
    const bounds = numbers(section.dataset.bounds);
    const before = history.find(each => now.at - each.at <= latencyWindow);
    const recent = between(before, now);
    if (recent.some(each => each > 0)) {
      set("p50", timeText(quantile(bounds, recent, 0.5)));
      set("p95", timeText(quantile(bounds, recent, 0.95)));
      set("p99", timeText(quantile(bounds, recent, 0.99)));
      set("latency-since", "last minute");
    }
    spark("requests", requestRates);
    spark("latency", history.slice(1).map((each, i) =>
        quantile(bounds, between(history[Math.max(0, i - 4)], each), 0.95) ?? 0));
    spark("busy", history.map(each => each.busy));
    spark("queued", history.map(each => each.queued));
    spark("errors", rates(history, "errors"));
  };

  const take = main => {
    const at = Number(main.dataset.now);
    for (const section of main.querySelectorAll("section[data-group]")) {
      enliven(section, remember(section.dataset.group, sampleOf(section, at)));
    }
  };

  const isReading = () => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed;
  };

  const renew = async () => {
    if (document.hidden || isReading()) return;
    try {
      const answer = await fetch(location.href, {
        headers: {Accept: "text/html"}, cache: "no-store", signal: AbortSignal.timeout(10000),
      });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = fresh.querySelector("main");
      if (main === null) throw new Error("another page");
      take(main);
      document.querySelector("main").replaceWith(document.adoptNode(main));
      pulse.className = "live";
      pulse.textContent = "live";
    } catch (error) {
      pulse.className = "lost";
      pulse.textContent = `no answer (${error.message})`;
    }
  };

  const run = async () => {
    await renew();
    setTimeout(run, interval);
  };

  take(document.querySelector("main"));
  pulse.className = "live";
  pulse.textContent = "live";
  setTimeout(run, interval);
})();
