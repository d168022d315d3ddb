"""What several test files share: one small data set with random teachers, and the cache and model made from it once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from quantize.export import steps as exporter
from quantize.settings.board import BoardRecipe, load_board_recipe
from quantize.tests.synthetic import write_recipe, write_shapes, write_teachers
from quantize.train import train
from quantize.training import throughput

# on such small tensors more threads only wait for each other
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"
# the ceiling that a training's last line names takes seconds otherwise
throughput.EDGES = (64,)


# random weights have no reason to quantise as well as trained ones
LOOSE_BOUNDS = dict.fromkeys(exporter.BOUNDS, 0.85)


def pytest_configure(config: pytest.Config) -> None:
    # torch's newer exporter needs onnxscript and writes other graphs
    config.addinivalue_line("filterwarnings", "ignore:You are using the legacy TorchScript-based ONNX export:DeprecationWarning")


def run_step(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m module arguments` in the repository's root."""
    root = Path(__file__).parents[2]
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a shard of coloured shapes and random teachers."""
    folder = tmp_path_factory.mktemp("workplace")
    write_shapes(folder / "shapes.tar", count=32)
    write_teachers(folder / "teachers")
    return folder


@pytest.fixture(scope="session")
def recipe(workplace: Path) -> BoardRecipe:
    """A recipe whose cache `quantize.features` has filled."""
    path = write_recipe(workplace)
    done = run_step("quantize.features", str(path))
    assert done.returncode == 0, done.stderr
    return load_board_recipe(path)


@pytest.fixture(scope="session")
def trained(recipe: BoardRecipe) -> BoardRecipe:
    """The same recipe, with `model.pt` in its output folder."""
    train(recipe)
    return recipe


@pytest.fixture(scope="session")
def loaded(trained: BoardRecipe) -> exporter.Trained:
    """The networks that export works on."""
    return exporter.load_trained(trained)


@pytest.fixture(scope="session")
def bundle(trained: BoardRecipe, loaded: exporter.Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `quantize.export` makes of it."""
    folder = tmp_path_factory.mktemp("bundle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter, "load_trained", lambda _: loaded)
        patch.setattr(exporter, "BOUNDS", LOOSE_BOUNDS)
        patch.setattr(exporter, "EVERYDAY_PICTURES", 3)
        exporter.export(trained, folder)
    return folder
