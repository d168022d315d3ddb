"""Engines on a lesser CPU: copies whose `cpuid` and `xgetbv` instructions trap, and a preloaded library that answers without the
features above a level. ONNX Runtime has no switch for this, ncnn and Rust programs have none that covers all of their code.
"""

import hashlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

HERE = Path(__file__).parent
LEVELS = ("avx2", "avxvnni")
# instruction → its bytes, and a trap of the same length that mask.c tells from the other
TRAPS = {"cpuid": (b"\x0f\xa2", b"\xcc\x90"), "xgetbv": (b"\x0f\x01\xd0", b"\xcc\x66\x90")}


def sites(binary: Path) -> list[tuple[int, str]]:
    """Offset in the file and name of each instruction of `TRAPS`."""
    sections = subprocess.run(["objdump", "-h", "-w", binary], capture_output=True, text=True, check=True).stdout.splitlines()
    code = [line.split() for line in sections if " CODE" in line]
    # by section: first address, end, what to add for the offset in the file
    spans = [(int(s[3], 16), int(s[3], 16) + int(s[2], 16), int(s[5], 16) - int(s[3], 16)) for s in code]
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", binary], capture_output=True, text=True, check=True).stdout
    found = []
    for line in listing.splitlines():
        words = line.split()
        if len(words) == 2 and words[1] in TRAPS:
            address = int(words[0].rstrip(":"), 16)
            found += [(address + shift, words[1]) for first, end, shift in spans if first <= address < end]
    return found


def patch(source: Path, target: Path) -> int:
    """Copies a program or library with traps instead; returns how many."""
    data = bytearray(source.read_bytes())
    found = sites(source)
    for offset, name in found:
        before, after = TRAPS[name]
        if data[offset : offset + len(before)] != before:
            raise ValueError(f"{source}: {data[offset : offset + 3].hex()} at {offset:#x}, expected {name}")
        data[offset : offset + len(after)] = after
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    shutil.copymode(source, target)
    return len(found)


class Mask:
    """The copies for one level, made once."""

    def __init__(self, level: str, cache: Path) -> None:
        digest = hashlib.sha256()
        for source in (Path(__file__), HERE / "mask.c", HERE / "requirements.txt"):
            digest.update(source.read_bytes())
        self.level = level
        self.folder = cache / f"masked-{digest.hexdigest()[:12]}"
        self.library = self.folder / "libmask.so"
        if not self.folder.exists():
            for old in cache.glob("masked-*"):
                shutil.rmtree(old)
            making = self.folder.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(parents=True)
            compiler = ["cc", "-O1", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", f"{making}/libmask.so", f"{HERE}/mask.c"]
            subprocess.run(compiler, check=True)
            packages = Path(sysconfig.get_paths()["platlib"])
            for name, extension in (("onnxruntime", "capi/onnxruntime_pybind11_state*.so"), ("ncnn", "ncnn*.so")):
                # with the libraries that auditwheel puts beside it
                for part in packages.glob(f"{name}*"):
                    if part.is_dir() and part.suffix in ("", ".libs"):
                        shutil.copytree(part, making / "packages" / part.name)
                (original,) = (packages / name).glob(extension)
                count = patch(original, making / "packages" / name / original.relative_to(packages / name))
                if count == 0:
                    raise ValueError(f"{original}: no cpuid instruction")
            making.rename(self.folder)

    def program(self, binary: Path) -> Path:
        """A copy of a program."""
        target = self.folder / f"{binary.name}-{hashlib.sha256(binary.read_bytes()).hexdigest()[:12]}"
        if not target.exists():
            patch(binary, target)
        return target

    def environment(self) -> dict[str, str]:
        """For processes that run the copies."""
        added = {"LD_PRELOAD": str(self.library), "PYTHONPATH": str(self.folder / "packages"), "EDGECLIP_CPUID_MASK": self.level}
        return {**os.environ, **added}
