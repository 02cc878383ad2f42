"""The sample: a picture of the line with its verdict, why it was kept and what people said of it.

It crosses from the box to the workstation. This is the document, one JSON file for each sample;
`sample_folder` says where it lies, beside which picture. Knows no folder, camera or model.
"""

import hashlib
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field, StringConstraints

from export.verdict import (
    Contract,
    Finite,
    Milliseconds,
    Outcome,
    Probability,
    Reason,
    Verdict,
)

SCHEMA_VERSION = 1
# What a trainer takes for something else than a class.
RESERVED = frozenset({"train", "test", "mask", "masks", "ground_truth"})
MAX_LABELS = 1000

LabelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,63}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SampleId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_~%-][A-Za-z0-9_.~%-]{0,199}$")]


class Why(StrEnum):
    """What made the box keep a picture."""

    FAIL = "fail"
    REVIEW = "review"
    NOVEL = "novel"
    DISAGREEING = "disagreeing"
    OPERATOR = "operator"
    AUDIT = "audit"


class Window(Contract):
    """The part of the picture that was judged, as fractions 0..1 of its width and height."""

    x: Probability
    y: Probability
    width: Probability
    height: Probability


class Image(Contract):
    """The picture's file."""

    suffix: Literal["png", "jpg"] = Field(description="png is what the camera gave, without loss")
    sha256: Digest
    bytes: int = Field(ge=1)
    width: int = Field(ge=1)
    height: int = Field(ge=1)


class Computed(Contract):
    """What computed the scores; another one may round otherwise."""

    provider: str = Field(max_length=64)
    threads: int = Field(ge=1)
    runtime: str = Field(max_length=64, description="name and version")
    processor: str = Field(max_length=128)


class Heat(Contract):
    """Where the judge saw a defect: its heatmap over what it looked at, row by row, 0..255."""

    width: int = Field(ge=1, le=256)
    height: int = Field(ge=1, le=256)
    values: str = Field(max_length=131_072, pattern=r"^([0-9a-f]{2})*$", description="in hex")

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a map of another size than it says."""
        if len(self.values) != 2 * self.width * self.height:
            raise ValueError(f"{len(self.values) // 2} values for {self.width}x{self.height}")


class Audit(Contract):
    """A pass that was drawn at random, with `rate` as its chance of being drawn."""

    rate: Probability


class LateResult(Contract):
    """A result that came after the verdict had to be given: for the record, never published."""

    outcome: Outcome
    reason: Reason
    score: Probability | None = None
    novelty: Finite | None = None
    probabilities: dict[str, Probability] = Field(default_factory=dict)
    after_ms: Milliseconds = Field(description="from capture to this result")


class Step(StrEnum):
    """What somebody did with a sample."""

    LABEL = "label"
    UNSURE = "unsure"
    UNDO = "undo"
    SECOND = "second"
    DECISION = "decision"


class Label(Contract):
    """What somebody said about the part; the last one counts."""

    label: LabelName | None = Field(
        description="its class from now on; null: none, it was taken back or is in doubt"
    )
    by: str = Field(min_length=1, max_length=128)
    at: str = Field(max_length=40, description="RFC 3339 in UTC")
    note: str = Field(default="", max_length=1000)
    step: Step = Field(
        default=Step.LABEL,
        description="unsure: an engineer decides; undo: as before; second: another person, who had"
        " not seen the first one's; decision: an engineer's, where two disagreed or one was unsure",
    )
    said: LabelName | None = Field(
        default=None, description="of a second reader: what was said, agreeing or not"
    )
    box: Window | None = Field(default=None, description="where the defect is, on the picture")

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a class that a trainer would take for something else."""
        for name in (self.label, self.said):
            if name is not None and name.lower() in RESERVED:
                raise ValueError(f"{name!r} can't be a class: a trainer reads that folder's name")


class Sample(Contract):
    """One kept picture: verdict, reasons, and the history of its labels."""

    schema_version: Literal[1] = SCHEMA_VERSION
    id: SampleId
    kept_at: str = Field(max_length=40)
    why: tuple[Why, ...] = Field(min_length=1)
    verdict: Verdict
    image: Image
    region: Window | None = Field(default=None, description="null: the judge was not told of one")
    computed: Computed | None = None
    heat: Heat | None = None
    audit: Audit | None = Field(default=None, description="only of a pass that was drawn")
    late: LateResult | None = None
    labels: tuple[Label, ...] = Field(default=(), max_length=MAX_LABELS)

    @property
    def label(self) -> str | None:
        """What it counts as, or None while nobody has said."""
        return self.labels[-1].label if self.labels else None

    @property
    def mark(self) -> str:
        """Changes with the picture and with what is said of it; its heatmap never does."""
        told = self.model_dump_json(include={"image": {"sha256"}, "why": True, "labels": True,
                                             "late": True})  # fmt: skip
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def physical_part(self, station: str) -> str:
        """Which part it shows, in all boxes' data sets.

        A name that the line gave (a serial number) is the part's own, wherever it is seen; one
        that the box made up of camera, epoch and seq is that box's.
        """
        camera, epoch, seq = self.verdict.key
        own = self.verdict.part == f"{camera}-{epoch}-{seq}"
        return f"{station}/{self.verdict.part}" if own else self.verdict.part


def sample_id(camera: str, epoch: int, seq: int) -> str:
    """The verdict's key as a file name, at most 200 ASCII characters, never hidden."""
    quoted = quote(camera, safe="")
    if quoted.startswith("."):
        quoted = f"%2E{quoted[1:]}"
    if len(quoted) > 128:
        quoted = "~" + hashlib.sha256(camera.encode()).hexdigest()[:32]
    return f"{quoted}-{epoch}-{seq}"
