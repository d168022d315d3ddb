"""What pyproject.toml promises holds: every dependency is pinned, every package is shipped."""

import re
import tomllib
from pathlib import Path

QUANTIZE = Path(__file__).parents[1]
PROJECT = tomllib.loads((QUANTIZE / "pyproject.toml").read_text())


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, list[str]]:
    """Packages of the lock, `NAME==VERSION` and the rest, with their hashes."""
    text = (QUANTIZE / "requirements.lock").read_text().replace("\\\n", " ")
    entries = [line.split("--hash=") for line in text.splitlines() if line and not line.startswith("#")]
    return {entry.strip(): [each.strip() for each in hashes] for entry, *hashes in entries}


def test_every_dependency_is_pinned_with_its_hashes() -> None:
    lock = locked()
    assert all("==" in entry for entry in lock)
    assert all(hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes) for hashes in lock.values())
    names = {normalised(entry.partition("==")[0]) for entry in lock}
    project = PROJECT["project"]
    wanted = {normalised(each) for each in [*project["dependencies"], *project["optional-dependencies"]["test"]]}
    assert wanted - names == set()


def test_every_package_is_shipped() -> None:
    folders = {path.parent for path in QUANTIZE.rglob("__init__.py")} - {QUANTIZE / "tests"}
    found = {".".join(["quantize", *folder.relative_to(QUANTIZE).parts]) for folder in folders}
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])
