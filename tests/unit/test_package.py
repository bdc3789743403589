"""The package is what its files say: pinned, private, small in its parts, and deployable."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
PACKAGES = ["models", "alerts", "streams", "desk"]
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70


def pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / lock).read_text(), flags=re.MULTILINE))


def project() -> dict[str, object]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(table, dict)
    return table


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash)", text, flags=re.MULTILINE)
    requirements = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(requirements) == len(pinned(lock))
    assert [requirement for requirement in requirements if "--hash=sha256:" not in requirement] == []


def test_both_locks_have_the_same_versions_and_every_dependency() -> None:
    production, development = (pinned(lock) for lock in LOCKS)
    assert production.items() <= development.items()
    dependencies = project()["dependencies"]
    assert isinstance(dependencies, list)
    assert {re.split(r"[<>=~ ]", name)[0].replace(".", "-") for name in dependencies} <= {name.replace(".", "-") for name in production}


def test_no_index_takes_the_package() -> None:
    assert "Private :: Do Not Upload" in distribution("outwatch").metadata.get_all("Classifier", [])


@pytest.mark.parametrize("group", ["console_scripts", "faust.transports", "faust.stores", "outwatch.desk"])
def test_entry_points_load(group: str) -> None:
    ours = [point for point in entry_points(group=group) if point.dist is not None and point.dist.name == "outwatch"]
    assert ours
    assert all(callable(point.load()) for point in ours)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_ship_their_types(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


def test_files_and_functions_are_short() -> None:
    too_long = []
    for path in SOURCES:
        text = path.read_text()
        if (lines := text.count("\n")) > FILE_LINES_MAX:
            too_long.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    too_long.append(f"{path.relative_to(ROOT)}: {node.name} has {lines} lines")
    assert too_long == []


def test_the_compose_file_holds_its_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_image_is_pinned_and_every_service_has_a_health_check() -> None:
    services = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
    assert set(services) == {"kafka", "redis", "setup", "worker", "projector", "notifier", "auditor", "desk"}
    for name, service in services.items():
        assert re.search(r":\d+\.\d+\.\d+", service["image"]), name
        # Ours have the image's, except where they end by themselves.
        assert ("healthcheck" in service) == (name not in {"worker", "projector", "notifier", "auditor", "desk"}), name
        assert service["restart"], name
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert len(bases) == 2
    assert "\nHEALTHCHECK " in (ROOT / "Dockerfile").read_text()
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base) for base in bases)


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert users == ["10001"]


def test_what_compose_mounts_is_in_the_checkout() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    defaults = re.findall(r"\$\{\w+:-(\./[^}]+)\}", text)
    assert defaults == [
        "./models/example_policy.yaml",
        "./deploy/secrets",
        "./deploy/secrets",
        "./deploy/audit.yaml",
        "./deploy/desk-users.yaml",
    ]
    assert all((ROOT / path).exists() for path in defaults)


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (\w+)", makefile, flags=re.MULTILINE))
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    assert {line.split()[1] for line in done.stdout.splitlines()} == targets
