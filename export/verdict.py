"""The verdict: the decision on one part, and everything needed to believe it.

One JSON document under a published, versioned JSON Schema (`linewarden schema verdict`), at most
8 KiB, keyed by (camera, epoch, seq). It knows nothing of brokers, databases or models.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MAX_BYTES = 8192
MAX_COUNT = 2**53 - 1  # what every JSON reader holds exactly
SCHEMA_VERSION = 1
MAX_VIEWS = 8


def _not_true(value: object) -> object:
    """Pydantic takes JSON's true for 1 where that is a literal; the published schema doesn't."""
    if isinstance(value, bool):
        raise ValueError("must be the number 1")  # noqa: TRY004 - pydantic wants a ValueError
    return value


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(name: str) -> str:
    """A part's name as one line of text: what can't stand in one becomes U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", name)


def _printable(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


def _without_nul(value: object) -> object:
    """No database holds U+0000; a verdict isn't refused over it, the name is written otherwise."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _on_the_calendar(text: str) -> str:
    datetime.fromisoformat(text)  # ValueError for what the pattern lets through: 30 February
    return text


One = Annotated[Literal[1], BeforeValidator(_not_true)]
Text = Annotated[str, BeforeValidator(_without_nul)]
PartName = Annotated[str, BeforeValidator(_printable)]
Instant = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z$"
    ),
    AfterValidator(_on_the_calendar),
]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Milliseconds = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class Outcome(StrEnum):
    """What happens to the part."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    REVIEW = "review"


class Reason(StrEnum):
    """Why: the first five are judgements on the part, the rest are fail-safe."""

    BELOW_PASS = "score_below_pass_threshold"  # noqa: S105 - a reason, not a password
    ABOVE_FAIL = "score_above_fail_threshold"
    IN_REVIEW_BAND = "score_in_review_band"
    NOVEL = "unlike_the_training_parts"
    LATE = "no_result_before_the_deadline"
    OVERLOAD = "inspection_queue_full"
    INSPECTION_ERROR = "inspection_error"
    NOT_FINITE = "model_output_not_finite"
    BAD_FRAME = "frame_not_usable"


FAIL_SAFE = frozenset(
    {
        Reason.LATE,
        Reason.OVERLOAD,
        Reason.INSPECTION_ERROR,
        Reason.NOT_FINITE,
        Reason.BAD_FRAME,
    }
)


class Contract(BaseModel):
    """Base of what crosses a border: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Thresholds(Contract):
    """Where a score (probability of defect, 0..1) passes, fails or goes to a person.

    score < pass_below → pass; score >= fail_above → fail; between → review.
    novelty >= novel_above (when set) → review.
    """

    pass_below: Probability
    fail_above: Probability
    novel_above: Finite | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a review band of negative width."""
        if self.pass_below > self.fail_above:
            raise ValueError(
                f"pass_below {self.pass_below} lies above fail_above {self.fail_above}"
            )


class BundleRef(Contract):
    """Which model judged: name, monotone version, the SHA-256 of its manifest, and its variant."""

    name: Text
    version: int
    digest: Text
    variant: Text = Field(default="fp32", max_length=16, description="fp32, int8 or fp16")


class Latency(Contract):
    """Milliseconds from capture to decision, by stage."""

    queue: Milliseconds
    preprocess: Milliseconds
    score: Milliseconds
    total: Milliseconds


class CameraHealth(Contract):
    """The camera when the part was seen."""

    frame_age_ms: Milliseconds
    overwritten: int = Field(ge=0, description="frames replaced by newer ones since the start")
    reconnects: int = Field(ge=0)
    conditions: tuple[Annotated[Text, Field(max_length=64)], ...] = Field(
        default=(), max_length=16, description="what was wrong with the camera, by alarm name"
    )


class View(Contract):
    """One of several frames of a part, judged by itself."""

    frame: int = Field(ge=0, description="the camera's frame counter")
    reason: Reason = Field(description="what it would have been alone; no result if not judged")
    score: Probability | None = None
    novelty: Finite | None = None


class Fused(Contract):
    """Several frames of one part, judged as one: the worst decides (the verdict's `frame`)."""

    asked: int = Field(ge=2, le=MAX_VIEWS, description="frames that the trigger asks for")
    views: tuple[View, ...] = Field(
        min_length=1, max_length=MAX_VIEWS, description="first the one that would decide alone"
    )


class Verdict(Contract):
    """The decision on one part. Times are RFC 3339 in UTC; order by `seq`, never by time.

    No text holds U+0000: one that comes is read as U+FFFD.
    """

    schema_version: One = SCHEMA_VERSION
    camera: Text = Field(min_length=1, max_length=64)
    epoch: int = Field(
        ge=0, le=MAX_COUNT, description="life of the box's record; changes only if that was lost"
    )
    seq: int = Field(
        ge=1, le=MAX_COUNT, description="1, 2, 3… without a gap within (camera, epoch)"
    )
    part: Text = Field(min_length=1, max_length=128)
    outcome: Outcome
    reason: Reason
    detail: Text = Field(default="", max_length=512, description="for a fault: what went wrong")
    score: Probability | None = Field(default=None, description="calibrated probability of defect")
    novelty: Finite | None = None
    thresholds: Thresholds | None = None
    probabilities: dict[Text, Probability] = Field(default_factory=dict)
    bundle: BundleRef | None = None
    fused: Fused | None = Field(
        default=None,
        exclude_if=lambda fused: fused is None,
        description="if several frames were judged as one; absent otherwise",
    )
    frame: int = Field(ge=0, description="the camera's frame counter")
    captured_at: Instant
    decided_at: Instant
    latency_ms: Latency
    health: CameraHealth
    simulated: bool = Field(default=False, description="from a virtual line, not from a camera")
    replay: bool = Field(default=False, description="sent again on request")

    def to_json(self) -> bytes:
        """The wire form: UTF-8 JSON of at most MAX_BYTES bytes; raises ValueError if longer."""
        body = self.model_dump_json().encode()
        if len(body) > MAX_BYTES:
            raise ValueError(
                f"verdict {self.camera}/{self.seq} takes {len(body)} bytes of {MAX_BYTES}"
            )
        return body

    @classmethod
    def from_json(cls, body: bytes | str) -> "Verdict":
        """Read the wire form; raises ValueError if it isn't one, or longer than one may be."""
        if len(body) > MAX_BYTES:
            raise ValueError(f"a verdict of {len(body)} bytes; at most {MAX_BYTES} are read")
        return cls.model_validate_json(body, strict=True)

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes a verdict unique: (camera, epoch, seq)."""
        return (self.camera, self.epoch, self.seq)
