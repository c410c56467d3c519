#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What docs/deploy/ has for container engines: each field of the Kubernetes
manifests is one that its API documents, of the type it has there; names that
refer to each other agree; the launcher takes each command line; the container's
user needs no privilege.  Engines' own validators are not Debian's."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(1, os.path.join(sys.path[0], ".."))
from machine import BUILD, RUN, WAIT, Skip, main

FOLDER = pathlib.Path("docs/deploy")
KUBERNETES = ["kubernetes.yaml", "kubernetes-kvm.yaml"]
IMAGE = "/usr/local/lib/toril/image"
NAME = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
SIZE = r"[0-9]+(m|Mi|Gi)?"

# A type, a pattern, a list of one of these, or fields; "*" is any name.
LABELS = {"*": str}
META = {"name": NAME, "labels": LABELS, "annotations": LABELS}
HTTP = {"httpGet": {"path": r"/.*", "port": NAME}, "periodSeconds": int,
        "failureThreshold": int, "timeoutSeconds": int}
CONTAINER = {
    "name": NAME, "image": r"[a-z0-9./-]+:[\w.-]+", "args": [str],
    "ports": [{"name": r"[a-z0-9-]{1,15}", "containerPort": int}],
    "securityContext": {"allowPrivilegeEscalation": bool,
                        "capabilities": {"drop": [str]}},
    "resources": {"requests": {"*": SIZE}, "limits": {"*": SIZE}},
    "startupProbe": HTTP, "readinessProbe": HTTP, "livenessProbe": HTTP,
    "volumeMounts": [{"name": NAME, "mountPath": r"/.*", "readOnly": bool}],
}
POD = {
    "automountServiceAccountToken": bool,
    "terminationGracePeriodSeconds": int,
    "securityContext": {
        "runAsNonRoot": bool, "runAsUser": int, "runAsGroup": int,
        "seccompProfile": {"type": "Unconfined|RuntimeDefault"}},
    "containers": [CONTAINER],
    "volumes": [{"name": NAME, "configMap": {"name": NAME},
                 "emptyDir": {"sizeLimit": SIZE}}],
}
KINDS = {
    "Deployment": {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": META,
        "spec": {"replicas": int, "selector": {"matchLabels": LABELS},
                 "strategy": {"rollingUpdate": {
                     "maxUnavailable": int, "maxSurge": int}},
                 "template": {"metadata": META, "spec": POD}}},
    "Service": {
        "apiVersion": "v1", "kind": "Service", "metadata": META,
        "spec": {"selector": LABELS, "ports": [
            {"name": NAME, "port": int, "targetPort": NAME}]}},
}


def fits(value, shape, where):
    if isinstance(shape, dict):
        assert isinstance(value, dict) and value, where
        for key, inner in value.items():
            assert key in shape or "*" in shape, f"{where}.{key}: no field"
            fits(inner, shape.get(key, shape.get("*")), f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list) and value, where
        for number, inner in enumerate(value):
            fits(inner, shape[0], f"{where}[{number}]")
    elif isinstance(shape, str):
        assert isinstance(value, str) and re.fullmatch(shape, value), \
            f"{where}: {value!r}"
    else:
        assert type(value) is shape, f"{where}: {value!r}"


def documents(name):
    try:
        import yaml
    except ImportError:
        raise Skip("python3-yaml is not here") from None
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def entry():
    """What Containerfile has as ENTRYPOINT and CMD, and its port."""
    text = (FOLDER / "Containerfile").read_text().replace("\\\n", "")
    lines = dict(line.split(None, 1) for line in text.splitlines()
                 if re.match("(ENTRYPOINT|CMD|EXPOSE|USER) ", line))
    return (json.loads(lines["ENTRYPOINT"]), json.loads(lines["CMD"]),
            int(lines["EXPOSE"]), lines["USER"])


def takes(words):
    """The launcher takes them, with its paths those of here."""
    here = {"/usr/local/bin/toril-run": RUN, "/usr/bin/toril-run": RUN,
            IMAGE: f"{BUILD}/apps/webserver", "kvm": "auto",
            "/etc/toril/web/image": f"{BUILD}/apps/webserver"}
    words = [re.sub(r"^/srv[^:]*:", "docs:", here.get(word, word))
             for word in words]
    done = subprocess.run([words[0], "--dry-run", *words[1:]], check=False,
                          capture_output=True, text=True, timeout=WAIT)
    assert done.returncode == 0 and "microvm" in done.stdout, (words, done)


