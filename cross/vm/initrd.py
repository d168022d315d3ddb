#!/usr/bin/env python3
"""Make a board's initial file system: initrd.py KERNEL_ROOT OUT SOURCE=PATH…

A gzipped cpio archive with busybox, the drivers and the modules that they need, in loading order, and each SOURCE, a
file or folder, as PATH. KERNEL_ROOT holds what Debian's kernel and busybox packages hold.
"""

import gzip
import lzma
import stat
import sys
from pathlib import Path

FOLDERS = ["dev", "proc", "sys", "modules", "tmp"]
# Cameras, a screen of 32 bits per pixel, and one of 16.
DRIVERS = ["vivid", "bochs", "cirrus"]


def modules(root: Path) -> list[tuple[str, bytes]]:
    """Name and contents of the drivers and all modules they need, each after its dependencies."""
    files = {path.name.split(".ko")[0].replace("-", "_"): path for path in root.glob("**/modules/*/kernel/**/*.ko*")}
    loaded: dict[str, bytes] = {}

    def load(name: str) -> None:
        if name in loaded or name not in files:
            return
        path = files[name]
        content = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        key = b"\0depends="
        start = content.index(key) + len(key)
        for dependency in content[start : content.index(b"\0", start)].decode().split(","):
            load(dependency.replace("-", "_"))
        loaded[name] = content

    for driver in DRIVERS:
        load(driver)
        if driver not in loaded:
            sys.exit(f"{root}: found no module {driver}, expected a Debian kernel")
    return list(loaded.items())


def entry(name: str, mode: int, content: bytes) -> bytes:
    """One file of a cpio archive in newc format."""
    fields = [0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return header + bytes(-len(header) % 4) + content + bytes(-len(content) % 4)


def tree(source: Path, name: str) -> list[bytes]:
    """Entries of a file, link or folder with its contents, each with its own permissions."""
    mode = source.lstat().st_mode
    if source.is_symlink():
        return [entry(name, mode, str(source.readlink()).encode())]
    if source.is_dir():
        inside = [tree(child, f"{name}/{child.name}".lstrip("/")) for child in sorted(source.iterdir())]
        return [entry(name, mode, b"")] * bool(name) + [one for entries in inside for one in entries]
    return [entry(name, mode, source.read_bytes())]


def main() -> None:
    """Write the archive."""
    root, out = Path(sys.argv[1]), Path(sys.argv[2])
    archive = [entry(folder, stat.S_IFDIR | 0o755, b"") for folder in FOLDERS]
    busybox = next(root.glob("**/bin/busybox"))
    for source, name in [(str(busybox), "busybox"), *(pair.split("=", 1) for pair in sys.argv[3:])]:
        folders = reversed([str(folder) for folder in Path(name).parents][:-1])
        archive += [entry(folder, stat.S_IFDIR | 0o755, b"") for folder in folders]
        archive += tree(Path(source), name)
    drivers = modules(root)
    archive += [entry(f"modules/{name}.ko", stat.S_IFREG | 0o644, content) for name, content in drivers]
    order = "".join(f"{name}\n" for name, _ in drivers).encode()
    archive += [entry("modules/order", stat.S_IFREG | 0o644, order), entry("TRAILER!!!", 0, b"")]
    out.write_bytes(gzip.compress(b"".join(archive), compresslevel=1))


if __name__ == "__main__":
    main()
