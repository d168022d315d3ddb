"""Files that are whole or not there."""

from pathlib import Path

import pytest
from quantize.files import whole_file


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    with whole_file(path) as draft:
        draft.write_text("{}")
        assert not path.exists()
        assert not list(tmp_path.glob("*.json"))  # nor is the draft taken for one
    assert [file.name for file in tmp_path.iterdir()] == ["kept.json"]


def fails(path: Path) -> None:
    with whole_file(path) as draft:
        draft.write_text("ne")
        raise ValueError("half")


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="half"):
        fails(path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["kept.json"]