def fields():
    for name in KUBERNETES:
        found = documents(name)
        assert {each["kind"] for each in found} == set(KINDS), name
        for each in found:
            fits(each, KINDS[each["kind"]], f"{name}: {each['kind']}")


def fields_are_checked():
    deployment = documents(KUBERNETES[0])[0]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    for holder, key, value in (
            (deployment["spec"], "replicas", "3"),
            (deployment["spec"], "replica", 3),
            (container["ports"][0], "containerPort", "8080"),
            (container["livenessProbe"], "httpget", {"path": "/"})):
        kept = dict(holder)
        holder[key] = value
        try:
            fits(deployment, KINDS["Deployment"], "planted")
        except AssertionError:
            holder.clear()
            holder.update(kept)
            continue
        raise AssertionError(f"{key}: {value!r} was not noticed")


def names_agree():
    command, _, port, user = entry()
    for name in KUBERNETES:
        both = {each["kind"]: each for each in documents(name)}
        spec = both["Deployment"]["spec"]
        pod = spec["template"]["spec"]
        container, = pod["containers"]
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"] == labels, name
        assert both["Service"]["spec"]["selector"] == labels, name
        ports = {each["name"]: each["containerPort"]
                 for each in container["ports"]}
        assert ports["http"] == port and f"0.0.0.0:{port}:80" in command
        assert f"0.0.0.0:{ports['metrics']}" in command, (ports, command)
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["port"] == "http", name
        assert both["Service"]["spec"]["ports"][0]["targetPort"] == "http"
        assert {each["name"] for each in pod["volumes"]} == {
            each["name"] for each in container["volumeMounts"]}, name
        context = pod["securityContext"]
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
        wants = "devices.kubevirt.io/kvm" in container["resources"]["limits"]
        assert ("kvm" in container["args"]) == wants, name
        takes(command + container["args"])


def containerfile():
    command, arguments, _, _ = entry()
    takes(command + arguments)
    text = (FOLDER / "Containerfile").read_text()
    for path in ("build/bin/toril-run", "build/apps/webserver"):
        assert path in text


def nomad():
    text = (FOLDER / "toril.nomad.hcl").read_text()
    code = re.sub(r"#.*", "", re.sub(r'"(\$\{\w+\}|[^"])*"', '""', text))
    assert code.count("{") == code.count("}"), "braces"
    args = json.loads("[" + re.search(
        r"args = \[(.*?),\s*\]", text, re.S)[1] + "]")
    for number, port in enumerate(re.findall(r'port "(\w+)" \{\}', text)):
        variable = f"${{NOMAD_PORT_{port}}}"
        assert variable in " ".join(args), port
        args = [word.replace(variable, str(8080 + number)) for word in args]
    takes([re.search(r'command = "(.*)"', text)[1], *args])


def without_privileges():
    """As the container's user, without a capability, what a pod has."""
    if os.getuid() or not shutil.which("setpriv"):
        raise Skip("needs root and setpriv")
    done = subprocess.run(
        ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups",
         "--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all",
         "test", "-x", RUN], check=False, timeout=WAIT)
    if done.returncode:
        raise Skip("this folder is not for other users")
    command = ["setpriv", "--reuid", "1000", "--regid", "1000",
               "--clear-groups", "--no-new-privs", "--bounding-set", "-all",
               "--inh-caps", "-all", RUN, "-v", "docs:/srv:ro",
               "-p", "127.0.0.1:0:80", f"{BUILD}/apps/webserver",
               "-p", "80", "/srv"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, text=True,
                          stderr=subprocess.PIPE) as run:
        try:
            said = run.stderr.readline()
            if "user namespace" in said:
                raise Skip("no user namespaces here")
            port = re.search(r":(\d+) -> 80", said)
            assert port, said
            got = subprocess.run(
                ["curl", "-sf", f"http://127.0.0.1:{port[1]}/index.md"],
                check=True, timeout=WAIT, stdout=subprocess.PIPE)
            assert got.stdout == pathlib.Path("docs/index.md").read_bytes()
        finally:
            run.terminate()
            run.communicate(timeout=WAIT)


main([fields, fields_are_checked, names_agree, containerfile, nomad,
      without_privileges])
