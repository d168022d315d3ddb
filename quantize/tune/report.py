"""The report: one HTML file with the table, before and after, and pictures of what is right, wrong and missed."""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from quantize.files import whole_file
from quantize.labels.labelled import DataSet, Labelled
from quantize.tune.measure import Measured, Verdict

SIDE, FONT = 420, 13
MOST_PICTURES = 40
RIGHT, WRONG, MISSED = (30, 150, 60), (210, 40, 40), (240, 150, 20)
SHARES = ("AP50", "AP", "precision", "recall", "given boxes")
MEANING = {
    "AP50": "average precision at IoU .50, mean over names",
    "AP": "average precision, IoU .50 to .95",
    "precision": "of the boxes at the threshold, how many are right",
    "recall": "of the labelled things, how many are found at the threshold",
    "given boxes": "of the labelled boxes, how many get their name among the set's",
    "right": "boxes",
    "wrong": "boxes",
    "missed": "things",
}
STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #bbb;padding:.2rem .6rem;text-align:right}
td:first-child,th:first-child,td.text{text-align:left}figure{margin:1.5rem 0}figure div{display:flex;gap:8px;flex-wrap:wrap}
img{max-width:100%;border:1px solid #ccc}figcaption{color:#444}.r{color:#1e963c}.w{color:#d22828}.m{color:#b86c00}"""


@dataclass(frozen=True)
class Told:
    """All that is reported."""

    data: DataSet
    names: Sequence[str]
    counts: dict[str, int]
    """Pictures by what they were for."""
    held_out: Sequence[Labelled]
    before: Measured
    after: Measured
    kept: dict[str, float]
    """What the shipped model knew."""
    notes: Sequence[str]


def number(name: str, value: float) -> str:
    """A share in per cent, a count as it is."""
    return f"{100 * value:.1f} %" if name in SHARES else f"{value:.0f}"


def table(told: Told) -> list[tuple[str, str, str, str]]:
    """Name, before, after and meaning of each figure."""
    before, after = told.before.figures, told.after.figures
    return [(name, number(name, before[name]), number(name, after[name]), MEANING[name]) for name in MEANING]


def drawn(picture: Labelled, verdict: Verdict) -> Image.Image:
    """The picture with right boxes in green, wrong ones in red, missed things in orange."""
    image = Image.fromarray(picture.picture())
    scale = SIDE / max(image.size)
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(FONT)
    marks = [(box, f"{name}?", MISSED) for box, name in verdict.missed]
    marks += [(box, f"{name} {score:.2f}", WRONG) for box, name, score in verdict.wrong]
    marks += [(box, f"{name} {score:.2f}", RIGHT) for box, name, score in verdict.right]
    for box, text, colour in marks:
        x0, y0, x1, y1 = (float(v) * scale for v in box)
        draw.rectangle((x0, y0, x1, y1), outline=colour, width=2)
        wide = font.getlength(text) + 4
        left, top = max(0.0, min(x0, image.width - wide)), max(0.0, y0 - FONT - 3)
        draw.rectangle((left, top, left + wide, top + FONT + 3), fill=colour)
        draw.text((left + 2, top), text, "white", font)
    return image


def _embedded(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _figure(told: Told, i: int) -> str:
    picture, before, after = told.held_out[i], told.before.verdicts[i], told.after.verdicts[i]
    images = "".join(
        f'<img alt="{when}" title="{when}" src="{_embedded(drawn(picture, v))}">'
        for when, v in (("before", before), ("after", after))
    )
    said = "; ".join(f"{when}: {len(v.right)} right, {len(v.wrong)} wrong, {len(v.missed)} missed" for when, v in
                     (("before", before), ("after", after)))  # fmt: skip
    return f"<figure><div>{images}</div><figcaption>{html.escape(picture.key)} – {said}</figcaption></figure>"


def page(told: Told) -> str:
    """The whole file."""
    rows = "".join(f"<tr><td>{n}</td><td>{a}</td><td>{b}</td><td class=text>{m}</td></tr>" for n, a, b, m in table(told))
    each = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{number('AP50', told.before.each[name])}</td><td>{number('AP50', value)}</td></tr>"
        for name, value in sorted(told.after.each.items(), key=lambda pair: pair[1])
    )
    kept = "".join(f"<li>{html.escape(name)}: {100 * value:.1f} %</li>" for name, value in told.kept.items())
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in told.notes)
    worst = sorted(range(len(told.held_out)), key=lambda i: -told.after.verdicts[i].mistakes)[:MOST_PICTURES]
    pictures = "".join(_figure(told, i) for i in worst)
    parts = ", ".join(f"{count} {what}" for what, count in told.counts.items())
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(told.data.place.name)}: tuned</title><style>{STYLE}</style>
<h1>{html.escape(told.data.place.name)}, before and after</h1>
<p>{html.escape(str(told.data))}.</p><p>Pictures: {parts}. Everything below was measured on those held out.</p>
<table><tr><th></th><th>before</th><th>after</th><th class=text></th></tr>{rows}</table>
<h2>What the shipped model knew</h2><ul>{kept}</ul>
<h2>Notes</h2><ul>{notes}</ul>
<h2>AP50 of each name</h2><table><tr><th>name</th><th>before</th><th>after</th></tr>{each}</table>
<h2>Pictures held out, most mistakes first</h2>
<p>Left before, right after: <span class=r>right</span>, <span class=w>wrong</span>, <span class=m>missed?</span></p>
{pictures}</html>
"""


def write(told: Told, path: Path) -> None:
    """Writes the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as draft:
        draft.write_text(page(told))
