"""What the mock of the server knows: cameras with a photo in which things drift about, words, events."""

import argparse
import contextlib
import json
import math
import queue
import threading
import time
from pathlib import Path
from typing import Any

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
PHOTOS = (("cat.jpg", 451, 300), ("coffee.jpg", 600, 400))
RATE = 5


class Camera:
    """A photo in which one thing of each label drifts about."""

    def __init__(self, index: int) -> None:
        self.name = ("yard", "gate/süd door")[index]
        self.id = self.name.replace("/", "_")
        photo, self.width, self.height = PHOTOS[index]
        self.picture = (ROOT / "tests/data" / photo).read_bytes()
        self.on = True
        self.frame = 0
        self.held: dict[str, int] = {}
        self.places: Json = {"zones": [], "lines": [], "masks": []}

    def status(self) -> Json:
        wave = math.sin(self.frame / 40)
        latency = {"p50": round(105 + 20 * wave, 1), "p99": 160.0}
        rates: Json = {"fps_captured": 25.0, "fps_looked": round(9.5 + wave / 2, 2), "dropped": 41, "broken": 0, "stalled": 0}
        heat: Json = {"temperature": round(58 + 3 * wave, 1), "throttled": [], "rate": 1.0, "behind": False, "sinks": []}
        return {**rates, "latency_ms": latency, "stages_ms": {}, **heat}

    def describe(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "on": self.on,
            "width": self.width,
            "height": self.height,
            "status": self.status(),
        }

    def result(self, labels: list[Json]) -> Json:
        tracks = []
        for index, label in enumerate(entry for entry in labels if entry["boxes"]):
            x = (0.1 + 0.25 * index + 0.02 * math.sin(self.frame / 9)) * self.width % (self.width * 0.7)
            y = (0.15 + 0.1 * index) * self.height
            box = [round(value, 1) for value in (x, y, x + self.width * 0.3, y + self.height * 0.5)]
            score = round(0.9 - 0.1 * (index % 5), 4)
            if score >= label["threshold"]:
                tracks.append(
                    {
                        "id": index + 1,
                        "label": label["name"],
                        "score": score,
                        "box": box,
                        "velocity": [3.0, 0.0],
                        "seen": index % 2 == 0,
                        "age": 2.5,
                    }
                )
        tags = [{"label": entry["name"], "score": 0.75} for entry in labels if entry["name"] in {"cat", "night"}]
        size = {"width": self.width, "height": self.height}
        found = [{key: track[key] for key in ("label", "score", "box")} for track in tracks]
        return {
            "camera": self.id,
            "frame": self.frame,
            "time": now(),
            **size,
            "tags": tags,
            "detections": found,
            "tracks": tracks,
            "timing_ms": {},
            "latency_ms": 105.5,
        }


def now() -> float:
    return round(time.time(), 3)


class World:
    """All that the page can see and change."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.began = now()
        self.cameras = [Camera(index) for index in range(options.cameras)]
        self.words = ["cat", "red bus"]
        self.thresholds: dict[str, float] = {}
        self.examples: dict[str, int] = {}
        self.unsaved = False
        self.events: list[Json] = []
        self.listeners: list[queue.Queue[str]] = []
        self.refusals: list[Json] = []
        self.number = 0
        self.lock = threading.RLock()

    def prompts(self) -> Json:
        names = [word.split("=")[0].strip() for word in self.words]
        names += [name for name in self.examples if name not in names]
        labels = [
            {
                "name": name,
                "threshold": self.thresholds.get(name, 0.3),
                "boxes": name != "night",
                "examples": self.examples.get(name, 0),
            }
            for name in names
        ]
        return {"prompts": self.words, "vocabulary": None, "labels": labels}

    def status(self) -> Json:
        files = {"vocabulary_file": "things.vocab.safetensors", "save": True, "unsaved": self.unsaved}
        allowed = {"pictures": not self.options.no_pictures, "commands": not self.options.no_commands, "history": True}
        own = {"version": "0.1.0", "model": "edgeclip-default", "space": "edgeclip-default@1a2b3c4d"}
        times = {"time": now(), "uptime": round(now() - self.began, 1), "ready": True}
        return {**own, **times, **allowed, **files, "cameras": [camera.describe() for camera in self.cameras]}

    def send(self, kind: str, data: Json, name: str = "") -> None:
        text = (f"id: {name}\n" if name else "") + f"event: {kind}\ndata: {json.dumps(data)}\n\n"
        for listener in list(self.listeners):
            with contextlib.suppress(queue.Full):
                listener.put_nowait(text)

    def change(self) -> None:
        self.unsaved = True
        self.send("changed", {})

    def happen(self, what: Json) -> Json:
        with self.lock:
            self.number += 1
            camera = self.cameras[0]
            name = f"{int(now() * 1000)}-{self.number}"
            picture = None if self.options.no_pictures else f"api/v1/events/{name}/picture.jpg"
            place = {
                "camera": camera.id,
                "source": camera.id,
                "frame": camera.frame,
                "time": now(),
                "width": camera.width,
                "height": camera.height,
            }
            event = {
                "id": name,
                **place,
                "track": self.number,
                "label": "cat",
                "object": f"{now()}-abc",
                "picture": picture,
                "verdict": None,
                **what,
            }
            self.events.insert(0, event)
            self.send("event", event, name)
            return event

    def run(self) -> None:
        while True:
            time.sleep(1 / RATE)
            for camera in self.cameras:
                if camera.on:
                    camera.frame += 1
                    self.send("frame", camera.result(self.prompts()["labels"]))
                if camera.frame % (2 * RATE) == 1:
                    self.send("status", {"camera": camera.id, **camera.status()})
