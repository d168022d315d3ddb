"""The two passes over the inputs: a survey that counts tags and finds duplicates, then the annotation; both can be restarted."""

import hashlib
import json
import shutil
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from quantize.annotate import duplicates, local, vocabulary
from quantize.annotate.errors import AnnotateError
from quantize.annotate.settings import ANNOTATE, SURVEY, Settings
from quantize.annotate.sources import InputShard, find
from quantize.annotate.stats import Stats
from quantize.annotate.work import Done, SurveyEntry, Task
from quantize.files import whole_file
from quantize.progress import track

WORK = ".work"
EXCLUDED_STAGES = ("check", "fingerprint")
Survey = dict[str, dict[str, SurveyEntry]]
"""Shard → key → what was found out."""


@dataclass(frozen=True)
class Outcome:
    """Finished shards in order, with the statistics of each; `skipped` were finished by an earlier run."""

    shards: dict[str, Stats]
    skipped: list[str]
    seconds: float
    """Of the passes of this run."""

    def total(self) -> Stats:
        """The sum over all shards."""
        total = Stats()
        for stats in self.shards.values():
            total.add(stats)
        return total


def annotate(inputs: Sequence[Path], out: Path, settings: Settings) -> Outcome:
    """Writes one shard `NAME.tar` and its statistics `NAME.json` for each input shard, and `vocabulary.json`.

    Raises:
        AnnotateError: inputs, settings or weights cannot be used, or the work cannot continue; what is done is kept.
    """
    shards = find(inputs, settings.shard_size)
    excluded = find([Path(path) for path in settings.exclude], settings.shard_size)
    (out / WORK).mkdir(parents=True, exist_ok=True)
    _spare_inputs(shards, out)
    start = time.monotonic()
    seen = _survey(shards, settings.order(SURVEY), out, settings, "survey")
    if "fingerprint" in settings.order(SURVEY):
        _leave_out_duplicates(seen, _survey(excluded, EXCLUDED_STAGES, out, settings, "excluded"), settings)
    settings, words = _with_vocabulary(seen, out, settings)
    todo: dict[str, tuple[InputShard, str]] = {}
    finished: dict[str, Stats] = {}
    for shard in shards:
        identity = _identity(shard, seen[shard.name], words, settings)
        earlier = _finished(out, shard.name, identity)
        if earlier is None:
            todo[str(out / WORK / f"parts-{identity[:16]}")] = shard, identity
        else:
            finished[shard.name] = earlier
    skipped = list(finished)
    for folder in _annotate(todo, seen, settings):
        shard, identity = todo[folder]
        finished[shard.name] = _commit(Path(folder), out, shard.name, identity)
    _clean(out, {_survey_folder(out, shard, settings) for shard in [*shards, *excluded]})
    return Outcome({shard.name: finished[shard.name] for shard in shards}, skipped, time.monotonic() - start)


def _spare_inputs(shards: Sequence[InputShard], out: Path) -> None:
    written = {(out / f"{shard.name}.tar").resolve() for shard in shards}
    for path in {Path(part.path) for shard in shards for _, parts in shard.places for part in parts}:
        if path.resolve() in written:
            raise AnnotateError(
                f"--out {out}: found the input {path.name} there, expected another folder: it would be overwritten"
            )


def _runner(settings: Settings) -> Callable[[Sequence[Task], Sequence[str], Settings], Iterator[Done]]:
    if settings.runner == "ray":
        from quantize.annotate import cluster

        return cluster.run
    return local.run


def _run(tasks: Sequence[Task], names: Sequence[str], settings: Settings, description: str) -> Iterator[Done]:
    """Runs the tasks and yields each when it is finished; the bar counts pictures."""
    if not tasks:
        return
    total = sum(len(task.chunk.places) for task in tasks)
    finished: list[Done] = []

    def pictures() -> Iterator[None]:
        for done in _runner(settings)(tasks, names, settings):
            finished.append(done)
            yield from (None for _ in range(done.pictures))

    for _ in track(pictures(), description, total):
        while finished:
            yield finished.pop()


def _unfinished(tasks: Iterable[Task]) -> list[Task]:
    return [task for task in tasks if not task.result.exists()]


def _survey_folder(out: Path, shard: InputShard, settings: Settings) -> Path:
    identity = hashlib.sha256(f"{settings.survey_identity()} {shard.name} {shard.identity}".encode()).hexdigest()
    return out / WORK / f"survey-{identity[:16]}"


