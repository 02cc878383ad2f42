"""The diagnosis as one HTML file with thumbnails that needs nothing else, and as lines of text."""

import base64
import contextlib
import re
from pathlib import Path, PurePosixPath
from typing import cast

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from export import __version__, picture
from export.errors import PictureError
from export.preprocess import Pixels
from trainer.dataset import counted
from trainer.doctor import header
from trainer.doctor.diagnosis import Diagnosis
from trainer.doctor.finding import HARMS, Finding, Grade

FOLDER = Path(__file__).parent
SHOWN = 12  # cases of a finding with pictures
IN_CASE = 6  # pictures of a case
LISTED = 200  # cases of a finding at all
_OPTION = re.compile(r"(--[a-z]+(?:-[a-z]+)*)")
_JOINT = re.compile(r"(?<=[/_-])")
_WIDE = 18  # letters of a caption's line
_SIDE = 144
_QUALITY = 80
_WORDS = {
    Grade.SERIOUS: "Serious",
    Grade.LOOK: "Have a look",
    Grade.NOTE: "To know",
}


def page(diagnosis: Diagnosis) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined
    )
    shown = {
        path
        for finding in diagnosis.findings
        for case in finding.cases[:SHOWN]
        for path in case.paths[:IN_CASE]
    }
    thumbs = {path: thumb(diagnosis.root / path) for path in sorted(shown)}
    return environment.get_template("page.html.j2").render(
        diagnosis=diagnosis,
        counted=counted,
        pieces=pieces,
        steps=steps,
        name=diagnosis.root.resolve().name,
        answer=answer(diagnosis),
        largest=max(diagnosis.counts.values()),
        harms=HARMS,
        grades=_WORDS,
        thumbs=thumbs,
        shown=SHOWN,
        in_case=IN_CASE,
        listed=LISTED,
        made_with=f"Linewarden {__version__}",
    )


def pieces(text: str) -> list[str]:
    """Text cut around its command-line options, which stand at odd places."""
    return _OPTION.split(text)


def steps(path: str) -> tuple[list[str], str]:
    """A path cut where it may break, after / _ and -, and its end, which stays whole.

    The end is what follows the last of these, or just the suffix where that would be wide.
    """
    suffix = PurePosixPath(path).suffix
    *before, last = _JOINT.split(path.removesuffix(suffix))
    if len(last + suffix) <= _WIDE:
        return before, last + suffix
    return [*before, last], suffix


def thumb(path: Path) -> str:
    """A small picture as a data URI; empty where the file can't be read."""
    try:
        pixels = picture.read(path)
    except PictureError:
        pixels = _as_it_may_look(path)
    if pixels is None:
        return ""
    scale = min(1.0, _SIDE / max(pixels.shape[:2]))
    size = tuple(max(1, round(side * scale)) for side in (pixels.shape[1], pixels.shape[0]))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(np.asarray(data).tobytes()).decode()


def _as_it_may_look(path: Path) -> Pixels | None:
    """Pixels of a picture that training refuses for its depth or transparency."""
    data = path.read_bytes() if path.exists() else b""
    said = header.read(data)
    if said is None or said.kind == "JPEG":
        return None
    with contextlib.suppress(cv2.error):
        return cast("Pixels", cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    return None


def answer(diagnosis: Diagnosis) -> str:
    """The diagnosis in one sentence."""
    pictures = counted(sum(diagnosis.counts.values()), "picture")
    others = len(diagnosis.findings) - diagnosis.serious
    if diagnosis.serious:
        return (
            f"Don't train on these {pictures} yet: "
            f"{counted(diagnosis.serious, 'serious finding')}, "
            f"{counted(others, 'other')}."
        )
    if others:
        return f"Nothing serious in these {pictures}; {counted(others, 'thing')} to know."
    return f"Nothing wrong was found in these {pictures}."


def lines(diagnosis: Diagnosis, *, applying: bool = False) -> list[str]:
    """The diagnosis for a terminal; `applying`: what it would move is moved, and told, next."""
    told = [answer(diagnosis)]
    classes = ", ".join(f"{name} {count}" for name, count in diagnosis.counts.items())
    told.append(f"  {classes}; {counted(diagnosis.parts, 'part')} ({diagnosis.rule})")
    for finding in diagnosis.findings:
        told += ["", *_one(finding)]
    if (moves := diagnosis.moves) and not applying:
        what = f"--apply would move {counted(len(moves), 'file')} into quarantine"
        told += ["", f"{what}; nothing was touched."]
    return told


def _one(finding: Finding) -> list[str]:
    told = [
        f"{_WORDS[finding.grade].upper():<12}{finding.title}",
        f"{'':12}{finding.effect}",
        f"{'':12}→ {finding.remedy}",
    ]
    for case in finding.cases[:3]:
        names = " = ".join(case.paths[:3]) + (" …" if len(case.paths) > 3 else "")
        told.append(f"{'':14}{names}{': ' if names and case.remark else ''}{case.remark}")
    if len(finding.cases) > 3:
        told.append(f"{'':14}and {len(finding.cases) - 3} more")
    return told
