#!/usr/bin/env python3
"""Check the board's output and screens: check.py SERIAL_LOG SCREENS.

Prints one line per test; the exit code is 1 if any test failed or is missing.
"""

import itertools
import json
import re
import sys
from pathlib import Path
from typing import Any

from screen import BLACK, BLOCK, HEIGHT, WIDTH, Screen, colour, rgb565

PROMPTS = {"television test card", "person", "dog"}
FORMATS = ["YUYV", "RGB3", "NV12", "YU12", "GREY"]
# Test name: what its output must contain, with exit code 2, or 78 for settings.
REFUSALS = {
    "control": ["/dev/video0: found no control no_such, expected brightness (0 to 255), ", "menu (menu_item_1, "],
    "range": ["/dev/video0: found brightness=256, expected brightness=0 to 255"],
    "format": ["/dev/video0: found no format MJPG, expected one of NV12, YU12, YUYV"],
    "output": ["/dev/video1: found a device that captures no pictures"],
    "planes": ["/dev/video2: found a multi-planar camera (vivid)", "rpicam-vid", "nvarguscamerasrc", "--source -"],
    "missing": ["/dev/video9: found no such device"],
    "permission": ["/dev/video0: found no permission", "usermod -aG video"],
    "busy": ["/dev/video0: found a camera in use by another program"],
}
# Those whose settings cannot be used.
SETTINGS = {"control", "range", "format"}


class Run:
    """One test: the lines that it printed, its exit code, and when it started."""

    def __init__(self, start: float) -> None:
        self.start = start
        self.lines: list[str] = []
        self.code: int | None = None

    def frames(self) -> list[dict[str, Any]]:
        """Its lines of JSON except events."""
        lines = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [line for line in lines if line.get("type") != "event"]


def read(log: str) -> dict[str, Run]:
    """The tests of the serial log, by name."""
    tests: dict[str, Run] = {}
    run = Run(0)
    for line in log.replace("\r", "").splitlines():
        if match := re.fullmatch(r"TEST (\w+) ([\d.]+)", line):
            run = tests[match[1]] = Run(float(match[2]))
        elif match := re.fullmatch(r"EXIT (\d+)", line):
            run.code = int(match[1])
        else:
            run.lines.append(line)
    return tests


def expect(condition: bool, what: object) -> None:
    """Raise AssertionError saying `what` unless the condition holds."""
    if not condition:
        raise AssertionError(what)


def check_frames(run: Run, count: int, width: int, height: int) -> None:
    """Check the number and size of frames, and that each has a score for every prompt and boxes inside the picture."""
    expect(run.code == 0, f"exit code {run.code}")
    frames = run.frames()
    expect(len(frames) == count, f"{len(frames)} frames")
    for before, after in itertools.pairwise(frames):
        passed = after["time"] - before["time"]
        # 10 frames per second, some lost by the busy emulator; none may come from the driver's buffers.
        expect(after["frame"] - before["frame"] > 2.5 * passed > 0, f"an old frame after {passed} s: {after['frame']}")
    for frame in frames:
        expect(frame["source"] == "/dev/video0", frame)
        expect((frame["width"], frame["height"]) == (width, height), frame)
        for found in frame["detections"]:
            x0, y0, x1, y1 = found["box"]
            expect(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height, found)


