"""How to train: every number that matters, typed, named, and kept in the run's record."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from export.errors import RunError

FOLDER = Path(__file__).with_name("recipes")

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Recipe(BaseModel):
    """One way to train.

    Attributes:
        epochs: of fine-tuning; 0 keeps the logistic head.
        batch: pictures per step.
        rate: largest learning rate of the head.
        trunk_rate: factor on it for the last stage of the trunk.
        decay: factor on that for each stage before.
        thawed: how many stages of the trunk learn, from the last (1..5).
        views: in how many fixed views the stages that don't learn see each picture.
        head_start: factor on the fitted head with which learning starts (0: a zero head).
        weight_decay: AdamW's.
        anchor: pull of the thawed stages towards the weights they came with, per unit of rate.
        patience: epochs without a better one after which learning stops; 0: never.
        mix: shares between the head alone (0) and the fine-tuned network (1) to choose from.
        warmup: fraction of the steps on which the learning rate rises.
        ema: decay of the running average of weights that is judged and kept.
        smoothing: label smoothing.
        shift: random shift, as a fraction of the side.
        light: random brightness and contrast, as a fraction.
        flips: random mirror images.
        quarter_turns: random turns by 90 degrees (square input only).
        norm: BatchNorm learns its averages (from scratch), or keeps those it came with.
        refit: a head that is kept learns from the validation pictures, too, once they have chosen.
        head_grid: strengths (scikit-learn's C) among which validation chooses for the head.
        bf16: bfloat16 where the processor multiplies in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(ge=0, le=10000)
    batch: int = Field(ge=2, le=4096)
    rate: Positive
    trunk_rate: Positive
    decay: Positive
    thawed: int = Field(ge=1, le=5)
    views: int = Field(ge=1, le=64)
    head_start: Share
    weight_decay: Fraction
    anchor: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    patience: int = Field(ge=0)
    mix: tuple[Share, ...] = Field(min_length=1)
    warmup: Fraction
    ema: Fraction
    smoothing: Fraction
    shift: Fraction
    light: Fraction
    flips: bool
    quarter_turns: bool
    norm: bool
    refit: bool
    head_grid: tuple[Positive, ...] = Field(min_length=1)
    bf16: bool


def named(name: str) -> Recipe:
    """A recipe by its name (`tune`, `scratch`) or from a TOML file.

    Raises:
        RunError: there is none, or it has an unknown key or a value out of range.
    """
    path = FOLDER / f"{name}.toml"
    if not path.exists():
        path = Path(name)
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise RunError(f"no recipe {name!r}", f"use one of {known}, or a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{str(path)!r} is not TOML: {error}", "mend that line") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(level) for level in first["loc"])
        raise RunError(f"{str(path)!r}: {key}: {first['msg']}", "mend that key") from error


def bf16_in_hardware() -> bool:
    """Whether the GPU, or else the processor, multiplies bfloat16 itself.

    A processor that imitates it is many times slower than in float32.
    """
    import torch  # noqa: PLC0415 - recipes are read without torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return known is not None and bool(known())


def on_this_machine(recipe: Recipe) -> Recipe:
    """The recipe without bfloat16 where it would only be imitated."""
    fast = recipe.bf16 and bf16_in_hardware()
    return recipe.model_copy(update={"bf16": fast})
