"""The training pictures set aside."""

import tomllib
from pathlib import Path

import pytest
from quantize.board.split import is_held_out
from quantize.data.set_aside import SHARE, SHARES, is_set_aside, place
from quantize.settings.board import BoardData, load_board_recipe

RECIPES = sorted((Path(__file__).parents[1] / "recipes").glob("*.toml"))
OURS = [
    path
    for path in RECIPES
    if any("data/train-" in shard for shard in tomllib.loads(path.read_text()).get("data", {}).get("shards", []))
]
BOARDS = [path for path in OURS if tomllib.loads(path.read_text())["trains"] == "board"]


def test_the_rule_is_the_hash_of_the_key() -> None:
    assert place("coco128_train2017-00012") == 967
    keys = [f"picture-{i}" for i in range(20_000)]
    aside = sum(is_set_aside(key, "flickr8k") for key in keys)
    assert aside / len(keys) == pytest.approx(SHARE, abs=0.005)
    assert all(is_set_aside(key, "coco_mini") for key in keys[:50])


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_no_recipe_trains_on_them(path: Path) -> None:
    data = load_board_recipe(path).data
    keys = [f"picture-{i}" for i in range(3000)]
    for source in {*SHARES, "flickr8k"}:
        if source == "coco_mini" and not any("train-005" in shard for shard in data.shards):
            continue
        assert all(is_held_out(key, source, data) for key in keys if is_set_aside(key, source)), source


def test_a_recipe_may_hold_out_more() -> None:
    data = BoardData(shards=[], cache="", tag_list="", clip_names="", dev_share=1.0)
    assert is_held_out("anything", "flickr8k", data)
