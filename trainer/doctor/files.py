"""Unreadable and odd files: what training would refuse, or read otherwise than it looks."""

from pathlib import PurePosixPath

from export import picture
from trainer.dataset import counted
from trainer.doctor.finding import Case, Finding, Grade, Harm
from trainer.doctor.look import Look
from trainer.doctor.subject import Subject
from trainer.run import GOOD

_SUFFIXES = {"JPEG": {".jpg", ".jpeg"}, "PNG": {".png"}, "BMP": {".bmp"}}
_MINORITY = 0.5


def files(subject: Subject) -> list[Finding]:
    """What is wrong with files and folders as such."""
    found = [
        _damaged(subject),
        _unsuited(subject),
        _foreign(subject),
        _strays(subject),
        _no_good(subject),
        _cmyk(subject),
        _turned(subject),
        _animated(subject),
        _misnamed(subject),
    ]
    return [finding for finding in found if finding is not None]


def _is_unsuited(one: Look) -> bool:
    """Whether a file that can't be used is whole: only of a kind that would need a guess."""
    return one.header is not None and (
        one.header.deep or one.header.alpha or one.header.kind not in _SUFFIXES
    )


def _damaged(subject: Subject) -> Finding | None:
    cases = [
        Case((one.picture.path,), one.problem) for one in subject.broken if not _is_unsuited(one)
    ]
    if not cases:
        return None
    return Finding(
        kind="unreadable",
        grade=Grade.SERIOUS,
        harm=Harm.REFUSED,
        title=f"{counted(len(cases), 'file')} can't be read as pictures",
        effect="Training stops at the first of them; with --skip-unreadable it goes on without.",
        remedy="Copy them again from their source. What can't be had again goes into quarantine "
        "with --apply.",
        cases=tuple(cases),
        moves=tuple(path for case in cases for path in case.paths),
    )


def _unsuited(subject: Subject) -> Finding | None:
    cases = [Case((one.picture.path,), one.problem) for one in subject.broken if _is_unsuited(one)]
    if not cases:
        return None
    return Finding(
        kind="unsuited",
        grade=Grade.SERIOUS,
        harm=Harm.REFUSED,
        title=f"{counted(len(cases), 'picture')} can't be used as saved: transparency, 16 bits or "
        "another type",
        effect="Training refuses them, because what the camera on the line would have shown had "
        "to be guessed.",
        remedy="Save them again with 8 bits per channel and without alpha, with the tone curve "
        "that the line's camera has.",
        cases=tuple(cases),
    )


def _foreign(subject: Subject) -> Finding | None:
    if not (paths := subject.walk.foreign):
        return None
    return Finding(
        kind="foreign",
        grade=Grade.SERIOUS,
        harm=Harm.REFUSED,
        title=f"{counted(len(paths), 'picture')} of a type that isn't read (TIFF, WebP, GIF, "
        "HEIC…)",
        effect="Training refuses; with --skip-unreadable it learns without them.",
        remedy="Convert them to PNG.",
        cases=tuple(Case((path,)) for path in paths),
    )


def _strays(subject: Subject) -> Finding | None:
    strays = [path for path in subject.walk.others if "/" in path]
    if not (strays or subject.walk.empty):
        return None
    cases = [Case((path,), "not a picture") for path in strays]
    cases += [Case((path,), "no picture in it") for path in subject.walk.empty]
    empty = bool(subject.walk.empty)
    return Finding(
        kind="strays",
        grade=Grade.SERIOUS if empty else Grade.NOTE,
        harm=Harm.REFUSED if empty else Harm.NONE,
        title=f"{counted(len(strays), 'other file')} in class folders, "
        f"{counted(len(subject.walk.empty), 'empty class folder')}",
        effect="An empty class stops training." if empty else "They are ignored.",
        remedy="Put pictures into the empty folders or remove them."
        if empty
        else "Nothing, unless one should have been a picture.",
        cases=tuple(cases),
    )


def _no_good(subject: Subject) -> Finding | None:
    if subject.has_good:
        return None
    return Finding(
        kind="no_good_class",
        grade=Grade.SERIOUS,
        harm=Harm.REFUSED,
        title="There is no class of good parts",
        effect="Without good parts nothing tells good from defective: training refuses, and "
        "escapes can't be counted.",
        remedy=f"Add a folder {GOOD}/ with pictures of good parts, or say which folder it is: "
        "--good NAME. If each folder is a type of defect, `train --task types` tells them apart; "
        "if each is a category of products, `train --task catalog` does: both need no good parts.",
    )


def _cmyk(subject: Subject) -> Finding | None:
    cases = [
        Case((one.picture.path,), one.header.mode)
        for one in subject.looks
        if one.header is not None and one.header.mode in {"CMYK", "YCCK"}
    ]
    if not cases:
        return None
    return Finding(
        kind="cmyk",
        grade=Grade.LOOK,
        harm=Harm.MISLED,
        title=f"{counted(len(cases), 'picture')} in printing colours (CMYK)",
        effect="No camera makes these: they come from an image editor, and their colours shift "
        "when they are turned into RGB.",
        remedy="Take the camera's own file, or save them as RGB from the program that made them.",
        cases=tuple(cases),
    )


def _turned(subject: Subject) -> Finding | None:
    paths = [
        one.picture.path for one in subject.looks if one.header is not None and one.header.turned
    ]
    if not paths:
        return None
    few = len(paths) < _MINORITY * len(subject.looks)
    return Finding(
        kind="turned",
        grade=Grade.LOOK if few else Grade.NOTE,
        harm=Harm.MISLED if few else Harm.NONE,
        title=f"{counted(len(paths), 'picture')} turned by an EXIF tag"
        + (", unlike the others" if few else ""),
        effect="They are learnt turned, as a viewer shows them; masks or tools that ignore the "
        "tag see them otherwise.",
        remedy="If the line's camera never turns its pictures, save them upright and without the "
        "tag.",
        cases=tuple(Case((path,)) for path in paths),
    )


def _animated(subject: Subject) -> Finding | None:
    cases = [
        Case((one.picture.path,), f"{one.header.frames} frames")
        for one in (*subject.looks, *subject.broken)
        if one.header is not None and one.header.frames > 1
    ]
    if not cases:
        return None
    return Finding(
        kind="animated",
        grade=Grade.LOOK,
        harm=Harm.MISLED,
        title=f"{counted(len(cases), 'file')} with several frames",
        effect="Only the first frame is learnt.",
        remedy="Save the frame that shows the part as a file of its own.",
        cases=tuple(cases),
    )


def _misnamed(subject: Subject) -> Finding | None:
    cases = [
        Case((one.picture.path,), f"is a {one.header.kind} file")
        for one in subject.looks
        if one.header is not None
        and PurePosixPath(one.picture.path).suffix.lower()
        not in _SUFFIXES.get(one.header.kind, picture.SUFFIXES)
    ]
    if not cases:
        return None
    return Finding(
        kind="misnamed",
        grade=Grade.NOTE,
        harm=Harm.NONE,
        title=f"{counted(len(cases), 'picture')} of another type than the name says",
        effect="None here, since types are told by content; other programs may refuse them.",
        remedy="Rename them when convenient.",
        cases=tuple(cases),
    )
