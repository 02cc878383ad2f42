"""Taking labels: what somebody says goes into the sample's history, with who and when.

Refuses what has no place there: a second reading by the first reader, a decision by somebody who
may not decide, a word on a sample that another person has just spoken about. Knows no HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edge import clock
from edge.console.accounts.book import Refused
from edge.console.accounts.roles import Role
from edge.console.review.queue import Reader
from edge.console.review.standing import Due, due, is_decided, steps
from export.errors import SampleError
from export.sample import Label, Sample, Step, Window
from export.sample_folder import SampleFolder

GOOD = "good"
NOTE_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Saying:
    """What somebody says of a sample.

    Attributes:
        label: its class; None: unsure, an engineer shall decide.
        box: where the defect is.
        seen: how many steps its history had when it was shown.
    """

    label: str | None
    box: Window | None = None
    note: str = ""
    seen: int = 0


def names(samples: Sequence[Sample]) -> list[str]:
    """The labels to choose from: the model's classes and those that people gave, good first."""
    found: set[str] = set()
    for sample in samples:
        found.update(sample.verdict.probabilities)
        found.update(one.label for one in sample.labels if one.label)
    found.discard(GOOD)
    return [GOOD, *sorted(found)]


def say(
    folder: SampleFolder, name: str, reader: Reader, saying: Saying, second_share: float
) -> Sample:
    """Write what `reader` says of the sample; returns it as it is then.

    Raises:
        Refused: it is not theirs to say, or somebody else spoke meanwhile.
        SampleError: the sample is gone, or can't take this label.
    """
    sample = folder.read(name)
    label = _step(sample, reader, saying, due(sample, second_share))
    return _write(folder, name, label, saying.seen)


def undo(folder: SampleFolder, sample: Sample, reader: Reader) -> Sample:
    """Take the reader's own last step on this sample back.

    Raises:
        Refused: the last step isn't theirs.
        SampleError: as `say`.
    """
    taken = steps(sample)
    if not taken or taken[-1].by != reader.name:
        raise Refused("there is nothing of yours to undo")
    before = taken[-2].label if len(taken) > 1 else None
    label = Label(label=before, by=reader.name, at=_now(), step=Step.UNDO)
    return _write(folder, sample.id, label, len(sample.labels))


def last_of(samples: Sequence[Sample], reader: Reader) -> Sample | None:
    """The sample that the reader spoke about last, if that still is its last step."""
    own = [
        (taken[-1].at, sample.id, sample)
        for sample in samples
        if (taken := steps(sample)) and taken[-1].by == reader.name
    ]
    return max(own, key=lambda one: one[:2])[2] if own else None


def _step(sample: Sample, reader: Reader, saying: Saying, what: Due) -> Label:
    said = {
        "by": reader.name, "at": _now(), "note": saying.note[:NOTE_CHARS], "box": saying.box,
    }  # fmt: skip
    if is_decided(sample) and reader.role < Role.ENGINEER:
        raise Refused("an engineer decides about this one")
    try:
        if saying.label is None:
            return Label.model_validate({**said, "label": None, "step": Step.UNSURE})
        if what is Due.SECOND and steps(sample)[-1].by != reader.name:
            agreed = saying.label == sample.label
            counts = saying.label if agreed else None
            return Label.model_validate(
                {**said, "label": counts, "said": saying.label, "step": Step.SECOND}
            )
        if what is Due.DECISION:
            if reader.role < Role.ENGINEER:
                raise Refused("an engineer decides about this one")
            return Label.model_validate({**said, "label": saying.label, "step": Step.DECISION})
        return Label.model_validate({**said, "label": saying.label, "step": Step.LABEL})
    except ValueError as error:
        raise Refused(
            "a label has letters, digits, spaces, _ and -, and is no word that a trainer reserves"
        ) from error


def _write(folder: SampleFolder, name: str, label: Label, seen: int) -> Sample:
    try:
        return folder.label(name, label, after=seen)
    except SampleError as error:
        if "meanwhile" in error.problem:
            raise Refused("somebody else labelled it meanwhile; here is the next one") from error
        raise


def _now() -> str:
    return clock.rfc3339(clock.wall_ns())
