"""What is shipped for deployment is valid, strict, and works as far as it can be tried here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from dockerfile_parse import DockerfileParser

from api.settings import SETTINGS
from tests.fault.conftest import Serve, serve  # noqa: F401  # a fixture

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
NAMES = {f"LINEWISE_{setting.name.upper()}" for setting in SETTINGS} | {"LINEWISE_THREADS"}


@pytest.fixture(scope="module")
def dockerfile(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("docker")
    shutil.copy(DEPLOY / "Dockerfile", folder)
    return list(DockerfileParser(str(folder)).structure)


def values(dockerfile: list[dict[str, Any]], instruction: str) -> list[str]:
    return [step["value"] for step in dockerfile if step["instruction"] == instruction]


def test_the_image_is_slim_pinned_and_not_root(dockerfile: list[dict[str, Any]]) -> None:
    froms = values(dockerfile, "FROM")
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+( AS \w+)?", value) for value in froms) and len(froms) == 2
    assert ["10001:10001"] == values(dockerfile, "USER")
    order = [step["instruction"] for step in dockerfile]
    assert order.index("USER") < order.index("CMD") and "ADD" not in order and values(dockerfile, "HEALTHCHECK")
    assert all(value.startswith("[") for value in values(dockerfile, "CMD")), "no shell between the service and its signals"
    runs = " ".join(values(dockerfile, "RUN"))
    assert (
        "--no-cache-dir" in runs
        and "-r requirements.txt" in runs
        and "curl" not in runs
        and "sudo" not in runs
        and "latest" not in " ".join(froms)
    )
    assert not re.search(r"(?i)password|secret|token", " ".join(values(dockerfile, "ENV")))


def test_the_steps_of_the_dockerfile_give_a_service(
    dockerfile: list[dict[str, Any]],
    tmp_path: Path,
    serve: Serve,  # noqa: F811  # the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is copied is enough to run, from a folder that cannot be written."""
    image = tmp_path / "image"
    image.mkdir()
    for value in values(dockerfile, "COPY"):
        *sources, target = value.split()
        if value.startswith("--from"):
            continue
        if target == ".":
            assert sources == ["requirements.txt"]
            continue
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, image / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, image / target)
    before = {path for path in image.rglob("*")}
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr("tests.fault.conftest.ROOT", image)

    served = serve()

    assert '"ready"' in served.get("/readyz") and "linewise_requests_total" in served.get("/metrics")
    assert before == {path for path in image.rglob("*")}, "the service writes nothing beside its volumes"


def test_every_setting_that_is_set_exists() -> None:
    for path in [*DEPLOY.rglob("*"), ROOT / "docs" / "operations.md"]:
        if path.is_file():
            used = set(re.findall(r"LINEWISE_[A-Z_]+", path.read_text()))
            assert used <= NAMES, (path.name, used - NAMES)


def test_the_kubernetes_manifests_are_valid_and_strict() -> None:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "linewise.yaml").read_text()))
    for document in documents:
        kubernetes_validate.validate(document, "1.30", strict=True)
    [pod] = [document["spec"]["template"]["spec"] for document in documents if document["kind"] == "Deployment"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"]
    assert ("/readyz", "/healthz") == (container["readinessProbe"]["httpGet"]["path"], container["livenessProbe"]["httpGet"]["path"])


def test_the_compose_file_is_strict() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert {"linewise", "postgres", "nginx"} == set(services)
    assert (
        services["linewise"]["read_only"]
        and ["ALL"] == services["linewise"]["cap_drop"]
        and "always" == services["linewise"]["environment"]["LINEWISE_KEYS"]
    )
    assert "ports" not in services["linewise"] and "ports" not in services["postgres"]


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    nginx, openssl = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None), shutil.which("openssl")
    if nginx is None or openssl is None:
        pytest.skip("needs nginx and openssl: apt-get install nginx-light openssl")
    text = (DEPLOY / "nginx.conf").read_text().replace("linewise:8080", "127.0.0.1:8080").replace("/run/nginx.pid", f"{tmp_path}/pid")
    version = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"/1\.(\d+)\.(\d+)", version)
    if found and (int(found[1]), int(found[2])) < (25, 1):
        text = text.replace("listen 443 ssl;\n        http2 on;", "listen 443 ssl http2;")
    (tmp_path / "tls").mkdir()
    subprocess.run(
        [
            openssl,
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=linewise.example",
            "-keyout",
            tmp_path / "tls" / "linewise.key",
            "-out",
            tmp_path / "tls" / "linewise.pem",
        ],
        capture_output=True,
        check=True,
    )
    (tmp_path / "nginx.conf").write_text(text)

    done = subprocess.run([nginx, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stderr


def test_systemd_takes_its_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze")
    for path in (DEPLOY / "systemd").iterdir():
        text = (
            path.read_text()
            .replace("/srv/linewise/.venv/bin/gunicorn", sys.executable)
            .replace("/srv/linewise/.venv/bin/python", sys.executable)
        )
        (tmp_path / path.name).write_text(re.sub(r"User=linewise|Group=linewise", "", text))
    done = subprocess.run(
        [analyze, "verify", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
    )
    ours = [line for line in done.stderr.splitlines() if "linewise" in line and "man " not in line]

    assert not ours, "\n".join(ours)
