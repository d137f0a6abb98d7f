"""Tables and charts of what was measured, and their places in docs/PERFORMANCE.md."""

from html import escape

from kinds import ROOT
from measuring import median_of

PAGE = ROOT / "docs/PERFORMANCE.md"
CHARTS = ROOT / "docs/performance"


def is_ours(name):
    return name.startswith("mod_pyhost")


def time_text(microseconds):
    return f"{microseconds:,.0f} us" if microseconds else "–"


def ratio(cpu, other):
    return f"{cpu / other:.2f}" if other else "–"


def best_peer(figures, count, names, floors):
    peers = [name for name in names if not is_ours(name) and name not in floors]
    return min((median_of(figures[count, name], "cpu") for name in peers), default=None)


def first_line(text):
    return text.partition("\n")[0].rstrip(":")


def table(figures, names, floors, connection_counts, reasons):
    """CPU with its least and most over the rounds, and its ratio to the first floor and to the best
    of the others. `reasons` are of those that are left out: {name: why}."""
    lines = [
        "| connections | server | requests/s | CPU per request | from – to | of the floor "
        "| of the best peer | p50 | p99 |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for count in connection_counts:
        floor = median_of(figures[count, floors[0]], "cpu") if floors else None
        best = best_peer(figures, count, names, floors)
        for name in names:
            values = figures[count, name]
            cpu = median_of(values, "cpu")
            spread = f"{min(v.cpu for v in values):,.0f} – {max(v.cpu for v in values):,.0f}"
            lines.append(
                f"| {count} | {name} | {median_of(values, 'rate'):,.0f} | {cpu:,.1f} us | {spread} "
                f"| {ratio(cpu, floor)} | {ratio(cpu, best)} "
                f"| {time_text(median_of(values, 'p50'))} | {time_text(median_of(values, 'p99'))} |"
            )
    lines += [f"| | {name} | {first_line(why)} | | | | | | |" for name, why in reasons.items()]
    return "\n".join(lines)


STYLE = """
svg { font: 13px system-ui, sans-serif; fill: #1f2328 } .bar { fill: #8c959f }
.ours { fill: #0969da } .floor { fill: #d0d7de } .title { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  svg { fill: #e6edf3 } .bar { fill: #6e7681 } .ours { fill: #4493f8 } .floor { fill: #30363d }
}
"""
LEFT, WIDTH, ROW, TOP = 210, 640, 26, 34


def bar(number, name, cpu, most, floors):
    style = "ours" if is_ours(name) else "floor" if name in floors else "bar"
    y = TOP + number * ROW
    length = max(1, round(cpu / most * (WIDTH - LEFT - 90)))
    return (
        f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="{style}" x="{LEFT}" y="{y + 3}" width="{length}" height="{ROW - 8}" rx="2"/>'
        f'<text x="{LEFT + length + 6}" y="{y + 16}">{cpu:,.0f} us</text>'
    )


def chart(title, figures, names, floors, count):
    """An SVG: CPU per request of each server."""
    cpus = {name: median_of(figures[count, name], "cpu") for name in names}
    most = max(cpus.values())
    height = TOP + len(names) * ROW + 8
    connections = f"{count} connection{'' if count == 1 else 's'}"
    bars = "\n".join(
        bar(number, name, cpu, most, floors) for number, (name, cpu) in enumerate(cpus.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f'<text class="title" x="8" y="20">{escape(title)}: CPU per request, {connections}</text>\n'
        f"{bars}\n</svg>\n"
    )


def write_chart(case, text):
    CHARTS.mkdir(exist_ok=True)
    (CHARTS / f"{case}.svg").write_text(text)


def write_page(what, text):
    """In place of what a tool of tests/bench has there ("run hello"), or behind everything."""
    begin, end = f"<!-- tests/bench/{what}: begin -->", f"<!-- tests/bench/{what}: end -->"
    page = PAGE.read_text()
    if begin not in page:
        page = f"{page.rstrip()}\n\n{begin}\n{end}\n"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}")
