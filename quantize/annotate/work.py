"""What is done with one chunk, in whichever process: read, run the stages, write a part that only counts once it is complete.

A part's content depends on the chunk alone, so a chunk that is done twice (its worker died after writing) leaves the same part.
"""

import io
import json
import tarfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from quantize.annotate.errors import memory_counts
from quantize.annotate.record import Caption, Record, Step, parts
from quantize.annotate.settings import Settings
from quantize.annotate.sources import Chunk, read
from quantize.annotate.stages import Stage, build
from quantize.annotate.stats import stats_of
from quantize.annotate.vocabulary import mentioned, read_synonyms
from quantize.files import whole_file


@dataclass(frozen=True)
class SurveyEntry:
    """What the survey found out about a picture."""

    dropped: str
    fingerprint: int | None
    tags: list[tuple[str, str]]
    pseudo_captions: list[dict[str, Any]]
    provenance: list[dict[str, Any]]


@dataclass(frozen=True)
class Done:
    """A finished task: its folder, its result there, and how many pictures its chunk has."""

    folder: str
    result: Path
    pictures: int


@dataclass(frozen=True)
class Task:
    """One chunk of one pass; `seen` is empty in the survey. It leaves `NUMBER.json`, after `NUMBER.tar` if it writes pictures."""

    chunk: Chunk
    folder: str
    survey: bool
    seen: dict[str, SurveyEntry] = field(default_factory=dict)

    @property
    def result(self) -> Path:
        """Exists when the chunk is done."""
        return Path(self.folder) / f"{self.chunk.number:05}.json"

    @property
    def pictures(self) -> Path:
        """The part of the output shard."""
        return self.result.with_suffix(".tar")

    def done(self) -> Done:
        """What is reported once the result exists."""
        return Done(self.folder, self.result, len(self.chunk.places))


@dataclass(frozen=True)
class Load:
    """A chunk on its way through the stages."""

    task: Task
    records: list[Record]
    seconds: dict[str, float] = field(default_factory=dict)


def begin(task: Task) -> Load:
    """Reads the chunk; in the second pass with what the survey found."""
    start = time.perf_counter()
    records = [_remember(read(place), task.seen.get(place[0])) for place in task.chunk.places]
    return Load(task, records, {"read": time.perf_counter() - start})


def _remember(record: Record, seen: SurveyEntry | None) -> Record:
    if seen is None:
        return record
    captions = tuple(Caption(**entry) for entry in seen.pseudo_captions)
    steps = tuple(Step(**entry) for entry in seen.provenance)
    return replace(record, dropped=record.dropped or seen.dropped, pseudo_captions=captions, provenance=steps)


def run_stage(name: str, stage: Stage, load: Load, batch: int) -> Load:
    """Runs one stage over the records that are not dropped, `batch` at a time."""
    start = time.perf_counter()
    records = list(load.records)
    live = [i for i, record in enumerate(records) if not record.dropped]
    for at in range(0, len(live), batch):
        these = live[at : at + batch]
        with memory_counts(name, len(these)):
            changed = stage([records[i] for i in these])
        for i, record in zip(these, changed, strict=True):
            records[i] = record
    return replace(load, records=records, seconds=load.seconds | {name: time.perf_counter() - start})


def finish(load: Load, settings: Settings) -> Done:
    """Writes the result."""
    task = load.task
    Path(task.folder).mkdir(parents=True, exist_ok=True)
    if task.survey:
        synonyms = read_synonyms(settings.synonyms)
        content: dict[str, Any] = {"seen": {record.key: asdict(_seen(record, synonyms)) for record in load.records}}
    else:
        with whole_file(task.pictures) as draft:
            draft.write_bytes(tar_of(r for r in load.records if not r.dropped))
        content = {"stats": stats_of(load.records, Counter(load.seconds)).to_json()}
    with whole_file(task.result) as draft:
        draft.write_text(json.dumps(content))
    return task.done()


def _seen(record: Record, synonyms: Any) -> SurveyEntry:
    tags = mentioned((phrase for phrases in record.phrases for phrase in phrases), synonyms)
    captions = [asdict(caption) for caption in record.pseudo_captions]
    steps = [asdict(step) for step in record.provenance if step.stage != "parse"]
    return SurveyEntry(record.dropped, record.fingerprint, list(tags), captions, steps)


def tar_of(records: Iterable[Record]) -> bytes:
    """A WebDataset tar, the same bytes for the same records."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for record in records:
            for extension, content in parts(record).items():
                info = tarfile.TarInfo(f"{record.key}.{extension}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def build_stages(names: Iterable[str], settings: Settings) -> dict[str, Stage]:
    """Stages by name, in order, with their models."""
    return {name: build(name, settings) for name in names}


def whole(task: Task, stages: Mapping[str, Stage], settings: Settings) -> Done:
    """The whole task, in this process."""
    load = begin(task)
    for name, stage in stages.items():
        load = run_stage(name, stage, load, settings.batch)
    return finish(load, settings)
