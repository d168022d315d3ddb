"""Recipes: what is wrong is said in one line."""

import subprocess
import sys
from pathlib import Path

import pytest
from quantize.command_line import board_recipe, recipe_and_bundle
from quantize.settings.board import BoardRecipe, load_board_recipe
from quantize.tests.conftest import run_step
from quantize.tests.synthetic import write_recipe

RECIPES = Path(__file__).parents[1] / "recipes"


def rewritten(tmp_path: Path, old: str, new: str) -> Path:
    path = write_recipe(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize("name", ["cpu", "gpu", "distil"])
def test_the_shipped_recipes_load(name: str) -> None:
    recipe = load_board_recipe(RECIPES / f"{name}.toml")
    assert recipe.model.frozen == (name != "gpu")
    assert recipe.device == ("cuda" if name == "gpu" else "cpu")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_explain_each_key(path: Path) -> None:
    """By a comment behind it or above it; keys of tables whose keys are free are explained together, above the table."""
    free, above = False, ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            free = line.strip("[]") in ("data.source_weights", "data.dev_shares", "losses", "distil.teachers")
            assert not free or above.startswith("#"), line
        elif " = " in line.partition("#")[0] and not free:
            assert "  # " in line or above.startswith("#"), f"{path.name}: {line}"
        above = line


def test_values_arrive(tmp_path: Path) -> None:
    recipe = load_board_recipe(write_recipe(tmp_path, steps=3, drop=1, source_weights={}))
    assert (recipe.loop.steps, recipe.model.drop, recipe.model.size, recipe.model.frozen) == (3, 1, 64, True)


BAD = {
    "unknown key": (
        "steps =",
        "stepz =",
        r"unknown key 'loop\.stepz' \(did you mean loop\.steps\?\); expected one of steps, warmup",
    ),
    "text for a number": ("steps = 40", 'steps = "40"', r"loop\.steps is '40', expected a whole number"),
    "fraction for a count": ("steps = 40", "steps = 4.5", r"loop\.steps is 4.5, expected a whole number"),
    "truth for a number": ("steps = 40", "steps = true", r"loop\.steps is True, expected a whole number"),
    "number for truth": ("size = 64", "frozen = 1", r"model\.frozen is 1, expected true or false"),
    "text for a fraction": ("drop = 0.1", 'drop = "much"', r"model\.drop is 'much', expected a number"),
    "number for text": ("name =", "device = 3\nname =", r"device is 3, expected a string"),
    "text for a list": ("feature_batch = 8", 'views = "plain"', r"data\.views is 'plain', expected a list of strings"),
    "numbers in a list": ("feature_batch = 8", "views = [1, 2]", r"data\.views is \[1, 2\], expected a list of strings"),
    "text in a table": (
        "feature_batch = 8",
        'dev_shares = { a = "b" }',
        r"data\.dev_shares is {'a': 'b'}, expected a table of numbers",
    ),
    "missing key": ("tag_list =", "# tag_list =", r"found no data\.tag_list, expected a string"),
    "odd size": ("size = 64", "size = 100", r"model\.size is 100, expected a multiple of 32"),
    "count below one": ("batch_images = 24", "batch_images = 0", r"data\.batch_images is 0, expected at least 1"),
    "unknown choice": ("steps = 40", 'precision = "fp8"', r"loop\.precision is 'fp8', expected bf16 or float32"),
    "key outside its table": ("name =", "steps = 40\nname =", r"unknown key 'steps'; expected it in the table \[loop\]"),
    "key of two tables": (
        "name =",
        "views = []\nname =",
        r"unknown key 'views'; expected it in the table \[data\] or in ",
    ),
    "key of the recipe": ("steps = 40", "seed = 1", r"unknown key 'loop\.seed'; expected it outside of any table"),
    "table that is a value": ("[loop]", "[loops]", r"unknown key 'loops'; expected one of trains, name"),
    "no kind": ('trains = "board"\n', "", r"found no trains, expected board"),
    "another kind": ('trains = "board"', 'trains = "clip"', r"trains is 'clip', expected board"),
    "no TOML": ("steps = 40", "steps 40", r"cannot be read: Expected .* expected a TOML file"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_wrong_recipe(kind: str, tmp_path: Path) -> None:
    old, new, message = BAD[kind]
    path = rewritten(tmp_path, old, new)
    with pytest.raises(ValueError, match=rf"{path}:? {message}") as error:
        load_board_recipe(path)
    assert "\n" not in str(error.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"recipe .*absent\.toml is missing; expected a TOML file"):
        load_board_recipe(tmp_path / "absent.toml")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot be read: .*Is a directory.*; expected a TOML file"):
        load_board_recipe(tmp_path)


def test_the_command_line_exits_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["train", str(rewritten(tmp_path, "steps =", "stepz ="))])
    with pytest.raises(SystemExit) as stopped:
        board_recipe("doc")
    assert stopped.value.code == 2
    assert "unknown key 'loop.stepz'" in capsys.readouterr().err


def test_what_cannot_be_trained_ends_in_one_line(tmp_path: Path) -> None:
    done = run_step("quantize.train", str(rewritten(tmp_path, 'trains = "board"', 'trains = "cats"')))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith("tiny.toml: trains is 'cats', expected board or clip")


def test_the_command_line_gives_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["train", str(write_recipe(tmp_path))])
    assert isinstance(board_recipe("doc"), BoardRecipe)


def test_any_key_is_changed_on_the_command_line(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    asked = ["loop.steps=7", "out=runs/mine", 'data.views=["plain"]', "data.source_weights.mine=2", "device = 'cuda'", "seed=3"]
    recipe = load_board_recipe(path, asked)
    assert (recipe.loop.steps, recipe.out, recipe.data.views, recipe.device, recipe.seed) == (
        7,
        "runs/mine",
        ["plain"],
        "cuda",
        3,
    )
    assert recipe.data.source_weights["mine"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("loop.stepz=3", r"unknown key 'loop\.stepz' \(did you mean loop\.steps\?\); expected one of steps"),
        ("data.shard=3", r"unknown key 'data\.shard' \(did you mean data\.shards\?\)"),
        ("steps=3", r"unknown key 'steps'; expected it in the table \[loop\]"),
        ("loop.steps", r"loop\.steps: found no KEY=VALUE, expected one such as loop\.steps=200"),
        ("loop.steps=many", "loop.steps is 'many', expected a whole number"),
        ("name.steps=3", "name.steps=3: name is a value, expected the name of a table"),
        ("loop=3", r"loop is 3, expected a table \[loop\]"),
    ],
)
def test_a_wrong_change_is_named(change: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        load_board_recipe(write_recipe(tmp_path), [change])


def test_shards_by_folder_and_by_pattern(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("b-000.tar", "b-001.tar", "in/c.tar"):
        (tmp_path / name).touch()
    recipe = load_board_recipe(
        path, [f'data.shards=["absent.tar", "{tmp_path}/b-*.tar", "{tmp_path}/in", "{tmp_path}/b-001.tar"]']
    )
    assert recipe.data.shards == ["absent.tar", *(f"{tmp_path}/{name}" for name in ("b-000.tar", "b-001.tar", "in/c.tar"))]
    for name, message in ((f"{tmp_path}/x*.tar", "a pattern that fits no file"), (str(RECIPES), "a folder without shards")):
        with pytest.raises(ValueError, match=rf"tiny\.toml: data\.shards: .* is {message}, expected"):
            load_board_recipe(path, [f'data.shards=["{name}"]'])


def test_changes_stand_before_or_behind_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["export", str(write_recipe(tmp_path)), "seed=4", "--bundle", "b", "loop.steps=5"])
    recipe, bundle = recipe_and_bundle("doc")
    assert (recipe.seed, recipe.loop.steps, bundle) == (4, 5, Path("b"))


def test_warnings_of_libraries_stay_out_of_results() -> None:
    lines = [
        "import logging, warnings",
        "from quantize.command_line import results_alone",
        "results_alone()",
        "warnings.warn('of a library')",
        "logging.getLogger('quantize').warning('of ours')",
    ]
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=root, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "of ours\n")