def _survey(shards: Sequence[InputShard], names: Sequence[str], out: Path, settings: Settings, description: str) -> Survey:
    tasks = {
        shard.name: [Task(chunk, str(_survey_folder(out, shard, settings)), True) for chunk in shard.chunks(settings.chunk)]
        for shard in shards
    }
    for _ in _run(_unfinished(task for each in tasks.values() for task in each), names, settings, description):
        pass
    seen: Survey = {}
    for name, each in tasks.items():
        found = [json.loads(task.result.read_bytes())["seen"] for task in each]
        seen[name] = {key: SurveyEntry(**entry) for entries in found for key, entry in entries.items()}
    return seen


def _leave_out_duplicates(seen: Survey, others: Survey, settings: Settings) -> None:
    """Marks near duplicates in `seen` as dropped; the first one stays."""
    places = [(name, key) for name, entries in seen.items() for key, entry in entries.items() if not entry.dropped]
    known = [(f"{name}\n{key}", seen[name][key].fingerprint) for name, key in places]
    excluded = [entry.fingerprint for entries in others.values() for entry in entries.values()]
    reasons = duplicates.duplicates(
        ((place, fingerprint) for place, fingerprint in known if fingerprint is not None),
        (fingerprint for fingerprint in excluded if fingerprint is not None),
        settings.duplicate_distance,
    )
    for place, reason in reasons.items():
        name, _, key = place.partition("\n")
        seen[name][key] = replace(seen[name][key], dropped=reason)


def _with_vocabulary(seen: Survey, out: Path, settings: Settings) -> tuple[Settings, vocabulary.Vocabulary | None]:
    """Counts the vocabulary, or reads the one that is given."""
    if "tag" not in settings.order(ANNOTATE):
        return settings, None
    if settings.vocabulary:
        return settings, vocabulary.read_vocabulary(Path(settings.vocabulary))
    mentions = (
        [(kind, name) for kind, name in entry.tags]
        for entries in seen.values()
        for entry in entries.values()
        if not entry.dropped
    )
    words = vocabulary.count(mentions, settings.least_pictures, settings.max_tags)
    words.write(out / "vocabulary.json")
    return replace(settings, vocabulary=str(out / "vocabulary.json")), words


def _identity(shard: InputShard, seen: dict[str, SurveyEntry], words: vocabulary.Vocabulary | None, settings: Settings) -> str:
    """Changes with everything that a shard's content depends on."""
    names = [sorted(kind) for kind in words.counts.values()] if words else []
    kept = replace(settings, vocabulary="").identity()
    captions = [(key, entry.dropped, entry.pseudo_captions) for key, entry in seen.items()]
    return hashlib.sha256(json.dumps([kept, shard.name, shard.identity, names, captions]).encode()).hexdigest()


def _finished(out: Path, name: str, identity: str) -> Stats | None:
    """The statistics of a shard that an earlier run finished with the same identity."""
    try:
        values = json.loads((out / f"{name}.json").read_bytes())
        same = values["identity"] == identity and (out / f"{name}.tar").is_file()
        return Stats.from_json(values["stats"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _annotate(todo: dict[str, tuple[InputShard, str]], seen: Survey, settings: Settings) -> Iterator[str]:
    """Runs the second pass; yields the folder of each shard whose parts are complete."""
    tasks = []
    for folder, (shard, _) in todo.items():
        for chunk in shard.chunks(settings.chunk):
            tasks.append(Task(chunk, folder, False, {key: seen[shard.name][key] for key, _ in chunk.places}))
    left = _unfinished(tasks)
    waiting: dict[str, set[Path]] = {folder: set() for folder in todo}
    for task in left:
        waiting[task.folder].add(task.result)
    yield from [folder for folder in todo if not waiting[folder]]
    for done in _run(left, settings.order(ANNOTATE), settings, "annotate"):
        waiting[done.folder].remove(done.result)
        if not waiting[done.folder]:
            yield done.folder


def _commit(folder: Path, out: Path, name: str, identity: str) -> Stats:
    """Parts → the shard; each file gets its name only when it is complete."""
    stats = Stats()
    shard = out / f"{name}.tar"
    with whole_file(shard) as draft, tarfile.open(draft, "w") as tar:
        for result in sorted(folder.glob("*.json")):
            stats.add(Stats.from_json(json.loads(result.read_bytes())["stats"]))
            with tarfile.open(result.with_suffix(".tar")) as part:
                for member in part:
                    tar.addfile(member, part.extractfile(member))
    with whole_file(out / f"{name}.json") as draft:
        draft.write_text(json.dumps({"identity": identity, "stats": stats.to_json()}) + "\n")
    return stats


def _clean(out: Path, needed: set[Path]) -> None:
    """Removes what is left of finished and of abandoned work, but not the surveys that make a restart cheap."""
    for folder in (out / WORK).iterdir():
        if folder not in needed:
            shutil.rmtree(folder)
