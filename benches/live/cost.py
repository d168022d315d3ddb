"""What it costs to read and decode apart: `cost.py APART HERE H264_FILM JPEG…`, as root.

Two builds of the program, one of which reads and decodes in its own process, take turns at the same camera of 640 × 480 pixels,
at real-time priority on one core. Processor time is the control group's: processes that are killed leave none to their parents.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
GROUP = Path("/sys/fs/cgroup/cpuacct/edgeclip-cost")
ROUNDS = 11
CORE = os.environ.get("EDGECLIP_CORE", "1")
REAL_TIME = ["chrt", "-f", "20", "taskset", "-c", CORE]


def used() -> float:
    return int((GROUP / "cpuacct.usage").read_text()) / 1e9


def look(program: str, url: str, frames: int) -> tuple[float, float]:
    """Processor seconds and seconds for a look, without start and end: a long run less a short one."""
    found = []
    for count in (40, 40 + frames):
        flags = ["--frames", str(count), "--format", "none", "--threads", "1", "--prompt", "cat, dog"]
        command = [program, "run", "--source", url, *flags]
        shell = f'echo $$ > {GROUP}/cgroup.procs; exec "$@"'
        before, begun = used(), time.monotonic()
        subprocess.run(["sh", "-c", shell, "sh", *REAL_TIME, *command], check=True, stderr=subprocess.DEVNULL)
        found.append((used() - before, time.monotonic() - begun))
    (cpu_short, short), (cpu_long, long) = found
    return (cpu_long - cpu_short) / frames, (long - short) / frames


def main() -> None:
    apart, here, film, *pictures = sys.argv[1:]
    GROUP.mkdir(exist_ok=True)
    for kind, files in (("http", pictures), ("rtsp", [film])):
        port = 18181 if kind == "http" else 18182
        url = f"{kind}://127.0.0.1:{port}/stream"
        for rate, frames in ((30, 150), (200, 400)):
            command = [sys.executable, str(HERE / "servers.py"), kind, str(port), str(rate), "/nonexistent", *files]
            server = subprocess.Popen(["chrt", "-f", "10", "taskset", "-c", "0", *command])
            time.sleep(1)
            pairs = []
            try:
                for round_ in range(ROUNDS):
                    order = (apart, here) if round_ % 2 else (here, apart)
                    found = {program: look(program, url, frames) for program in order}
                    pairs.append((found[apart], found[here]))
            finally:
                server.kill()
                server.wait()
            for index, name in enumerate(("processor time", "time")):
                both = [(a[index], b[index]) for a, b in pairs]
                a, b = (statistics.median(column) for column in zip(*both, strict=True))
                ratio = statistics.median(x / y for x, y in both)
                spread = sorted(x / y for x, y in both)
                line = f"{kind} {rate}/s {name} of a look: apart {a * 1e3:.3f} ms, here {b * 1e3:.3f} ms, ratio {a / b:.4f}"
                print(f"{line}, median of ratios {ratio:.4f} ({spread[1]:.3f} to {spread[-2]:.3f})", flush=True)


if __name__ == "__main__":
    main()
