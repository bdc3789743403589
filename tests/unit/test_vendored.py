"""What is not ours under the page is what its makers published, and says so."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

VENDOR = Path(__file__).parents[2] / "desk" / "page" / "vendor"
PACKAGES: list[dict[str, Any]] = json.loads((VENDOR / "vendored.json").read_text())
FILES = [each for package in PACKAGES for each in package["files"]]


def test_every_vendored_file_is_listed() -> None:
    assert {"vendored.json", *(each["name"] for each in FILES)} == {path.name for path in VENDOR.iterdir()}


@pytest.mark.parametrize("file", FILES, ids=lambda each: each["name"])
def test_a_vendored_file_is_unchanged(file: dict[str, str]) -> None:
    assert file["sha256"] == sha256((VENDOR / file["name"]).read_bytes()).hexdigest()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each["package"])
def test_a_package_brings_its_licence_and_names_its_version(package: dict[str, Any]) -> None:
    names = [each["name"] for each in package["files"]]
    assert f"{package['package']}-LICENSE.txt" in names
    assert all(package["version"] in name for name in names if not name.endswith("-LICENSE.txt"))
