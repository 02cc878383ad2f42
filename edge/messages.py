"""What crosses MQTT besides the verdict, each kind under a JSON Schema of its own.

Strict: an unknown field, a wrong type or too long a payload is an error, and an error changes
nothing. Knows no broker and no database.
"""

from enum import StrEnum
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from export.doorway import Bout
from export.verdict import MAX_COUNT, Contract, Milliseconds, PartName, Verdict

MAX_BYTES = 65_536


class State(Contract, strict=True):
    """Birth and last will. (boots, session) tells a will that comes late from the present."""

    state: Literal["online", "offline"]
    clean: bool = Field(default=False, description="offline on purpose, with everything stored")
    boots: int = Field(ge=0, description="starts of the box on this record")
    session: int = Field(ge=0, description="connections since the start")
    epoch: int = Field(ge=0)
    version: str = Field(max_length=64)
    at: str = Field(max_length=40, description="when the connection began, RFC 3339 in UTC")


class CameraReport(Contract, strict=True):
    """One camera and what is kept of its verdicts: seq `oldest` to `newest`."""

    oldest: int = Field(ge=1, description="newest + 1 if none is kept")
    newest: int = Field(ge=0)
    frame_age_ms: Milliseconds = 0.0
    frames: int = Field(default=0, ge=0)
    triggers: int = Field(default=0, ge=0)
    verdicts: int = Field(default=0, ge=0)
    overwritten: int = Field(default=0, ge=0)
    reconnects: int = Field(default=0, ge=0)
    faults: tuple[str, ...] = ()
    shadow: Bout | None = Field(
        default=None, description="the challenger in the shadow, or how the last one ended"
    )


class OutboxReport(Contract, strict=True):
    """How far the record is ahead of the broker."""

    depth: int = Field(ge=0, description="stored, not yet acknowledged")
    waiting_in_memory: int = Field(ge=0, description="not yet stored")
    quarantined: int = Field(ge=0, description="refused by the broker, kept on the box")
    bytes: int = Field(ge=0)
    fault: str = ""


class Health(Contract, strict=True):
    """The box, once a second."""

    at: str
    boots: int = Field(ge=0)
    epoch: int = Field(ge=0)
    cameras: dict[str, CameraReport] = Field(default_factory=dict)
    outbox: OutboxReport
    rejected: int = Field(
        default=0, ge=0, description="commands since the start that were not understood or allowed"
    )
    faults: tuple[str, ...] = ()


class Severity(StrEnum):
    """How soon a person must act."""

    WARNING = "warning"
    CRITICAL = "critical"


class Alarm(Contract, strict=True):
    """One thing that is wrong, or was. (source, name) is its identity."""

    source: str = Field(
        min_length=1, max_length=64, description="a camera's name, or box, outbox, broker"
    )
    name: str = Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")
    severity: Severity = Field(
        description="warning: act soon; critical: verdicts are, or will be, fail-safe or lost"
    )
    state: Literal["raised", "cleared"]
    since: str = Field(max_length=40, description="when it was raised, RFC 3339 in UTC")
    until: str = Field(default="", max_length=40, description="when it was cleared")
    detail: str = Field(default="", max_length=256, description="a sentence for who must act")


class AlarmList(Contract, strict=True):
    """Every alarm that stands, and the last that were cleared; published on each change."""

    epoch: int = Field(ge=0)
    boots: int = Field(ge=0, description="starts of the box on this record")
    number: int = Field(ge=0, description="changes since the start; a step of more was missed")
    alarms: tuple[Alarm, ...] = ()
    unlisted: int = Field(default=0, ge=0, description="alarms for which the list had no room")


