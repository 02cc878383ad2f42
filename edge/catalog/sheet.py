"""The contact sheet: one HTML file that shows the choice and takes a person's word on it by click.

It works as a file (words are kept by the browser and saved as overrules.csv) and behind
`linewarden catalog sheet`, which writes them into the result at once.
"""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

import cv2

from edge.catalog.choose import Choice
from edge.catalog.overrules import Overrule
from edge.catalog.result import SHEET
from edge.catalog.technique import fitted
from export import durable, picture
from export.errors import LinewardenError, PictureError

THUMBS, SIDE = "thumbs", 220
OTHERS = 12  # pictures shown of a set that were not chosen
_PAGE = Path(__file__).with_name("sheet.html")


def write(
    result: Path,
    pictures: Path,
    choices: Sequence[Choice],
    title: str,
    *,
    others: int = OTHERS,
    said: Mapping[str, Overrule] | None = None,
) -> Path:
    """Write sheet.html and its thumbnails; returns its path.

    Args:
        result: the result's folder.
        pictures: what was chosen from.
        choices: in the order of sets.
        title: said above it.
        others: how many of a set that were not chosen are shown, and how many of its refused ones.
        said: what people said so far; opened as a file, the sheet starts from it.

    Raises:
        LinewardenError: the folder can't be written.
    """
    sets: dict[str, list[Choice]] = {}
    for one in choices:
        sets.setdefault(one.set, []).append(one)
    try:
        (result / THUMBS).mkdir(parents=True, exist_ok=True)
        sections = [
            _section(result, pictures, of, found, others) for of, found in sorted(sets.items())
        ]
        page = Template(_PAGE.read_text(encoding="utf-8")).substitute(
            title=html.escape(title),
            sections="\n".join(sections),
            categories=_script(sorted({one.category for one in choices})),
            said=_script([[o.path, o.verdict, o.category] for o in (said or {}).values()]),
        )
        durable.replace(result / SHEET, page.encode("utf-8", "replace"))
    except OSError as error:
        raise LinewardenError(
            f"the contact sheet in {result} can't be written: {error.strerror}", "check the folder"
        ) from error
    return result / SHEET


def _script(told: object) -> str:
    """As JSON that no markup ends."""
    return json.dumps(told).replace("<", "\\u003c")


def _section(result: Path, pictures: Path, of: str, found: list[Choice], others: int) -> str:
    chosen = [one for one in found if one.place]
    rest = [one for one in found if not one.place and not one.refused]
    refused = [one for one in found if not one.place and one.refused]
    cards = "\n".join(_card(result, pictures, one) for one in chosen)
    none = "" if chosen else '<p class="none">No picture of it is fit: see why below.</p>'
    aside = _aside(result, pictures, "not chosen", rest, others)
    aside += _aside(result, pictures, "refused", refused, others)
    name = html.escape(of or "of no product")
    return f'<section><h2>{name}</h2>{none}<div class="cards">{cards}</div>{aside}</section>'


def _aside(result: Path, pictures: Path, what: str, found: list[Choice], most: int) -> str:
    """Pictures behind a fold, `most` of them; of the others it says how many there are."""
    if not found:
        return ""
    shown = "\n".join(_card(result, pictures, one) for one in found[:most])
    more = len(found) - most
    tail = f"<p>{more} more stand in images.csv.</p>" if more > 0 else ""
    return (
        f"<details><summary>{len(found)} {what}</summary>"
        f'<div class="cards small">{shown}</div>{tail}</details>'
    )


def _card(result: Path, pictures: Path, one: Choice) -> str:
    look = one.look
    path, reason = html.escape(look.path, quote=True), html.escape(one.reason)
    score = "" if "presentation" in one.reason else f" · presentation {look.presentation:.2f}"
    verdict = f'<span class="place">{one.place}</span>' if one.place else ""
    return (
        f'<figure data-path="{path}" class="{"chosen" if one.place else "left"}">{verdict}'
        f'<img loading="lazy" alt="{path}" src="{_thumb(result, pictures, one)}">'
        f"<figcaption><b>{html.escape(look.category)} {look.confidence:.0%}</b>{score}"
        f"<br><span>{reason}</span><br><small>{path}</small></figcaption>"
        "</figure>"
    )


def _thumb(result: Path, pictures: Path, one: Choice) -> str:
    """The thumbnail's address; it is made if it isn't there, and left out if it can't be."""
    name = f"{THUMBS}/{one.look.sha256[:24]}.jpg"
    target = result / name
    if not target.exists():
        try:
            small = fitted(picture.read(pictures / one.look.path, picture.WHITE), SIDE)
        except PictureError:
            return ""
        _done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
        target.write_bytes(data.tobytes())
    return name
