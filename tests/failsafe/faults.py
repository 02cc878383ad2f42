"""What can go wrong between a frame and its verdict: faulty models, frames, judges and cameras.

Each fault says what it does to one part. Used by `suite`; knows no clock and no figures.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.clock import monotonic_ns, wall_ns
from edge.frame import Frame, Unusable
from edge.inspection.inspector import Inspector, Judgement, Scores
from export.preprocess import Input
from export.verdict import BundleRef, Outcome, Reason, Thresholds

CLASSES = ("good", "bad")
LIMITS = Thresholds(pass_below=0.5, fail_above=0.9, novel_above=5.0)
BUNDLE = BundleRef(name="fault", version=1, digest="0" * 64)
NOT_NUMBERS = (np.nan, np.inf, -np.inf)
ERRORS = (RuntimeError, ValueError, MemoryError, OSError, KeyError, ZeroDivisionError, TypeError)


def scores(score=0.1, probabilities=(0.9, 0.1), heatmap=(1, 4, 4), novelty=1.0) -> Scores:
    """A model's answer for one picture, by default a clear pass."""
    return Scores(
        np.array([probabilities], np.float32),
        np.array([score], np.float32),
        np.full(heatmap, 0.1, np.float32),
        np.array([novelty], np.float32),
    )


@dataclass
class Model:
    """A scorer that answers with what it is told to."""

    answer: Callable[[], Scores]

    def score(self, batch):
        return self.answer()


def judge(answer: Callable[[], Scores]) -> Inspector:
    """A real inspector around a faulty model."""
    return Inspector(Model(answer), Input(16, 16), LIMITS, CLASSES, BUNDLE)


@dataclass
class Rude:
    """A judge that breaks its contract."""

    act: Callable[[], Judgement]

    def prepare(self, pixels, moved, ready):
        """Nothing."""

    def judge(self, pixels, moved=None, ready=None):
        return self.act()


def raising(error: BaseException) -> Callable[[], Scores]:
    """Raises when called."""

    def act():
        raise error

    return act


def stalling(seconds: float, *, spin: bool) -> Callable[[], Scores]:
    """Answers with a pass, but late: asleep, or burning the interpreter's time."""

    def act():
        until = time.monotonic() + seconds
        while spin and time.monotonic() < until:
            sum(range(200))
        time.sleep(max(0.0, until - time.monotonic()))
        return scores()

    return act


def frame(pixels=None, age_ms=0.0, number=0):
    """A grey frame, captured `age_ms` ago."""
    picture = np.full((32, 32, 3), 90, np.uint8) if pixels is None else pixels
    return Frame(picture, "eye", number, monotonic_ns() - round(age_ms * 1e6), wall_ns())


@dataclass(frozen=True)
class Fault:
    """What one part meets.

    `judge` is its own, but for "full" and "wait", where the model that hangs is that of all.
    `how` says how it comes to the bench: "offer", "order" (a camera that gives no frame), "full"
    (no room is left), "wait" (the model hangs on the part before it).
    """

    kind: str
    judge: object
    seen: Frame | Unusable
    how: str = "offer"


def passing() -> Judgement:
    """A judgement that passes the part."""
    return Judgement(Outcome.PASS, Reason.BELOW_PASS, "", LIMITS, BUNDLE, score=0.1)


def draw(chance: random.Random) -> Fault:
    """One fault of a kind chosen by chance."""
    return chance.choice(KINDS)(chance)


def _raises(chance):
    return Fault("inference raises", judge(raising(chance.choice(ERRORS)("planted"))), frame())


def _not_finite(chance):
    bad = chance.choice(NOT_NUMBERS)
    given = chance.choice(
        [
            {"score": bad},
            {"probabilities": (bad, 0.1)},
            {"novelty": bad},
            {"score": bad, "novelty": bad},
        ]
    )
    return Fault("not finite", judge(lambda: scores(**given)), frame())


def _shapes(chance):
    given = chance.choice(
        [{"probabilities": (0.2, 0.3, 0.5)}, {"probabilities": ()}, {"heatmap": (4, 4)},
         {"heatmap": (2, 4, 4)}, {"score": (0.1, 0.1)}, {"score": ()}]
    )  # fmt: skip
    return Fault("wrong shapes", judge(lambda: scores(**given)), frame())


def _range(chance):
    given = chance.choice([{"score": 1.5}, {"score": -3.0}, {"probabilities": (2.0, -1.0)}])
    return Fault("out of range", judge(lambda: scores(**given)), frame())


def _frame(chance):
    pixels = chance.choice(
        [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((0, 8, 3), np.uint8),
         np.zeros((8, 8, 3), np.float32), b"no array"]
    )  # fmt: skip
    return Fault("wrong frame", judge(scores), frame(pixels))


def _unusable(_chance):
    seen = Unusable("cut off", "eye", 0, monotonic_ns(), wall_ns())
    return Fault("unusable picture", judge(scores), seen)


def _nonsense(_chance):
    return Fault("model answers nonsense", judge(lambda: None), frame())


def _rude(chance):
    error = chance.choice(ERRORS)("planted")
    return Fault("judge raises", Rude(raising(error)), frame())


def _absurd(chance):
    names = [{"good": 3.0}, {f"class {n} " + "x" * 60: 0.1 for n in range(200)}]
    told = chance.choice(names)

    def act():
        return Judgement(
            Outcome.PASS, Reason.BELOW_PASS, "", LIMITS, BUNDLE, score=0.1, probabilities=told
        )

    return Fault("verdict can't be said", Rude(act), frame())


def _dead(_chance):
    return Fault("dead camera", judge(scores), frame(), "order")


def _full(_chance):
    return Fault("queue full", judge(scores), frame(), "full")


def _overload(_chance):
    return Fault("overload", judge(scores), frame(age_ms=1e4))


def _behind(_chance):
    return Fault("behind a hung model", judge(scores), frame(), "wait")


KINDS = (
    _raises, _not_finite, _shapes, _range, _frame, _unusable, _nonsense,
    _rude, _absurd, _dead, _full, _overload, _behind,
)  # fmt: skip
