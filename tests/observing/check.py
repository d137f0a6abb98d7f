#!/usr/bin/python3
"""Whether the alerts and the dashboard of conf/observing ask for metrics that there are.

usage: check.py SOURCE PROMTOOL: where there is such a program, or one in PATH, the alerts are also tried, and all
queries read.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SUFFIXES = {"counter": [""], "gauge": [""], "info": [""], "histogram": ["_bucket", "_sum", "_count"]}


def metrics(source):
    """The time series by their names, with their labels, as docs/OBSERVING.md lists them."""
    known = {}
    row = re.compile(r"^\| `(pyhost_\w+)` \| (\w+) \| ([^|]*) \|", re.M)
    for name, kind, labels in row.findall((source / "docs/OBSERVING.md").read_text()):
        for suffix in SUFFIXES[kind]:
            known[name + suffix] = {label.strip() for label in labels.split(",")} | {"le"}
    return known


def queries(source):
    """What alerts and dashboard ask, with where that is."""
    alerts = (source / "conf/observing/pyhost-alerts.yml").read_text()
    for name, text in re.findall(r"- alert: (\w+)\n\s+expr: (?:>-\n)?(.*?)\n\s+(?:for|labels):", alerts, re.S):
        yield name, " ".join(text.split())
    dashboard = json.loads((source / "conf/observing/pyhost-grafana.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for note in dashboard["annotations"]["list"]:
        yield note["name"], note["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], re.sub(r"label_values\((\w+), .*\)", r"\1", variable["query"]["query"])


def complaints(source):
    """Names and labels that there are not."""
    known = metrics(source)
    asked = list(queries(source))
    if not known or len(asked) < 20:
        yield "nothing is looked at"
    for place, query in asked:
        for name, labels in re.findall(r"\b(pyhost_\w+)(?:\{([^}]*)\})?", query):
            if name not in known:
                yield f"{place}: there is no {name}"
                continue
            for label in re.findall(r"(\w+)(?:=~|!=|=)", labels):
                if label not in known[name]:
                    yield f"{place}: {name} has no label {label}"


def tried_by(promtool, source):
    """What promtool says against alerts and queries."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copy(source / "conf/observing/pyhost-alerts.yml", folder)
        shutil.copy(source / "tests/observing/alerts.test.yml", folder)
        rules = [{"record": f"query:{i}", "expr": query.replace("$__rate_interval", "5m").replace("$group", ".*")}
                 for i, (_, query) in enumerate(queries(source))]
        # JSON is YAML.
        (folder / "queries.yml").write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
        for command in (["check", "rules", "pyhost-alerts.yml"], ["test", "rules", "alerts.test.yml"],
                        ["check", "rules", "queries.yml"]):
            run = subprocess.run([promtool, *command], cwd=folder, capture_output=True, text=True)
            if run.returncode != 0:
                yield run.stdout + run.stderr


def main():
    source = pathlib.Path(sys.argv[1])
    found = list(complaints(source))
    promtool = shutil.which(sys.argv[2]) or shutil.which("promtool")
    if promtool:
        found += tried_by(promtool, source)
    else:
        print("there is no promtool: the alerts were not tried")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