class Replay(Contract, strict=True):
    """A request: send the verdicts of `camera` from seq `first` to `last` again."""

    camera: str = Field(min_length=1, max_length=64)
    epoch: int = Field(ge=0, le=MAX_COUNT)
    first: int = Field(ge=1, le=MAX_COUNT)
    last: int = Field(ge=1, le=MAX_COUNT)

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a range that ends before it begins."""
        if self.last < self.first:
            raise ValueError(f"last {self.last} lies before first {self.first}")


class Trigger(Contract, strict=True):
    """A part stands before `camera`, whose trigger is `command`: judge the next frame."""

    camera: str = Field(min_length=1, max_length=64)
    part: PartName = Field(
        default="",
        max_length=128,
        description="its verdict will carry this name; a control character in it becomes U+FFFD",
    )
    id: str = Field(
        default="",
        max_length=64,
        description="of this message: one that comes twice for a camera counts once",
    )


class Flag(Contract, strict=True):
    """Somebody pressed: keep this part's picture. Without seq and part: the newest of `camera`."""

    camera: str = Field(min_length=1, max_length=64)
    epoch: int | None = Field(default=None, ge=0, le=MAX_COUNT)
    seq: int | None = Field(default=None, ge=1, le=MAX_COUNT)
    part: PartName = Field(default="", max_length=128)


class CatalogOrder(Contract, strict=True):
    """Choose among a folder of product pictures."""

    id: str = Field(default="", max_length=64, description="of this order; the answer carries it")
    folder: str = Field(default="", max_length=512, description="below the service's folder")
    per_category: int = Field(default=3, ge=1, le=100)


class CatalogChoice(Contract, strict=True):
    """One chosen picture of a category, place 1 the best."""

    set: str
    place: int = Field(ge=1)
    path: str
    reason: str


class CatalogAnswer(Contract, strict=True):
    """What came of an order; all of it stands in the result's files on the box."""

    id: str = Field(max_length=64)
    problem: str = Field(default="", max_length=512, description="why nothing was chosen, or empty")
    chosen: tuple[CatalogChoice, ...] = ()
    more: int = Field(default=0, ge=0, description="chosen pictures that found no room here")
    pictures: int = Field(default=0, ge=0)
    unusable: int = Field(default=0, ge=0)
    result: str = Field(default="", description="folder of the result on the box")


class Ask(Contract, strict=True):
    """A question to the assistant; its answer comes on `answers` with the same id."""

    id: str = Field(min_length=1, max_length=64, description="one that comes twice counts once")
    question: str = Field(min_length=1, max_length=500)
    language: Literal["", "en", "de"] = Field(default="", description="empty: the question's own")


class Reply(Contract, strict=True):
    """The assistant's answer. `no entry` is a refusal: nothing proven was found."""

    id: str = Field(max_length=64)
    question: str = Field(max_length=500)
    text: str = Field(max_length=8192, description="cites in brackets what it stands on")
    language: Literal["en", "de"]
    source: Literal["records", "documents", "no entry"]
    quoted: bool = Field(default=False, description="a section's own words: no text model spoke")
    figures: dict[str, float] = Field(default_factory=dict, description="formed by code")
    citations: tuple[str, ...] = Field(default=(), max_length=64)


Message = TypeVar(
    "Message",
    State,
    Health,
    Replay,
    AlarmList,
    Trigger,
    Flag,
    CatalogOrder,
    CatalogAnswer,
    Ask,
    Reply,
)


def read(kind: type[Message], payload: bytes) -> Message:
    """Read one message; raises ValueError, in one line, for anything that isn't exactly one."""
    if len(payload) > MAX_BYTES:
        raise ValueError(f"{kind.__name__} of {len(payload)} bytes; at most {MAX_BYTES} are read")
    try:
        return kind.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "payload"
        raise ValueError(f"{kind.__name__}: {where}: {first['msg']}") from None


class _Named(BaseModel):
    id: str = Field(min_length=1, max_length=64)


def id_of(payload: bytes) -> str:
    """The id of what is otherwise no message, so that its sender can be told; "" without one."""
    try:
        return _Named.model_validate_json(payload[: MAX_BYTES + 1], strict=True).id
    except ValidationError:
        return ""


def schema(payload: str) -> dict[str, Any]:
    """The JSON Schema of a payload named in the topics table, e.g. Verdict or State."""
    kinds: dict[str, type[Contract]] = {
        kind.__name__: kind
        for kind in (
            Verdict, State, Health, AlarmList, Replay, Trigger, Flag, CatalogOrder, CatalogAnswer,
            Ask, Reply,
        )
    }  # fmt: skip
    return kinds[payload].model_json_schema(mode="serialization")
