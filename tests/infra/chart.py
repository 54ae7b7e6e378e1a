"""Renders the chart with Helm's own library, as installs would, and writes what comes out: chart.py CAUSEWAY CHART FOLDER VALUES…

Causeway is given the environment and the files of each pod. Values that the chart has to refuse are tried too.
"""

import base64
import os
import pathlib
import subprocess
import sys

import certifi
import helm_python as helm
import yaml

REFUSED = {
    "a public URL without TLS": {"publicUrl": "http://causeway.example.com"},
    "a public URL with a path": {"publicUrl": "https://example.com/causeway"},
    "no Secret": {"secret": {"name": ""}},
    "a secret as a value": {"env": {"CAUSEWAY_SECRET": "c2VjcmV0"}},
    "Atlassian's secret as a value": {"env": {"ATLASSIAN_CLIENT_SECRET": "secret"}},
    "a variable that the chart sets itself": {"env": {"CAUSEWAY_LISTEN": "0.0.0.0:80"}},
    "a value that does not exist": {"replicaCount": 3},
    "metrics on the public port": {"metrics": {"enabled": True, "port": 8080}},
}


# What the Secret would hold.
SECRETS = {
    "sealing-key": base64.b64encode(os.urandom(32)).decode(),
    "client-secret": "of-the-client",
    "atlassian-client-secret": "of-the-app",
    "eng": "of-engineering",
}


def reads_its_configuration(causeway: str, folder: pathlib.Path, spec: dict, config_maps: dict) -> None:
    """Lays the volumes of a pod's only container out below folder, and lets causeway read what the pod would."""
    (container,) = spec["containers"]
    for mount in container["volumeMounts"]:
        (volume,) = [volume for volume in spec["volumes"] if volume["name"] == mount["name"]]
        files = SECRETS if "secret" in volume else config_maps[volume["configMap"]["name"]]
        below = folder / mount["mountPath"].lstrip("/")
        below.mkdir(parents=True)
        for name, text in files.items():
            (below / name).write_text(text.replace("/run/", f"{folder}/run/"))
    env = {entry["name"]: entry["value"] for entry in container["env"]}
    env = {name: f"{folder}{value}" if value.startswith(("/run/", "/etc/")) else value for name, value in env.items()}
    subprocess.run([causeway, "openapi"], env=env, check=True, stdout=subprocess.DEVNULL)


def main(causeway: str, chart: str, folder: str, *values: str) -> None:
    for path in values:
        given = yaml.safe_load(pathlib.Path(path).read_text())
        found = helm.lint(chart, given, strict=True, kube_version="v1.30.0")
        # That a chart has no icon is all that Helm may remark.
        wrong = [m for m in found["messages"] if "icon is recommended" not in m["error"]]
        if found["errors"] or wrong:
            sys.exit(f"{path}: {found}")
        with helm.Chart.load(chart) as loaded:
            rendered = loaded.render(given, name="wiki", namespace="causeway")
        name = pathlib.Path(path).stem
        kinds, pods, config_maps = [], [], {"company-ca": {"ca.crt": pathlib.Path(certifi.where()).read_text()}}
        for template, text in sorted(rendered.items()):
            if template.endswith("NOTES.txt"):
                if "{{" in text or "<no value>" in text:
                    sys.exit(f"{path}: {text}")
                continue
            for index, manifest in enumerate(m for m in yaml.safe_load_all(text) if m):
                kinds.append(manifest["kind"])
                if manifest["kind"] in ("Deployment", "Pod"):
                    pods.append(manifest["spec"].get("template", manifest)["spec"])
                if manifest["kind"] == "ConfigMap":
                    config_maps[manifest["metadata"]["name"]] = manifest["data"]
                kind = "custom" if manifest["apiVersion"].startswith("monitoring.coreos.com/") else "plain"
                stem = template.removeprefix("causeway/templates/").replace("/", "-").removesuffix(".yaml")
                target = pathlib.Path(folder, f"{kind}-{name}-{stem}-{index}.yaml")
                target.write_text(yaml.safe_dump(manifest, sort_keys=False))
        for number, spec in enumerate(pods):
            reads_its_configuration(causeway, pathlib.Path(folder, f"{name}-{number}"), spec, config_maps)
        print(f"{path}: {', '.join(sorted(kinds))}")

    base = yaml.safe_load(pathlib.Path(values[0]).read_text())
    for what, change in REFUSED.items():
        with helm.Chart.load(chart) as loaded:
            try:
                loaded.render(base | change, name="wiki", namespace="causeway")
            except helm.HelmError:
                continue
        sys.exit(f"the chart accepts {what}")
    print(f"refused, as they should be: {', '.join(REFUSED)}")


main(*sys.argv[1:])
