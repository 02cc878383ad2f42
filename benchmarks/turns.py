"""Whose turn it is on the bench: fail-safe verdicts under load, by rule, in simulated time.

The product's own `Due` against one queue for all, round robin and the earliest deadline, each with
and without giving up what can't be done in time. `python -m benchmarks.turns` (make bench-turns).
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge.frame import Frame
from edge.inspection.due import Due
from edge.inspection.inspector import Judgement
from edge.inspection.part import Part, Terms
from export.figures import Figure, save
from export.preprocess import Pixels

LOOK_MS, SPREAD = 45.0, 0.1  # a look, and the standard deviation of its logarithm
SECONDS, SEED, NS = 300, 1, 1_000_000
DARK = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Asks:
    """One camera: parts a second, evenly spaced or at random, their deadline and its queue."""

    rate: float
    deadline_ms: float = 500.0
    room: int = 8
    even: bool = False

    def arrivals(self, chance: random.Random) -> Iterator[float]:
        """When its parts are captured, ms."""
        gap_ms = 1000 / self.rate
        at_ms = chance.random() * gap_ms
        while at_ms < SECONDS * 1000:
            yield at_ms
            at_ms += (
                gap_ms * chance.uniform(0.8, 1.2) if self.even else chance.expovariate(1 / gap_ms)
            )


FLOOD = Asks(60, room=50)
SCENES = {
    "60/s, queue of 50, beside three at 2/s": (FLOOD, *[Asks(2, even=True)] * 3),
    "60/s at 1 s, beside 2/s at 150 ms": (Asks(60, 1000, 20), Asks(2, 150, even=True)),
    "four alike, 0.9 of what can be judged": (Asks(5),) * 4,
    "four alike, 1.2 of it": (Asks(6.7),) * 4,
    "four alike, twice as much": (Asks(11),) * 4,
    "deadlines 100, 200, 500, 1000 ms, 0.8 of it": tuple(
        Asks(4.5, d) for d in (100, 200, 500, 1000)
    ),
    "the same, 1.1 of it": tuple(Asks(6, d) for d in (100, 200, 500, 1000)),
}


class OneQueue(Due):
    """First in, first out."""

    def turn(self, now_ns: int) -> Part | None:
        """The oldest."""
        return min((p for p in self if p.looks.ready), key=_age(now_ns), default=None)


class Deadlines(Due):
    """The earliest deadline, whoever asks."""

    def turn(self, now_ns: int) -> Part | None:
        """The most urgent."""
        waiting = (part for part in self if part.looks.ready)
        return min(waiting, key=lambda part: part.left_ms(now_ns), default=None)


class RoundRobin(Due):
    """The camera that was served longest ago."""

    def __init__(self) -> None:
        super().__init__()
        self._served: dict[str, int] = {}

    def turn(self, now_ns: int) -> Part | None:
        """Its oldest."""
        waiting = [part for part in self if part.looks.ready]
        served = self._served
        part = min(
            waiting,
            key=lambda part: (served.get(part.terms.camera, 0), _age(now_ns)(part)),
            default=None,
        )
        if part:
            served[part.terms.camera] = max(served.values(), default=0) + 1
        return part


RULES = {"one queue": OneQueue, "round robin": RoundRobin, "deadlines": Deadlines, "kept": Due}


def _age(now_ns: int):  # noqa: ANN202 - a key
    return lambda part: -part.age_ms(now_ns)


class Blind:
    """No judge: looks are only counted here."""

    def judge(self, pixels: Pixels, moved: tuple[float, float] = (0.0, 0.0)) -> Judgement:
        """Never asked."""
        raise NotImplementedError


def simulate(due: Due, asks: tuple[Asks, ...], *, giving_up: bool) -> tuple[float, list[float]]:
    """Share of fail-safe verdicts, of all and by camera."""
    chance, failed, parts = random.Random(SEED), Counter[str](), Counter[str]()
    terms = [Terms(f"c{n}", Blind(), one.deadline_ms, one.room) for n, one in enumerate(asks)]
    coming = sorted((at_ms, n) for n, one in enumerate(asks) for at_ms in one.arrivals(chance))[
        ::-1
    ]
    now_ms = 0.0
    while coming or len(due):
        while coming and coming[-1][0] <= now_ms:
            at_ms, n = coming.pop()
            parts[terms[n].camera] += 1
            _expire(due, at_ms, failed)
            _arrive(due, terms[n], at_ms, failed)
        _expire(due, now_ms, failed)
        part = due.turn(round(now_ms * NS))
        if part is None:
            now_ms = coming[-1][0] if coming else now_ms
            continue
        camera, now_ns = part.terms.camera, round(now_ms * NS)
        due.remove(part)
        if giving_up and part.left_ms(now_ns) < due.look_ms(camera) and len(due):
            due.doubt(camera)
            failed[camera] += 1
            continue
        took_ms = LOOK_MS * chance.lognormvariate(0, SPREAD)
        due.looked(camera, took_ms)
        now_ms += took_ms
        failed[camera] += part.left_ms(round(now_ms * NS)) <= 0
    shares = [100 * failed[one.camera] / parts[one.camera] for one in terms]
    return 100 * failed.total() / parts.total(), shares


def _arrive(due: Due, terms: Terms, at_ms: float, failed: Counter[str]) -> None:
    if due.of(terms.camera) >= terms.room:
        failed[terms.camera] += 1
        return
    part = Part(Frame(DARK, terms.camera, 0, round(at_ms * NS), 0), terms)
    part.looks.add(part.seen)
    due.add(part)


def _expire(due: Due, now_ms: float, failed: Counter[str]) -> None:
    for part in [one for one in due if one.left_ms(round(now_ms * NS)) <= 0]:
        due.remove(part)
        failed[part.terms.camera] += 1


def main() -> None:
    """Every scene under every rule, as a Markdown table and as figures."""
    figures: list[Figure] = []
    names = [f"{rule}{', giving up' if up else ''}" for up in (False, True) for rule in RULES]
    print(f"| load | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    for scene, asks in SCENES.items():
        told: list[str] = []
        for up in (False, True):
            for rule, make in RULES.items():
                total, shares = simulate(make(), asks, giving_up=up)
                others = max(shares[1:])
                told.append(f"{total:.1f} / {others:.1f}")
                name = f"{scene}: {rule}{', giving up' if up else ''}"
                note = "by camera: " + ", ".join(f"{share:.1f}" for share in shares)
                figures.append(Figure(name, total, "%", "", note))
        print(f"| {scene} | {' | '.join(told)} |", flush=True)
    print(save("turns", figures, seed=SEED))


if __name__ == "__main__":
    main()
