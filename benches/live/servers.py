"""Cameras of the network that can be killed, silenced and made to talk nonsense: Motion JPEG over HTTP, H.264 over RTSP."""

import socket
import socketserver
import struct
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

# Largest payload of an RTP packet.
PAYLOAD = 1200


class Server(socketserver.ThreadingTCPServer):
    """Serves until its process is killed; what `mode` says decides what is sent."""

    allow_reuse_address = True
    daemon_threads = True
    mode = Path()
    content: ClassVar[list[bytes]] = []

    def said(self) -> str:
        return self.mode.read_text().strip() if self.mode.exists() else ""


class Http(socketserver.BaseRequestHandler):
    """Sends one picture after the other."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        self.request.recv(4096)
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n")
        number = 0
        try:
            while True:
                mode = server.said()
                if mode == "trickle":
                    self.request.sendall(b"x")
                    time.sleep(1)
                elif mode == "junk":
                    self.request.sendall(b"junk without an end " * 3000)
                    time.sleep(0.01)
                else:
                    picture = b"\xff\xd8\xff\xd9 small" if mode == "small" else server.content[number % len(server.content)]
                    head = f"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                    self.request.sendall(head.encode() + picture + b"\r\n")
                    number += 1
                    time.sleep(0.004 if mode == "small" else 1 / RATE)
        except OSError:
            return


class Rtsp(socketserver.StreamRequestHandler):
    """Plays a film, again and again."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        try:
            while True:
                lines: list[str] = []
                while line := self.rfile.readline().decode().strip():
                    lines.append(line)
                if not lines:
                    return
                headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:])}
                method = lines[0].split()[0]
                extra, body = "", ""
                if method == "DESCRIBE":
                    if server.said() == "header":
                        self.endless(b"RTSP/1.0 200 OK\r\nX: ")
                    garbage = "garbage\r\n" if server.said() == "line" else ""
                    body = (
                        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                        f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n{garbage}a=control:track1\r\n"
                    )
                    extra = "Content-Type: application/sdp\r\n"
                elif method == "SETUP":
                    extra = f"Session: 7;timeout=60\r\nTransport: {headers['transport']}\r\n"
                answer = f"RTSP/1.0 200 OK\r\nCSeq: {headers['cseq']}\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}"
                self.wfile.write(answer.encode())
                if method == "PLAY":
                    threading.Thread(target=self.play, args=(server,), daemon=True).start()
        except (OSError, KeyError, ValueError):
            return

    def endless(self, head: bytes) -> None:
        self.wfile.write(head)
        while True:
            self.wfile.write(b"x" * 65536)

    def play(self, server: Server) -> None:
        sequence = stamp = 0
        try:
            while True:
                for unit in units(server.content[0]):
                    payloads = [payload for nal in unit for payload in packets(nal)]
                    for index, payload in enumerate(payloads):
                        marker = 0x80 if index + 1 == len(payloads) else 0
                        rtp = struct.pack(">BBHI4s", 0x80, marker | 96, sequence & 0xFFFF, stamp & 0xFFFFFFFF, b"test") + payload
                        self.wfile.write(b"$\0" + struct.pack(">H", len(rtp)) + rtp)
                        sequence += 1
                    stamp += 90000 // RATE
                    while server.said() == "pour":
                        # Pieces of a picture (FU-A) whose last one never comes.
                        rtp = (
                            struct.pack(">BBHI4s", 0x80, 96, sequence & 0xFFFF, stamp & 0xFFFFFFFF, b"test")
                            + b"\x7c\x05"
                            + bytes(1200)
                        )
                        self.wfile.write(b"$\0" + struct.pack(">H", len(rtp)) + rtp)
                        sequence += 1
                        time.sleep(0.001)
                    if server.said() == "close":
                        self.connection.shutdown(socket.SHUT_RDWR)
                        return
                    time.sleep(1 / RATE)
        except OSError:
            return


RATE = 10


def units(film: bytes) -> list[list[bytes]]:
    """The access units of a film, each of which a delimiter begins, as NAL units."""
    found: list[list[bytes]] = []
    for nal in film.split(b"\0\0\1")[1:]:
        nal = nal.rstrip(b"\0")
        if nal[0] & 31 == 9:
            found.append([])
        elif found:
            found[-1].append(nal)
    return found


def packets(nal: bytes) -> list[bytes]:
    """A NAL unit as payloads (RFC 6184, FU-A where it is long)."""
    if len(nal) <= PAYLOAD:
        return [nal]
    pieces = [nal[at : at + PAYLOAD] for at in range(1, len(nal), PAYLOAD)]
    kind, last = nal[0], len(pieces) - 1
    ends = [(0x80 if at == 0 else 0) | (0x40 if at == last else 0) for at in range(len(pieces))]
    return [bytes([kind & 0xE0 | 28, end | kind & 31]) + piece for end, piece in zip(ends, pieces, strict=True)]


def main() -> None:
    """`servers.py http|rtsp PORT RATE MODE FILE…`"""
    global RATE
    kind, port, rate, mode, *files = sys.argv[1:]
    RATE = int(rate)
    Server.content = [Path(file).read_bytes() for file in files]
    Server.mode = Path(mode)
    handler: type[socketserver.BaseRequestHandler] = Http if kind == "http" else Rtsp
    with Server(("127.0.0.1", int(port)), handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