def check_blocks(screen: Screen, narrow: bool) -> None:
    """The test picture, scaled to fit, with black around it and the clock in its corner."""
    area = x0, y0, x1, y1 = screen.area(WIDTH, HEIGHT)
    around = screen.outside(area)
    expect(around <= {BLACK}, f"around the picture {sorted(around)[:9]}")
    for row in range(HEIGHT // BLOCK):
        for column in range(WIDTH // BLOCK):
            x = x0 + (2 * column + 1) * (x1 - x0) * BLOCK // (2 * WIDTH)
            y = y0 + (2 * row + 1) * (y1 - y0) * BLOCK // (2 * HEIGHT)
            wanted = rgb565(colour(column, row)) if narrow else colour(column, row)
            expect(row == 0 or screen.at(x, y) == wanted, f"{screen.at(x, y)} at {x}, {y} and not {wanted}")
    expect(screen.at(x0 + 1, y0 + 1) == (24, 24, 24), "no clock")


def check_seal(text: str) -> None:
    """The program was sealed, and needed nothing that the seal refuses."""
    expect("edgeclip: sealed (seccomp, Landlock " in text or "edgeclip: warning: sealed, but " in text, text)
    expect("the seal has refused" not in text, text)


def check_screen(name: str, run: Run, screens: Path) -> None:
    """Raise AssertionError if a screen did not show what it should."""
    if name == "wide":
        wide = Screen.dump(screens / "wide.ppm")
        expect((wide.width, wide.height) == (1280, 800), f"{wide.width}x{wide.height}")
        check_blocks(wide, narrow=False)
        # The console's text is grey on black; it is on the screen whenever there is no picture.
        for shown in ["before", "after", "beside"]:
            found = Screen.dump(screens / f"{shown}.ppm").colours()
            expect(found == {BLACK, (170, 170, 170)}, f"{shown}: {sorted(found)[:9]}")
        return
    if name == "sealed_screen":
        sealed = Screen.dump(screens / "sealed.ppm")
        expect(sealed.area(640, 360) == (0, 40, 1280, 760), sealed.area(640, 360))
        expect(sealed.outside(sealed.area(640, 360)) == {BLACK}, "something beside the picture")
        bars = [sealed.at(80 + 160 * bar, 600) for bar in range(8)]
        expect(len(set(bars)) == 8, f"bars of {bars}")
        found = Screen.dump(screens / "sealed_after.ppm").colours()
        expect(found == {BLACK, (170, 170, 170)}, f"afterwards: {sorted(found)[:9]}")
        return
    narrow = Screen.memory("".join(run.lines), 1024, 768)
    if name == "narrow":
        check_blocks(narrow, narrow=True)
    else:
        area = narrow.area(640, 360)
        expect(area == (0, 96, 1024, 672) and narrow.outside(area) == {BLACK}, area)
        bars = [narrow.at(64 + 128 * bar, 600) for bar in range(8)]
        expect(len(set(bars)) == 8, f"bars of {bars}")


def check(name: str, tests: dict[str, Run], screens: Path) -> None:
    """Raise AssertionError if the test `name` failed."""
    run = tests[name]
    text = "\n".join(run.lines)
    if name in REFUSALS:
        expect(run.code == (78 if name in SETTINGS else 2), f"exit code {run.code}")
        for part in REFUSALS[name]:
            expect(part in text, f'no "{part}" in: {text}')
    elif name in [*FORMATS, "armv7", "sealed", "sealed32"]:
        check_frames(run, 2 if name in {"YUYV", "sealed"} else 1, 640, 480)
        if name.startswith("sealed"):
            check_seal(text)
        reference = {tag["label"]: tag["score"] for tag in tests["YUYV"].frames()[0]["tags"]}
        # The same picture: its edges lie where subsampled colours do not blur them. RGB differs by what the conversion rounds,
        # to which flat colours without a meaning are sensitive. Without colour it is a different picture.
        far = {"RGB3": 0.25, "GREY": 1.0}.get(name, 0.0)
        for frame in run.frames():
            expect({tag["label"] for tag in frame["tags"]} == PROMPTS, frame["tags"])
            expect(frame["detections"], "no detection at threshold 0")
            for tag in frame["tags"]:
                expect(abs(tag["score"] - reference[tag["label"]]) <= far, f"{tag} is far from {reference}")
    elif name == "default":
        check_frames(run, 1, 320, 180)
    elif name == "list":
        expect("/dev/video0  vivid (vivid)" in text and "YUYV  320x180 640x360 640x480" in text, text)
        expect("/dev/video1" not in text and "/dev/video2: found a multi-planar" in text, text)
        expect(run.code == 0, f"exit code {run.code}")
    elif name == "controlled":
        expect(run.code == 0, f"exit code {run.code}")
        expect(re.search(r"^  brightness: 0 to 255, default 128, now 77$", text, re.MULTILINE) is not None, text)
        expect(re.search(r"^  menu: .*, now menu_item_4$", text, re.MULTILINE) is not None, text)
    elif name == "doctor":
        report = run.frames()[0]
        states = {item["name"]: item for item in report["checks"]}
        expect(run.code == 0 and report["ok"], text)
        expect("Cortex-A" in states["processor"]["found"] and "/dev/video0: NV12" in states["camera"]["found"], text)
        expect(states["model"]["details"]["int8"], states["model"])
    elif name == "sealed_says":
        check_seal(text)
    elif name == "replugged_says":
        check_seal(text)
        expect("/dev/video0: found an unplugged camera" in text and "looked at, 0 broken, 0 stalls, 1 losses" in text, text)
    elif name in ["wide", "narrow", "camera", "sealed_screen"]:
        check_screen(name, run, screens)
    elif name == "refused_says":
        expect("/dev/fb0: the console's text and cursor may show through (Permission denied" in text, text)
    elif name == "owned_warns":
        expect(run.code == 1, text)
    else:
        expect(run.code == 0, f"exit code {run.code}: {text}")


def main() -> None:
    """Check every test that the board should have run."""
    log, screens = Path(sys.argv[1]).read_text(errors="replace"), Path(sys.argv[2])
    tests = read(log)
    expected = ["vocab", "list", "doctor", *FORMATS, "controlled", "default", *REFUSALS, "terminated"]
    expected += ["replugged", "replugged_says"]
    expected += ["wide", "wide_ends", "narrow", "narrow_ends", "camera", "camera_ends"]
    expected += ["refused", "refused_says", "owned", "owned_says", "owned_warns"]
    expected += ["sealed", "sealed_screen", "sealed_ends", "sealed_says"]
    expected += [name for name in ("armv7", "sealed32") if name in tests]
    failed = 0
    for name in expected:
        try:
            expect(name in tests, "did not run")
            check(name, tests, screens)
        except (AssertionError, KeyError, IndexError, OSError, ValueError) as error:
            failed += 1
            print(f"FAILED {name}: {error!r}")
        else:
            print(f"ok     {name} (at {tests[name].start:.0f} s)")
    print("".join(f"{line}\n" for line in log.splitlines() if line.startswith("BOARD")), end="")
    if failed:
        sys.exit(f"{failed} of {len(expected)} tests failed; the log is {sys.argv[1]}")
    print(f"board ok, {len(expected)} tests")


if __name__ == "__main__":
    main()
