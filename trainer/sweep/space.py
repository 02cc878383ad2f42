"""What a sweep may change of a recipe: a range or a list for each number, from a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from optuna.trial import BaseTrial
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    ValidationError,
    model_validator,
)

from export.errors import RunError
from trainer.recipe import Recipe

STANDARD = Path(__file__).with_name("standard.toml")
Value = bool | int | float


class Range(BaseModel):
    """From `low` to `high`, both included; `log`: by factors; whole numbers give whole numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f"{self.low} to {self.high} is no range")
        return self

    def draw(self, name: str, trial: BaseTrial) -> Value:
        """A value that the trial suggests."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def holds(self, value: Value) -> bool:
        """Whether a trial could suggest it."""
        return self.low <= value <= self.high


class Choice(RootModel[list[Value]]):
    """One of a few values."""

    root: list[Value] = Field(min_length=1)

    def draw(self, name: str, trial: BaseTrial) -> Value:
        """A value that the trial suggests."""
        return trial.suggest_categorical(name, self.root)

    def holds(self, value: Value) -> bool:
        """Whether a trial could suggest it."""
        return value in self.root


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list | Choice) else "range"


_Kind = Annotated[Choice, Tag("list")] | Annotated[Range, Tag("range")]


class Space(RootModel[dict[str, Annotated[_Kind, Discriminator(_kind)]]]):
    """Every number that changes, by its name in the recipe."""

    root: dict[str, Annotated[_Kind, Discriminator(_kind)]] = Field(min_length=1)

    def draw(self, base: Recipe, trial: BaseTrial) -> Recipe:
        """The base with what the trial suggests."""
        drawn = {name: of.draw(name, trial) for name, of in self.root.items()}
        return Recipe.model_validate(base.model_dump() | drawn)

    def of(self, recipe: Recipe) -> dict[str, Any] | None:
        """The recipe as a trial's suggestions; None if it lies outside."""
        told = {name: getattr(recipe, name) for name in self.root}
        inside = all(of.holds(told[name]) for name, of in self.root.items())
        return told if inside else None


def read(path: Path, base: Recipe) -> Space:
    """A space from a TOML file.

    Raises:
        RunError: it can't be read, names what no recipe has, or leaves what a recipe allows.
    """
    try:
        space = Space.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RunError(f"{str(path)!r} can't be read: {error.strerror}", "name a file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{str(path)!r} is not TOML: {error}", "mend that line") from error
    except ValidationError as error:
        raise RunError(f"{str(path)!r}: {_first(error)}", _REMEDY) from error
    for name, of in space.root.items():
        values = of.root if isinstance(of, Choice) else [of.low, of.high]
        for value in values:
            try:
                Recipe.model_validate(base.model_dump() | {name: value})
            except ValidationError as error:
                raise RunError(f"{str(path)!r}: {_first(error)}", "mend that key") from error
    return space


_REMEDY = "give each number of the recipe a list, or { low = …, high = …, log = true }"


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(level) for level in first["loc"] if level not in {"list", "range"})
    return f"{place}: {first['msg']}"
