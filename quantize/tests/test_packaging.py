"""What pyproject.toml promises holds: every dependency is pinned, every package is shipped."""

import re
import tomllib
from pathlib import Path

QUANTIZE = Path(__file__).parents[1]
PROJECT = tomllib.loads((QUANTIZE / "pyproject.toml").read_text())


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_pinned() -> None:
    lines = (QUANTIZE / "requirements.lock").read_text().splitlines()
    pinned = [line.partition("==") for line in lines if line and not line.startswith("#")]
    assert all(version for _, _, version in pinned)
    names = {normalised(name) for name, _, _ in pinned}
    project = PROJECT["project"]
    wanted = {normalised(each) for each in [*project["dependencies"], *project["optional-dependencies"]["test"]]}
    assert wanted - names == set()


def test_every_package_is_shipped() -> None:
    folders = {path.parent for path in QUANTIZE.rglob("__init__.py")} - {QUANTIZE / "tests"}
    found = {".".join(["quantize", *folder.relative_to(QUANTIZE).parts]) for folder in folders}
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])
