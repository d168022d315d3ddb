"""The networks to time, each in the forms that the engines take, made once and kept in a cache."""

import hashlib
import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import forms
import maker
import ncnn_int8
import onnx
import quantiser

HERE = Path(__file__).parent
DEFAULT = HERE.parents[1] / "models/default/vision.onnx"
# A change of any makes the files anew.
SOURCES = ("cases.py", "forms.py", "maker.py", "ncnn_int8.py", "quantiser.py", "requirements.txt")
# of which a convolution is compared step by step: more would compare how rounding errors grow
FIRST_LAYERS = 4


@dataclass(frozen=True)
class Case:
    """A network at one input size."""

    network: str
    size: int

    def __str__(self) -> str:
        return f"{self.network} {self.size} px"


CASES = [Case("default", 224), Case("default", 320), Case("default", 416), Case("mobilenetv2", 224), Case("resnet18", 224)]


@dataclass(frozen=True)
class Files:
    """A case's files."""

    folder: Path

    def of(self, engine: str) -> Path:
        """What `engine` loads; for ncnn the stem of .param and .bin."""
        qdq = dict.fromkeys(("edgeclip", "tract", "ort-s8"), "qdq.onnx")
        unsigned = dict.fromkeys(("ort-u8", "ort-u8u8"), "u8.onnx")
        floats = {"ort-f32": "float.onnx", "ncnn-f32": "float.ncnn", "ncnn-bf16": "float.ncnn"}
        names = {**qdq, **unsigned, **floats, "ncnn-int8": "int8"}
        return self.folder / names[engine]

    def first_layers(self, engine: str) -> Path:
        """The same of the network up to its fourth convolution, for QDQ forms."""
        return self.folder / self.of(engine).name.replace("qdq", "first").replace("u8", "first-u8")

    def picture(self, which: int) -> Path:
        """Input 0 or 1, int8 `[3, S, S]`."""
        return self.folder / f"picture{which}.i8"

    @property
    def model(self) -> onnx.ModelProto:
        """The QDQ network."""
        return onnx.load(self.of("edgeclip"))


def made(case: Case, cache: Path) -> Files:
    """The files of `case`, made if this code, the bundle or the case have changed."""
    digest = hashlib.sha256(str(case).encode())
    for source in [*(HERE / name for name in SOURCES), DEFAULT]:
        digest.update(source.read_bytes())
    folder = cache / "cases" / f"{case.network}-{case.size}-{digest.hexdigest()[:12]}"
    if not folder.exists():
        for old in folder.parent.glob(f"{case.network}-{case.size}-*"):
            shutil.rmtree(old)
        making = folder.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        make(case, making)
        making.rename(folder)
    return Files(folder)


def make(case: Case, folder: Path) -> None:
    """Writes all forms of `case`."""
    qdq = folder / "qdq.onnx"
    if case.network == "default":
        onnx.save(forms.at_size(onnx.load(DEFAULT), case.size), qdq)
    else:
        source = folder / "source.onnx"
        onnx.save(maker.MAKERS[case.network](case.size), source)
        quantiser.quantise(source, qdq, case.size)
    model = onnx.load(qdq)
    onnx.save(forms.unsigned(model), folder / "u8.onnx")
    onnx.save(forms.float_twin(model), folder / "float.onnx")
    first = forms.first_layers(model, FIRST_LAYERS)
    onnx.save(first, folder / "first.onnx")
    onnx.save(forms.unsigned(first), folder / "first-u8.onnx")
    convert_for_ncnn(folder)
    photos = quantiser.dequantised_photos(case.size)
    ncnn_int8.convert(folder / "float.ncnn.param", folder / "float.ncnn.bin", folder / "int8", photos)
    for which in range(2):
        quantiser.photo(quantiser.NAMES[which], case.size).tofile(folder / f"picture{which}.i8")


def convert_for_ncnn(folder: Path) -> None:
    """float.onnx → float.ncnn.param and .bin, by the program of the package pnnx."""
    found = importlib.util.find_spec("pnnx")
    places = found.submodule_search_locations if found else None
    if not places:
        raise RuntimeError("found no package pnnx, expected that of requirements.txt")
    run = subprocess.run([f"{places[0]}/pnnx", "float.onnx", "fp16=0"], cwd=folder, capture_output=True, text=True)
    if run.returncode or not (folder / "float.ncnn.bin").exists():
        raise RuntimeError(f"{folder}: pnnx failed: {run.stdout[-500:]}{run.stderr[-500:]}")
    for leftover in [*folder.glob("float*pnnx*"), folder / "float_ncnn.py"]:
        leftover.unlink(missing_ok=True)
