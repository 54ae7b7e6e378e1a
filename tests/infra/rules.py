"""Writes the queries of the dashboard, and the rules of the rendered PrometheusRule, as rule files for promtool:
rules.py DASHBOARD MANIFEST… FOLDER
"""

import json
import pathlib
import sys

import yaml

dashboard, *manifests, folder = sys.argv[1:]
panels = json.loads(pathlib.Path(dashboard).read_text())["panels"]
queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
queries = [query.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$gpt", ".*") for query in queries]
rules = [{"record": f"dashboard:{number}", "expr": query} for number, query in enumerate(queries)]
groups = {"groups": [{"name": "dashboard", "rules": rules}]}
pathlib.Path(folder, "dashboard.yaml").write_text(yaml.safe_dump(groups))

rendered = [yaml.safe_load(pathlib.Path(path).read_text()) for path in manifests]
(rule,) = [manifest for manifest in rendered if manifest["kind"] == "PrometheusRule"]
pathlib.Path(folder, "rendered.yaml").write_text(yaml.safe_dump(rule["spec"]))
