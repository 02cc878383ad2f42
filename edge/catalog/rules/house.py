"""House rules: what a shop asks of a picture, from a TOML file, and each refusal in words."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from edge.catalog.findings import Finding, Kind, Limits
from edge.catalog.look import Look
from edge.complaint import about
from export.errors import ConfigError
from export.verdict import Contract

FOLDER = Path(__file__).parent

Share = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _rising(aspect: tuple[float, float]) -> tuple[float, float]:
    if aspect[0] > aspect[1]:
        raise ValueError(
            f"from {aspect[0]:g} to {aspect[1]:g} holds nothing: the lower comes first"
        )
    return aspect


class ImageRules(Contract):
    """The file and its size; width over height lies within `aspect`."""

    min_width: Pixels = 1
    min_height: Pixels = 1
    max_bytes: int | None = Field(default=None, ge=1)
    max_megapixels: float | None = Field(default=None, gt=0)
    aspect: Annotated[tuple[Positive, Positive], AfterValidator(_rising)] | None = None


class BackgroundRules(Contract):
    """What the product stands before; each share is of the frame's rim."""

    kind: Literal["any", "uniform", "white"] = "any"
    min_uniform: Share = 0.8
    min_whiteness: Share = 0.85


class SubjectRules(Contract):
    """The product in its frame, where it is clear; shares are of the box around it."""

    whole: bool = False
    min_share: Share = 0.0
    max_share: Share = 1.0


class QualityRules(Contract):
    """Findings that refuse a picture, and from where on they are made."""

    refuse: tuple[Kind, ...] = ()
    limits: Limits = Limits()


class ChoiceRules(Contract):
    """What the model must say of it."""

    min_confidence: Share = 0.0
    min_presentation: Share = 0.0
    ours: bool = True


class HouseRules(Contract):
    """A shop's rules."""

    name: str
    image: ImageRules = ImageRules()
    background: BackgroundRules = BackgroundRules()
    subject: SubjectRules = SubjectRules()
    quality: QualityRules = QualityRules()
    choice: ChoiceRules = ChoiceRules()


def load(asked: str) -> HouseRules:
    """Ready rules by name, or a TOML file; raises ConfigError that names what is wrong with it."""
    path = FOLDER / f"{asked}.toml"
    path = path if path.exists() else Path(asked)
    try:
        return HouseRules.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        known = ", ".join(sorted(one.stem for one in FOLDER.glob("*.toml")))
        raise ConfigError(f"no house rules {asked!r}", f"use {known}, or a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}", "mend that line") from error
    except ValidationError as error:
        told = about(error, HouseRules, str(path), "", {})
        raise ConfigError(told.problem, "see `linewarden catalog rules marketplace`") from error


def refusals(look: Look, findings: list[Finding], rules: HouseRules) -> list[str]:
    """Why the rules refuse a picture, in words; empty if they don't."""
    return [
        *_model(look, rules.choice),
        *_image(look, rules.image),
        *(one.words for one in findings if one.kind in rules.quality.refuse),
        *_background(look, rules.background),
        *_subject(look, findings, rules.subject),
    ]


def _model(look: Look, rules: ChoiceRules) -> list[str]:
    told: list[str] = []
    if rules.ours and not look.ours:
        told.append(f"none of ours: unlike every picture learnt from (novelty {look.novelty:.2f})")
    if look.confidence < rules.min_confidence:
        told.append(
            f"the category is unsure: {look.category} {look.confidence:.0%}, "
            f"{look.second} {look.second_confidence:.0%}"
        )
    if look.presentation < rules.min_presentation:
        told.append(
            f"presentation {look.presentation:.2f}, {rules.min_presentation:.2f} is asked for"
        )
    return told


def _image(look: Look, rules: ImageRules) -> list[str]:
    told: list[str] = []
    size = f"{look.width}x{look.height} pixels"
    if look.width < rules.min_width or look.height < rules.min_height:
        told.append(f"too small: {size}, {rules.min_width}x{rules.min_height} are asked for")
    if rules.max_bytes is not None and look.bytes > rules.max_bytes:
        told.append(f"the file has {look.bytes} bytes, {rules.max_bytes} are allowed")
    if rules.max_megapixels is not None and look.width * look.height > 1e6 * rules.max_megapixels:
        told.append(f"too large: {size}, {rules.max_megapixels:g} megapixels are allowed")
    if rules.aspect is not None:
        low, high = rules.aspect
        aspect = look.width / look.height
        if not low <= aspect <= high:
            told.append(f"width over height is {aspect:.2f}, {low:g} to {high:g} is asked for")
    return told


def _background(look: Look, rules: BackgroundRules) -> list[str]:
    if rules.kind == "any":
        return []
    if look.uniform < rules.min_uniform:
        told = (
            f"{look.uniform:.0%} of the rim is of one colour, {rules.min_uniform:.0%} is asked for"
        )
        return [f"the background is not uniform: {told}"]
    if rules.kind == "white" and look.whiteness < rules.min_whiteness:
        told = f"whiteness {look.whiteness:.2f}, {rules.min_whiteness:.2f} is asked for"
        return [f"the background is not white: {told}"]
    return []


def _subject(look: Look, findings: list[Finding], rules: SubjectRules) -> list[str]:
    if not look.clear:
        return []
    told = [one.words for one in findings if one.kind == "cut_off" and rules.whole]
    if not rules.min_share <= look.share <= rules.max_share:
        told.append(
            f"the subject takes {look.share:.0%} of the frame, {rules.min_share:.0%} to "
            f"{rules.max_share:.0%} is asked for"
        )
    return told
