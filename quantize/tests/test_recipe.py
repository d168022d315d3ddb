"""Recipes: what is wrong is said in one line."""

import sys
from pathlib import Path

import pytest
from quantize.recipe import Recipe, from_command_line, load_recipe
from quantize.tests.conftest import run_step
from quantize.tests.synthetic import write_recipe

RECIPES = Path(__file__).parents[1] / "recipes"


def rewritten(tmp_path: Path, old: str, new: str) -> Path:
    path = write_recipe(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_the_shipped_recipes_load(name: str) -> None:
    recipe = load_recipe(RECIPES / f"{name}.toml")
    assert recipe.frozen == (name == "cpu")
    assert recipe.device == ("cpu" if name == "cpu" else "cuda")


def test_values_arrive(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path, steps=3, drop=1, source_weights={}))
    assert (recipe.steps, recipe.drop, recipe.size, recipe.frozen) == (3, 1, 64, True)


BAD = {
    "unknown key": ("steps =", "stepz =", r"unknown key 'stepz'; expected one of name, shards"),
    "text for a number": ("steps = 40", 'steps = "40"', r"steps is '40', expected a whole number"),
    "fraction for a count": ("steps = 40", "steps = 4.5", r"steps is 4.5, expected a whole number"),
    "truth for a number": ("steps = 40", "steps = true", r"steps is True, expected a whole number"),
    "number for truth": ("steps = 40", "frozen = 1", r"frozen is 1, expected true or false"),
    "text for a fraction": ("drop = 0.1", 'drop = "much"', r"drop is 'much', expected a number"),
    "number for text": ("steps = 40", "device = 3", r"device is 3, expected a string"),
    "text for a list": ("steps = 40", 'views = "plain"', r"views is 'plain', expected a list of strings"),
    "numbers in a list": ("steps = 40", "views = [1, 2]", r"views is \[1, 2\], expected a list of strings"),
    "text in a table": ("steps = 40", 'dev_shares = { a = "b" }', r"dev_shares is {'a': 'b'}, expected a table of numbers"),
    "missing key": ("tag_list =", "# tag_list =", r"found no tag_list, expected a string"),
    "odd size": ("size = 64", "size = 100", r"size is 100, expected a multiple of 32"),
    "loop: unknown": ("steps = 40", "loop = { stepz = 3 }", r"unknown key 'loop\.stepz'; expected one of steps, name"),
    "loop: type": ("steps = 40", "loop = { keep = 1.5 }", r"loop\.keep is 1\.5, expected a whole number"),
    "loop: range": ("steps = 40", 'loop = { precision = "fp8" }', r"loop\.precision is 'fp8', expected bf16 or float32"),
    "loop: twice": ("steps = 40", "loop = { warmup = 3 }", r"found loop\.warmup, expected warmup among the recipe's own keys"),
    "no TOML": ("steps = 40", "steps 40", r"cannot be read: Expected .* expected a TOML file"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_wrong_recipe(kind: str, tmp_path: Path) -> None:
    old, new, message = BAD[kind]
    path = rewritten(tmp_path, old, new)
    with pytest.raises(ValueError, match=rf"{path}:? {message}") as error:
        load_recipe(path)
    assert "\n" not in str(error.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"recipe .*absent\.toml is missing; expected a TOML file"):
        load_recipe(tmp_path / "absent.toml")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot be read: .*Is a directory.*; expected a TOML file"):
        load_recipe(tmp_path)


def test_the_command_line_exits_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["train", str(rewritten(tmp_path, "steps =", "stepz ="))])
    with pytest.raises(SystemExit) as stopped:
        from_command_line("doc")
    assert stopped.value.code == 2
    assert "unknown key 'stepz'" in capsys.readouterr().err


def test_what_cannot_be_trained_ends_in_one_line(tmp_path: Path) -> None:
    done = run_step("quantize.train", str(rewritten(tmp_path, "steps =", 'trains = "cats"\nsteps =')))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith("tiny.toml: trains is 'cats', expected one of board, clip")


def test_the_command_line_gives_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["train", str(write_recipe(tmp_path))])
    assert isinstance(from_command_line("doc"), Recipe)
