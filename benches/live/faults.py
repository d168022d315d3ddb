"""Half an hour of faults: `faults.py EDGECLIP FOLDER HTTP_PICTURE H264_FILM Y4M_FILM [SECONDS]`, as root.

Three sources, snapshots and annotated frames on a file system of 3 MB, CSV, JSON into a pipe. One fault after the other happens
to them; each has to be told, and so has that it is over. Prints a table, and ends with 1 if anything was missing.
"""

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
PATIENCE = 60.0
WORKS = r": works again after "
# Faults whose names have none of this are left out.
ONLY = os.environ.get("EDGECLIP_FAULTS", "")
HTTP, RTSP = "http://127.0.0.1:18080/video.mjpg", "rtsp://127.0.0.1:18554/stream"


class Run:
    """`edgeclip run`, its cameras, and what it has said."""

    def __init__(self, program: Path, folder: Path, picture: Path, h264: Path, film: Path) -> None:
        self.folder, self.picture, self.h264, self.film = folder, picture, h264, film
        self.errors: list[tuple[float, str]] = []
        self.frames: dict[str, list[int]] = {}
        self.events: dict[str, int] = {}
        self.torn = self.lines = 0
        self.reading = threading.Event()
        self.reading.set()
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.start("http")
        self.start("rtsp")
        shutil.copy(film, folder / "film.y4m")
        (folder / "words.txt").write_text("cat\nperson\n")
        (folder / "disk").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder / "disk"], check=True)
        self.config = (
            'prompt = "@words.txt"\nthreshold = 0.25\nfps = 1.5\nthreads = 1\nstatus = 1\n'
            'snapshot = "disk/events"\nsnapshot_mb = 50\nannotate = "disk/ann"\nannotate_max = 50\ncsv = "all.csv"\n'
            f'[[source]]\nurl = "{HTTP}"\n[[source]]\nurl = "{RTSP}"\n[[source]]\nurl = "film.y4m"\nrepeat = true\n'
        )
        (folder / "watch.toml").write_text(self.config)
        self.process = subprocess.Popen(
            [program, "run", "--config", "watch.toml"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=self.listen, daemon=True).start()

    def start(self, kind: str) -> None:
        port, content = ("18080", self.picture) if kind == "http" else ("18554", self.h264)
        command: list[str | Path] = [sys.executable, HERE / "servers.py", kind, port, "10", self.folder / f"{kind}.mode", content]
        self.servers[kind] = subprocess.Popen(command)

    def kill(self, kind: str) -> None:
        self.servers[kind].kill()
        self.servers[kind].wait()

    def says(self, kind: str, mode: str) -> None:
        (self.folder / f"{kind}.mode").write_text(mode)

    def read(self) -> None:
        assert self.process.stdout
        for raw in self.process.stdout:
            self.reading.wait()
            self.lines += 1
            try:
                line = json.loads(raw)
            except ValueError:
                self.torn += 1
                continue
            if line["type"] == "frame":
                self.frames.setdefault(line["source"], []).append(line["frame"])
            elif line["type"] == "event":
                self.events[line["event"]] = self.events.get(line["event"], 0) + 1

    def listen(self) -> None:
        assert self.process.stderr
        begun = time.monotonic()
        with (self.folder / "errors.txt").open("w", buffering=1) as log:
            for raw in self.process.stderr:
                now, line = time.monotonic(), raw.decode().rstrip()
                self.errors.append((now, line))
                log.write(f"{now - begun:8.1f} {line}\n")

    def told(self, since: float, pattern: str, patience: float = PATIENCE) -> float | None:
        """Seconds until a line with this pattern, or None."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            found = [when for when, line in self.errors if when >= since and re.search(pattern, line)]
            if found:
                return found[0] - since
            time.sleep(0.05)
        return None

    def state(self, source: str) -> bool:
        """Whether the last that was told of a source or sink is that it works."""
        lines = [line for _, line in self.errors if re.search(source, line) and "connected source" not in line]
        return bool(lines) and bool(re.search(source + WORKS, lines[-1]))

    def workers(self) -> list[int]:
        """Processes that read or decode."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                text = stat.read_text()
            except OSError:
                continue
            parents[int(stat.parent.name)] = int(text.rsplit(") ", 1)[1].split()[1])
        keepers = {pid for pid, parent in parents.items() if parent == self.process.pid}
        return [pid for pid, parent in parents.items() if parent in keepers]


def status(pid: int, key: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(rf"{key}:\s+(\d+)", text)[0])


class Faults:
    """What happens, in turn."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rows: list[tuple[str, str, str]] = []
        self.missing = 0

    def fault(
        self,
        name: str,
        happen: Callable[[], object],
        told: str | None,
        last: float,
        undo: Callable[[], object],
        again: str | None,
    ) -> None:
        """Something goes wrong for `last` seconds at least, and then is right again."""
        if not re.search(ONLY, name):
            return
        begun = time.monotonic()
        happen()
        noticed = self.run.told(begun, told) if told else 0.0
        time.sleep(max(0.0, last - (time.monotonic() - begun)))
        mended = time.monotonic()
        undo()
        over = self.run.told(mended, again) if again else 0.0
        show = ["NOT TOLD" if when is None else f"{when:.1f} s" for when in (noticed, over)]
        if over is None and again and again.endswith(WORKS) and self.run.state(again.removesuffix(WORKS)):
            # Of outages that keep coming, fewer and fewer are told, as is that they are over.
            over, show[1] = 0.0, "told before"
        self.missing += (noticed is None) + (over is None)
        self.rows.append((name, show[0] if told else "-", show[1] if again else "-"))
        print(*self.rows[-1], sep=" | ", flush=True)

    def inject(self, how: signal.Signals, seconds: float) -> None:
        """Kills whatever reads or decodes each second."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for worker in self.run.workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, how)
            time.sleep(1)

    def once(self) -> None:
        run = self.run
        folder = run.folder
        works = WORKS
        of_http, of_rtsp = re.escape(HTTP), re.escape(RTSP)

        def nothing() -> None:
            return

        def config(text: str) -> Callable[[], object]:
            return lambda: (folder / "watch.toml").write_text(text)

        self.fault("RTSP server killed, 15 s", lambda: run.kill("rtsp"), of_rtsp, 15, lambda: run.start("rtsp"), of_rtsp + works)

        def stop(number: signal.Signals) -> Callable[[], object]:
            return lambda: run.servers["rtsp"].send_signal(number)

        self.fault("RTSP server stopped, 30 s", stop(signal.SIGSTOP), of_rtsp, 30, stop(signal.SIGCONT), of_rtsp + works)
        self.fault("HTTP server gone, 40 s", lambda: run.kill("http"), of_http, 40, lambda: run.start("http"), of_http + works)
        nonsense = [("trickle", "one byte a second", 60), ("junk", "junk without end", 30), ("small", "10-byte pictures", 20)]
        for mode, what, last in nonsense:
            self.fault(
                f"HTTP: {what}, {last} s",
                lambda mode=mode: run.says("http", mode),  # type: ignore[misc]
                of_http,
                last,
                lambda: run.says("http", ""),
                of_http + works,
            )

        def anew(mode: str) -> Callable[[], object]:
            return steps(lambda: run.says("rtsp", mode), lambda: run.kill("rtsp"), lambda: run.start("rtsp"))

        for mode, what in [("line", "one bad SDP line"), ("header", "a header without end")]:
            self.fault(
                f"RTSP: {what}, 15 s",
                anew(mode),
                of_rtsp,
                15,
                anew(""),
                of_rtsp + works,
            )
        self.fault(
            "RTSP: a picture that never ends, 30 s",
            lambda: run.says("rtsp", "pour"),
            of_rtsp,
            30,
            lambda: run.says("rtsp", ""),
            of_rtsp + works,
        )
        for how in (signal.SIGSEGV, signal.SIGKILL):
            self.fault(
                f"decoders killed each second ({how.name}), 30 s",
                lambda how=how: threading.Thread(target=self.inject, args=(how, 28)).start(),  # type: ignore[misc]
                "the decoder (died|was killed)",
                36,
                nothing,
                None,
            )
            for source in (HTTP, RTSP) if re.search(ONLY, "decoders killed") else ():
                works_now = run.state(re.escape(source))
                self.missing += not works_now
                self.rows.append((f"... last told of {source}", "-", "it works" if works_now else "NOT TOLD"))
                print(*self.rows[-1], sep=" | ", flush=True)
        full = folder / "disk" / "of-others"
        self.fault(
            "disk full, 50 s",
            lambda: subprocess.run(["dd", "if=/dev/zero", f"of={full}", "bs=64k"], capture_output=True, check=False),
            # Their oldest files make room.
            None,
            50,
            full.unlink,
            None,
        )

        def mount(how: str) -> Callable[[], object]:
            return lambda: remount(folder / "disk", how)

        self.fault("disk read-only, 30 s", mount("ro"), "disk/ann: .*[Rr]ead-only", 30, mount("rw"), "disk/ann" + works)
        frames = folder / "disk" / "ann"
        before = len(list(frames.iterdir()))
        shutil.rmtree(frames)
        time.sleep(10)
        made = len(list(frames.iterdir())) if frames.exists() else 0
        self.rows.append((f"folders deleted ({before} files)", "-", f"made anew, {made} files after 10 s"))
        self.missing += made == 0
        wrong = [
            "[[[",
            "no_such_key = 1\n" + run.config,
            "",
            "\0\1\2",
            "x" * 5_000_000,
            run.config.replace("0.25", "7"),
            run.config.replace("words.txt", "absent.txt"),
            run.config + '[[zone]]\nname = "a"\nbox = [2, 2, 3]\n',
            run.config.replace("fps = 1.5", 'fps = "fast"'),
            run.config.replace("snapshot_mb = 50", "snapshot_mb = -1"),
        ]
        for number, text in enumerate(wrong):
            self.fault(
                f"wrong configuration {number + 1}",
                config(text),
                "keeping the previous configuration",
                1,
                config(run.config + f"# {number}\n"),
                "reloaded",
            )
        self.fault("standard output unread, 60 s", run.reading.clear, "standard output: too slow", 60, run.reading.set, None)
        self.fault(
            "edgeclip stopped, 20 s",
            steps(
                lambda: run.process.send_signal(signal.SIGSTOP),
                lambda: time.sleep(20),
                lambda: run.process.send_signal(signal.SIGCONT),
            ),
            None,
            20,
            nothing,
            None,
        )
        words = folder / "words.txt"
        self.fault(
            "words file gone, 15 s",
            words.unlink,
            "words.txt: gone",
            15,
            lambda: words.write_text("cat\nperson\nlamp\n"),
            "words.txt: back again",
        )
        cut = lambda: (folder / "film.y4m").write_bytes(run.film.read_bytes()[:200_000])  # noqa: E731
        self.fault(
            "film truncated, 10 s", cut, r"film.y4m: ", 10, lambda: replace(run.film, folder / "film.y4m"), r"film.y4m" + works
        )
        for kind, address, times in [("rtsp", of_rtsp, 10), ("http", of_http, 4)]:

            def restart(kind: str = kind, times: int = times) -> None:
                for _ in range(times):
                    run.kill(kind)
                    run.start(kind)
                    time.sleep(3)

            self.fault(f"{kind.upper()} server restarted {times} times", restart, address, 1, nothing, address + works)


def steps(*all_of_them: Callable[[], object]) -> Callable[[], None]:
    def take() -> None:
        for step in all_of_them:
            step()

    return take


def replace(film: Path, target: Path) -> None:
    part = target.with_suffix(".part")
    shutil.copy(film, part)
    part.rename(target)


def remount(disk: Path, how: str) -> None:
    for _ in range(600):
        if subprocess.run(["mount", "-o", f"remount,{how}", disk], capture_output=True, check=False).returncode == 0:
            return
        # A file is being written.
        time.sleep(0.05)


def main() -> int:
    program, folder, picture, h264, film = (Path(argument).absolute() for argument in sys.argv[1:6])
    seconds = float(sys.argv[6]) if len(sys.argv) > 6 else 0.0
    folder.mkdir(parents=True)
    run = Run(program, folder, picture, h264, film)
    faults = Faults(run)
    try:
        begun = time.monotonic()
        while len(run.frames) < 3:
            time.sleep(0.1)
            if time.monotonic() - begun > 2 * PATIENCE:
                raise SystemExit(f"no frames: {run.errors}")
        time.sleep(5)
        memory = [status(run.process.pid, "VmRSS")]
        while True:
            faults.once()
            memory.append(status(run.process.pid, "VmRSS"))
            if time.monotonic() - begun >= seconds:
                break
        threads, files = status(run.process.pid, "Threads"), len(list(Path(f"/proc/{run.process.pid}/fd").iterdir()))
        ending = time.monotonic()
        run.process.terminate()
        code = run.process.wait(30)
        ended = time.monotonic() - ending
    finally:
        run.process.kill()
        for kind in ("http", "rtsp"):
            run.kill(kind)
        subprocess.run(["umount", "-l", folder / "disk"], check=False)
    ours = [line for _, line in run.errors if not line.startswith("edgeclip: ")]
    rising = all(a < b for numbers in run.frames.values() for a, b in itertools.pairwise(numbers))
    print(f"{ending - begun:.0f} s, code {code} after {ended:.2f} s, {run.lines} lines of which {run.torn} torn")
    print(f"frames looked at: { {source: len(numbers) for source, numbers in run.frames.items()} }, numbers rise: {rising}")
    print(f"events: {run.events}, resident memory kB: {memory}, threads: {threads}, descriptors: {files}")
    print(f"faults or recoveries not told: {faults.missing}, lines of others on standard error: {ours[:5]}")
    return int(faults.missing > 0 or code != 0 or bool(run.torn) or not rising or bool(ours))


if __name__ == "__main__":
    sys.exit(main())
