"""Answers the paths that the live page asks for as `edgeclip run --http` does, with sample photos and things that drift about.

`python tests/page/mock.py [--port N] [--cameras 1] [--no-pictures] [--no-commands] [--token T]` prints its address.
Beside the contract, `POST /mock/refuse {"path", "status", "message"}` has the next request that begins with `path` refused,
and `POST /mock/event {...}` has something happen.
"""

import argparse
import contextlib
import json
import queue
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from world import ROOT, Camera, Json, World

PAGE = ROOT / "src/surfaces/http/page"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class Refusal(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"message": message, "type": "invalid", "found": None, "expected": None}, **more}


class Answers(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    world: World

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def reply(self, status: int, content: bytes, kind: str, **headers: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def answer(self) -> None:
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.route()
        except Refusal as refusal:
            self.reply(refusal.status, json.dumps(refusal.body).encode(), "application/json")

    do_GET = do_POST = do_PUT = do_HEAD = answer

    def route(self) -> None:
        address = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if raw and self.headers.get("Content-Type") != "application/json":
            raise Refusal(415, "expected application/json")
        body: Json = json.loads(raw) if raw else {}
        path = address.path.lstrip("/") or "index.html"
        if path.startswith("mock/"):
            if path == "mock/refuse":
                self.world.refusals.append(body)
            else:
                self.world.happen(body)
            self.reply(200, b"{}", "application/json")
            return
        if (PAGE / path).is_file() and "/" not in path:
            self.reply(200, (PAGE / path).read_bytes(), TYPES[Path(path).suffix], Cache_Control="no-cache")
            return
        token = self.world.options.token
        if path == "api/v1/login":
            if body["token"] != token:
                raise Refusal(401, "found another token, expected the one in the file that http.token names")
            self.reply(204, b"", "application/json", Set_Cookie=f"edgeclip={token}; HttpOnly; SameSite=Strict; Path=/")
            return
        if token and f"edgeclip={token}" not in (self.headers.get("Cookie") or ""):
            raise Refusal(401, "expected a token")
        if self.world.options.no_commands and self.command not in {"GET", "HEAD"}:
            raise Refusal(403, "commands = false in [http]")
        for refusal in self.world.refusals:
            if path.startswith(refusal["path"]):
                self.world.refusals.remove(refusal)
                raise Refusal(refusal["status"], refusal["message"])
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        self.api([unquote(part) for part in path.removeprefix("api/v1/").split("/")], query, body)

    def api(self, parts: list[str], query: dict[str, str], body: Json) -> None:
        world = self.world
        answer: Json | None = None
        match [self.command, *parts]:
            case ["GET", "status"]:
                answer = world.status()
            case ["GET", "live"]:
                self.live(query)
                return
            case ["GET", "prompts"]:
                answer = world.prompts()
            case ["PUT", "prompts"]:
                time.sleep(0.2)
                if any("(" in word for word in body["prompts"]):
                    raise Refusal(422, "prompt 3: found “(”, expected words")
                world.words = body["prompts"] or ["cat", "red bus"]
                answer = world.prompts()
                world.change()
            case ["PUT", "thresholds", label]:
                world.thresholds[label] = body["threshold"]
                answer = world.prompts()
                world.change()
            case ["GET", "events"]:
                self.events(query)
                return
            case ["GET", "events", _, "picture.jpg"]:
                self.reply(200, world.cameras[0].picture, "image/jpeg")
                return
            case ["POST", "events", name, "verdict"]:
                event = next(event for event in world.events if event["id"] == name)
                event["verdict"] = body.get("is") or ("right" if body["right"] else "wrong")
                answer = event
            case ["GET", "search"]:
                found = [
                    event for event in world.events if event["event"] == "appear" and query["q"].split()[-1] in event["label"]
                ]
                keys = ("id", "time", "source", "camera", "frame", "track", "label")
                results = [
                    {"score": 0.91, "cosine": 0.31, **{key: event[key] for key in keys}, "label_score": 0.84, "box": [1, 2, 3, 4]}
                    for event in found
                ]
                answer = {"results": results, "compared": 1234, "other_networks": []}
            case ["GET", "configuration"]:
                self.reply(200, b'prompt = "cat"\n', "text/plain; charset=utf-8")
                return
            case ["POST", "save"]:
                if not body["replace"]:
                    raise Refusal(
                        409,
                        "edgeclip.toml has settings that would be replaced",
                        would_replace=["edgeclip.toml"],
                        keys=["prompt", "source.zone"],
                    )
                world.unsaved = False
                answer = {"saved": ["edgeclip.toml"]}
            case [_, "cameras", name, *rest]:
                camera = next((camera for camera in world.cameras if camera.id == name), None)
                if camera is None:
                    raise Refusal(404, f"found camera {name}, expected one of {[camera.id for camera in world.cameras]}")
                self.camera(camera, rest, query, body)
                return
            case _:
                raise Refusal(404, "nothing is here")
        self.reply(200, json.dumps(answer).encode(), "application/json")

    def camera(self, camera: Camera, parts: list[str], query: dict[str, str], body: Json) -> None:
        world = self.world
        if world.options.no_pictures and parts and parts[0] in {"frame.jpg", "stream.mjpeg", "snapshot.jpg", "hold"}:
            raise Refusal(404, "pictures = false in [http]")
        answer: Json
        match [self.command, *parts]:
            case ["PUT"]:
                camera.on = body["on"]
                answer = camera.describe()
                world.change()
            case ["GET", "places"]:
                answer = camera.places
            case ["PUT", "places"]:
                for zone in body.get("zones", []):
                    if not re.fullmatch(r"[^<]*", zone.get("name") or "<"):
                        raise Refusal(422, f"zone: found name {zone.get('name')}, expected letters")
                camera.places = {**camera.places, **body}
                answer = camera.places
                world.change()
            case ["POST", "hold"]:
                if body:
                    raise Refusal(400, "body: found one, expected none")
                name = str(len(camera.held) + 7)
                camera.held[name] = camera.frame
                answer = {"held": name, "frame": camera.frame, "width": camera.width, "height": camera.height}
            case ["GET", "frame.jpg" | "snapshot.jpg"]:
                frame = camera.held[query["held"]] if "held" in query else camera.frame
                self.reply(200, camera.picture, "image/jpeg", X_Frame=frame, X_Width=camera.width, X_Height=camera.height)
                return
            case ["GET", "stream.mjpeg"]:
                self.stream(camera)
                return
            case ["POST", "examples"]:
                name = body["name"]
                world.examples[name] = world.examples.get(name, 0) + 1
                answer = {"name": name, "example": "a1b2c3d4e5f6", "examples": world.examples[name], "prompts": world.prompts()}
                world.change()
            case _:
                raise Refusal(404, "nothing is here")
        self.reply(200, json.dumps(answer).encode(), "application/json")

    def events(self, query: dict[str, str]) -> None:
        events = self.world.events
        if "before" in query:
            events = events[1 + [event["id"] for event in events].index(query["before"]) :]
        events = [event for event in events if query.get("kind") in {None, event["event"]}]
        self.reply(200, json.dumps({"events": events[: int(query["limit"])]}).encode(), "application/json")

    def begin(self, kind: str) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()

    def live(self, query: dict[str, str]) -> None:
        listener: queue.Queue[str] = queue.Queue(50)
        types = query.get("types", "frame,event,status,changed").split(",")
        self.begin("text/event-stream")
        self.wfile.write(b": hello\n\n")
        self.world.listeners.append(listener)
        try:
            while True:
                text = listener.get()
                if re.search(r"^event: (\w+)", text, re.MULTILINE)[1] in types:  # type: ignore[index]
                    self.wfile.write(text.encode())
        finally:
            self.world.listeners.remove(listener)

    def stream(self, camera: Camera) -> None:
        self.begin("multipart/x-mixed-replace; boundary=frame")
        while True:
            head = (
                f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(camera.picture)}\r\nX-Frame: {camera.frame}\r\n\r\n"
            )
            self.wfile.write(head.encode() + camera.picture + b"\r\n")
            frame = camera.frame
            while camera.frame == frame:
                time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cameras", type=int, default=1, choices=(1, 2))
    parser.add_argument("--token", default="")
    parser.add_argument("--no-pictures", action="store_true")
    parser.add_argument("--no-commands", action="store_true")
    world = World(parser.parse_args())
    threading.Thread(target=world.run, daemon=True).start()
    handler = type("Bound", (Answers,), {"world": world})
    server = ThreadingHTTPServer(("127.0.0.1", world.options.port), handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
