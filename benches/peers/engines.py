"""Engines as processes, so that none's threads or memory are another's; the protocol is that of crates/engine/benches/peer.rs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from masking import Mask
from numpy.typing import NDArray

HERE = Path(__file__).parent


class Engine:
    """One engine that has loaded one file."""

    def __init__(self, name: str, file: Path, threads: int, scale: float, binary: Path, mask: Mask | None) -> None:
        self.name = name
        if name in ("edgeclip", "tract"):
            program = mask.program(binary) if mask else binary
            command = [str(program), str(file), {"edgeclip": "int8", "tract": "float"}[name], str(threads)]
        else:
            command = [sys.executable, str(HERE / "worker.py"), name, str(file), str(threads), str(scale)]
        environment = mask.environment() if mask else dict(os.environ)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        word, load, self.detail = self.answer().split(maxsplit=2)
        if word != "ready":
            raise RuntimeError(f"{name}: said {word}, expected ready")
        self.load_ms = float(load)
        if mask and self.detail == "traps=0":
            raise RuntimeError(f"{name}: asked no masked cpuid, so that it does not run as {mask.level}")

    def answer(self) -> str:
        """The next line."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: ended with {self.process.wait()}")
        return line.strip()

    def ask(self, question: str) -> str:
        """The answer to a line."""
        assert self.process.stdin
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        return self.answer()

    def outputs(self, picture: Path, lengths: list[int]) -> list[NDArray[np.float32]]:
        """All outputs of a pass over `picture`, which later passes keep to."""
        target = picture.with_name(f"{self.name}.f32")
        self.ask(f"write {picture} {target}")
        values = np.fromfile(target, np.float32)
        if values.size != sum(lengths):
            raise RuntimeError(f"{self.name}: {values.size} values, expected {sum(lengths)}")
        return np.split(values, np.cumsum(lengths)[:-1])

    def times(self, passes: int) -> list[float]:
        """Milliseconds of each pass."""
        return [float(word) for word in self.ask(f"run {passes}").split()]

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()
