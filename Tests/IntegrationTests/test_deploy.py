"""The deploy kit in config/deploy, as far as it can be tried without a cluster, a container runtime or a booted systemd:
schemas, linters, and the parts that are Refrain's own run for real."""

import concurrent.futures
import json
import os
import re
import subprocess
import sys

import pytest
import yaml

from support import wire
from support.program import accepts, free_port
from support.requests import body
from support.sidecar import ROOT, binary, until

KIT = ROOT / "config" / "deploy"
MANIFESTS = sorted((KIT / "kubernetes").glob("*.yaml"))
TOOLS = os.path.dirname(sys.executable)


def output_of(*command, **options):
    result = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
        **options)
    assert result.returncode == 0, result.stdout
    return result.stdout


def resources(manifest):
    return {
        (resource["kind"], resource["metadata"]["name"]): resource
        for resource in yaml.safe_load_all(manifest.read_text())}


def packages_of(text):
    """What one `apt-get install` names."""
    words = re.search(r"apt-get install -y --no-install-recommends((?:[^&]|\n)*?)&&", text)[1].split()
    return {word for word in words if word != "\\"}


# Kubernetes


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_manifests_follow_the_schema(manifest):
    told = output_of(f"{TOOLS}/kubernetes-validate", "--strict", manifest)
    assert told.count("passed for resource") == len(resources(manifest)), told


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_settings_in_manifests_are_right(manifest, tmp_path):
    texts = [
        resource["data"]["refrain.yaml"] for (kind, _), resource in resources(manifest).items() if kind == "ConfigMap"]
    assert texts
    for text in texts:
        (tmp_path / "refrain.yaml").write_text(text)
        assert "right" in output_of(binary(), "config", "check", tmp_path / "refrain.yaml")


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_containers_are_locked_down(manifest):
    for (kind, _), resource in resources(manifest).items():
        if kind != "Deployment":
            continue
        pod = resource["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        containers = pod.get("initContainers", []) + pod["containers"]
        for container in containers:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True and context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert {"requests", "limits"} <= container["resources"].keys()
        [refrain] = [container for container in containers if container["name"] == "refrain"]
        assert {"startupProbe", "readinessProbe", "livenessProbe", "lifecycle"} <= refrain.keys()
        sleep = int(refrain["lifecycle"]["preStop"]["exec"]["command"][1])
        drain = default_of("limits.drainTimeout")
        assert pod["terminationGracePeriodSeconds"] > sleep + drain


def default_of(name):
    """In seconds."""
    return int(re.search(rf"^### `{re.escape(name)}`.*?Default: `(\d+)s`", reference(), re.S | re.M)[1])


def reference():
    return output_of(binary(), "config", "reference")


def test_secrets_are_settings():
    """What comes from a Secret is read under the name it has."""
    for manifest in MANIFESTS:
        for (kind, _), resource in resources(manifest).items():
            if kind == "Secret":
                for name in resource["stringData"]:
                    assert f"`{name}`" in reference(), name


def test_the_gateway_scales_as_the_guide_says():
    gateway = resources(KIT / "kubernetes" / "gateway.yaml")
    scaler = gateway["HorizontalPodAutoscaler", "refrain-gateway"]
    assert scaler["apiVersion"] == "autoscaling/v2"
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (3, 20)
    [metric] = scaler["spec"]["metrics"]
    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    # All of them speak of the same pods.
    labels = gateway["Deployment", "refrain-gateway"]["spec"]["template"]["metadata"]["labels"]
    assert gateway["Service", "refrain-gateway"]["spec"]["selector"] == labels
    assert gateway["PodDisruptionBudget", "refrain-gateway"]["spec"]["selector"]["matchLabels"] == labels
    assert scaler["spec"]["scaleTargetRef"]["name"] == "refrain-gateway"


@pytest.mark.parametrize("wrong", ["replicas: three", "maxReplica: 20"])
def test_the_schema_is_looked_at(wrong, tmp_path):
    text = (KIT / "kubernetes" / "gateway.yaml").read_text()
    spoiled = text.replace("maxReplicas: 20", wrong) if wrong.startswith("max") else text.replace(
        "  # How many there are", f"  {wrong}\n  # How many there are")
    assert spoiled != text
    (tmp_path / "spoiled.yaml").write_text(spoiled)
    told = subprocess.run(
        [f"{TOOLS}/kubernetes-validate", "--strict", tmp_path / "spoiled.yaml"], capture_output=True, timeout=60)
    assert told.returncode != 0


# Containers


def stages():
    """Of the image: building, running."""
    return (KIT / "Dockerfile").read_text().split("\nFROM ")[1:]


def test_the_image_is_linted():
    # DL3008 asks for versions of Debian's packages, whose archive keeps only the latest.
    output_of(f"{TOOLS}/hadolint", "--ignore", "DL3008", KIT / "Dockerfile")


def test_the_image_has_what_building_needs():
    build, _ = stages()
    makefile = re.search(r"^BUILD_PACKAGES := ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.M)[1]
    assert packages_of(build) == set(makefile.replace("\\", " ").split())


def package_of(path):
    """Debian's own programs know a library in /lib by its name in /usr/lib, or the other way round."""
    real = os.path.realpath(path)
    for name in (path, real, real.removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    raise AssertionError(f"no package has {path}")


def installed_by(packages):
    listed = output_of("apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
                 "--no-breaks", "--no-replaces", "--no-enhances", *sorted(packages))
    return set(re.findall(r"^(\S+)", listed, re.M))


def test_the_image_has_the_libraries_that_the_binary_needs():
    needed = {package_of(path) for path in re.findall(r"=> (/\S+)", output_of("ldd", binary()))}
    assert needed - installed_by(packages_of(stages()[1])) == set()


def test_the_image_has_the_libraries_that_are_loaded_when_they_are_needed():
    sources = "".join(path.read_text() for path in (ROOT / "Sources").rglob("*.swift"))
    names = set(re.findall(r'"(lib[^"/ ]+\.so\.\d+)"', sources))
    assert names == {"libdnnl.so.2"}
    known = dict(re.findall(r"^\s(\S+) .*=> (\S+)", output_of("/sbin/ldconfig", "-p"), re.M))
    assert {package_of(known[name]) for name in names} <= packages_of(stages()[1])


def compose():
    return yaml.safe_load((KIT / "compose.yaml").read_text())


def test_the_composition_follows_the_schema():
    output_of(f"{TOOLS}/check-jsonschema", "--builtin-schema", "vendor.compose-spec", KIT / "compose.yaml")


def test_the_composition_is_right_about_settings():
    """Its environment is read, and gives the tiers that are composed with it."""
    given = {"UPSTREAM": "https://api.example.com", "REFRAIN_ADMIN_TOKEN": "t", "REFRAIN_CACHE_SECRET": "s"}

    def filled(text):
        return re.sub(
            r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda match: given.get(match[1], match[2] or ""), str(text))

    services = compose()["services"]
    environment = {name: filled(value) for name, value in services["refrain"]["environment"].items()}
    printed = output_of(binary(), "config", "print", env={"PATH": os.environ["PATH"]} | environment)
    assert "redis://redis:6379" in printed and "endpoint=http://objects:9000" in printed
    assert "https://api.example.com" in printed
    assert {"redis", "objects"} < services.keys()
    stop = int(services["refrain"]["stop_grace_period"].removesuffix("s"))
    assert stop > default_of("limits.drainTimeout")


# systemd


def test_the_unit_is_verified_and_hardened(tmp_path):
    unit = (KIT / "refrain.service").read_text()
    there = tmp_path / "refrain.service"
    there.write_text(unit.replace("/usr/bin/refrain", str(binary())))
    told = output_of("systemd-analyze", "verify", "--man=no", there)
    assert "refrain.service" not in told, told
    # Of 100: the more, the more a broken service could do.
    output_of("systemd-analyze", "security", "--offline=true", "--threshold=20", there)


# nginx


@pytest.fixture
def nginx(tmp_path, start, model):
    """The snippet before two sidecars, on free ports."""
    sidecars = [start(), start()]
    port = free_port()
    snippet = (KIT / "nginx" / "refrain.conf").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    for sidecar, address in zip(sidecars, ("127.0.0.1:8410", "127.0.0.1:8420")):
        assert address in snippet
        snippet = snippet.replace(address, f"127.0.0.1:{sidecar.port}")
    (tmp_path / "refrain.conf").write_text(snippet)
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy;\n"
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        f"include {tmp_path}/refrain.conf; }}\n")
    output_of("nginx", "-t", "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log")
    process = subprocess.Popen(["nginx", "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"])
    until(lambda: accepts(port), "nginx to listen")
    yield port, sidecars
    process.terminate()
    process.wait(10)


def ask(port, prompt, credential, **members):
    lines = [("Authorization", f"Bearer {credential}"), ("Content-Type", "application/json")]
    return wire.request(port, "POST", "/v1/chat/completions", lines, json.dumps(body("chat", prompt, **members)).encode())


def test_nginx_keeps_tenants_where_their_answers_are(nginx, prompt):
    port, sidecars = nginx
    for tenant in range(8):
        outcomes = [ask(port, prompt, f"sk-{tenant}").outcome for _ in range(3)]
        assert outcomes == ["miss", "hit", "hit"]
    served = [sidecar.metrics().sum("refrain_requests_total") for sidecar in sidecars]
    assert all(count > 0 for count in served), "all tenants went to one sidecar"


def test_streams_pass_nginx_as_they_come(nginx, prompt):
    port, _ = nginx
    answer = ask(port, prompt, "sk-stream", stream=True)
    assert answer.header("content-type").startswith("text/event-stream")
    assert answer.body.endswith(b"data: [DONE]\n\n") and answer.complete


def test_nginx_goes_on_when_a_sidecar_is_gone(nginx, prompt):
    port, sidecars = nginx
    sidecars[0].close()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda tenant: ask(port, prompt, f"sk-{tenant}"), range(24)))
    assert [answer.status for answer in answers] == [200] * 24
