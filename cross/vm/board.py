#!/usr/bin/env python3
"""Run the emulated board: board.py SECONDS LOG SCREENS QEMU ARGUMENT…

The board's output goes to the file LOG. When it prints `SCREEN NAME DISPLAY`, what that display shows is written to
SCREENS/NAME.ppm, and the board, which waits for it, gets an empty line. After SECONDS it is switched off.
"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any


class Monitor:
    """QEMU's monitor (QMP)."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.answers: IO[str] = self.socket.makefile()
        self.answers.readline()
        self.run("qmp_capabilities")

    def run(self, command: str, **arguments: str) -> None:
        """Run a command; raise OSError if QEMU rejects it."""
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer: dict[str, Any] = json.loads(self.answers.readline() or '{"error": "gone"}')
            if "error" in answer:
                raise OSError(f"{command}: {answer['error']}")
            if "return" in answer:
                return


def main() -> None:
    """Run it until it switches off."""
    seconds, log, screens = float(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    screens.mkdir(parents=True, exist_ok=True)
    for old in screens.glob("*.ppm"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder, log.open("wb") as said:
        path = Path(folder) / "monitor"
        command = [*sys.argv[4:], "-qmp", f"unix:{path},server=on,wait=off"]
        board = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert board.stdin is not None
        assert board.stdout is not None
        limit = threading.Timer(seconds, board.kill)
        limit.start()
        monitor = None
        for line in board.stdout:
            said.write(line)
            said.flush()
            words = line.decode(errors="replace").split()
            if words[:1] == ["SCREEN"]:
                monitor = monitor or Monitor(path)
                monitor.run("screendump", filename=str((screens / f"{words[1]}.ppm").resolve()), device=words[2])
                board.stdin.write(b"\n")
                board.stdin.flush()
        limit.cancel()
        if code := board.wait():
            print(f"cross/vm/board.py: the board exited with code {code}; its log is {log}")


if __name__ == "__main__":
    main()
