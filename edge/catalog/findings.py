"""Findings: measured numbers that are past a limit, in words."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from edge.catalog.look import Look
from export.verdict import Contract

Kind = Literal["tiny", "blurred", "dark", "burnt", "noisy", "compressed", "cut_off", "marked"]
KINDS: tuple[Kind, ...] = (
    "tiny", "blurred", "dark", "burnt", "noisy", "compressed", "cut_off", "marked",
)  # fmt: skip

WHITE = 0.8  # of a background, beyond which clipped pixels are its own
EVEN = 0.7  # of a rim: before any other background marks can't be told from its pattern

Amount = Annotated[float, Field(ge=0)]


class Limits(Contract):
    """From where on a number is a finding; docs/catalog.md has what each finds and misses."""

    side: Amount = Field(default=120, description="tiny: a shorter side below this, in pixels")
    sharpness: Amount = Field(default=0.42, description="blurred: below")
    bright: Amount = Field(default=110, description="dark: 98 % of the pixels are below this grey")
    burnt: Amount = Field(default=0.22, description="burnt: more of the picture is clipped")
    lost: Amount = Field(default=0.25, description="burnt: more of a clear subject is clipped")
    noise: Amount = Field(default=7.0, description="noisy: more grey values of noise")
    blocking: Amount = Field(default=1.5, description="compressed: steeper edges of 8x8 blocks")
    marks: Amount = Field(default=0.002, description="marked: more of the frame beside the subject")
    recurs: int = Field(
        default=5, ge=2, description="marked: as many pictures bear the same mark at the same place"
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a picture."""

    kind: Kind
    words: str


def findings(look: Look, limits: Limits) -> list[Finding]:
    """What is wrong with a picture, the worst kinds first."""
    white = look.clear and look.whiteness > WHITE  # then white is the background's
    burnt = look.burnt > limits.burnt and not white
    recurs = look.recurs >= limits.recurs
    beside = white and look.uniform > EVEN and look.marks > limits.marks
    told: list[tuple[bool, Kind, str]] = [
        (
            min(look.width, look.height) < limits.side, "tiny",
            f"tiny: {look.width}x{look.height} pixels",
        ),
        (
            look.sharpness < limits.sharpness, "blurred",
            f"blurred: sharpness {look.sharpness:.2f}, below {limits.sharpness:.2f}",
        ),
        (
            look.bright < limits.bright, "dark",
            f"dark: 98 % of it is below grey {look.bright:.0f} of 255",
        ),
        (
            burnt or look.lost > limits.lost, "burnt",
            f"overexposed: {look.burnt:.0%} of it is clipped"
            if burnt
            else f"overexposed: {look.lost:.0%} of the subject is clipped",
        ),
        (look.noise > limits.noise, "noisy", f"noisy: {look.noise:.1f} grey values"),
        (
            look.blocking > limits.blocking, "compressed",
            f"compressed: the edges of its JPEG blocks show ({look.blocking:.2f} times)",
        ),
        (
            look.clear and bool(look.touched), "cut_off",
            f"cut off at the {' and '.join(look.touched)}",
        ),
        (recurs or beside, "marked", _mark_words(look, recurs=recurs)),
    ]  # fmt: skip
    return [Finding(kind, words) for found, kind, words in told if found]


def _mark_words(look: Look, *, recurs: bool) -> str:
    if recurs:
        return f"a mark that lies at the same place in {look.recurs} pictures"
    return f"text or a mark beside the subject ({look.marks:.1%} of the frame)"
