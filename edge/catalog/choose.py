"""The choice: of every category or product the best set of pictures, and every reason in words.

Pure: looks in, choices out, the same for the same looks in any order. The first is the fittest;
each further one is also judged by how little it repeats those before it (maximal marginal
relevance: Carbonell and Goldstein, SIGIR 1998).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from edge.catalog.findings import Finding, findings
from edge.catalog.fingerprint import BYTES
from edge.catalog.look import Look
from edge.catalog.overrules import Overrule
from edge.catalog.products import Sets, named
from edge.catalog.rules.house import HouseRules, refusals
from edge.catalog.twins import Twins

FAULT = 0.1  # what a finding that isn't refused takes off
REPEAT = 0.4  # what being the same view as one before takes off, by likeness
_LIKE = 0.5  # cosine below which two pictures are as different as can be


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of one picture.

    Attributes:
        look: what is known of it.
        set: category or product that it stands for; empty: of none.
        twin: the least path among those that show the same.
        place: 1 for the best of its set; 0 if it isn't chosen.
        fitness: presentation less its faults.
        reason: why, in words.
        refused: the rules say no, or a person.
        findings: what is wrong with it.
    """

    look: Look
    set: str
    twin: str
    place: int
    fitness: float
    reason: str
    refused: bool = False
    findings: tuple[Finding, ...] = field(default=())

    @property
    def category(self) -> str:
        """What its picture shows."""
        return self.look.category


def choose(
    looks: Sequence[Look],
    rules: HouseRules,
    per_set: int,
    sets: Sets | None = None,
    overrules: Mapping[str, Overrule] | None = None,
) -> list[Choice]:
    """Choose.

    Args:
        looks: of every picture.
        rules: what the house asks of a picture.
        per_set: how many to choose of each category or product.
        sets: what they are chosen among.
        overrules: path → what a person said; it beats the rules and the model.

    Returns:
        One for each look, in the order of set, place, fitness and path.
    """
    said = overrules or {}
    looks = sorted((_corrected(one, said) for one in looks), key=lambda one: one.path)
    twins = twins_of(looks)
    which = sets or Sets()
    judged: dict[str, list[Choice]] = {}
    for look, twin, of in zip(looks, twins, named(looks, which), strict=True):
        one = _judged(look, twin, of, rules, said.get(look.path))
        judged.setdefault(of, []).append(one)
    chosen: list[Choice] = []
    for of, candidates in sorted(judged.items()):
        found = _of_set(candidates, per_set, said) if of else _nameless(candidates)
        chosen += sorted(found, key=_order)
    return chosen


def _order(one: Choice) -> tuple[bool, int, bool, float, str]:
    return (one.place == 0, one.place, one.refused, -one.fitness, one.look.path)


def _corrected(look: Look, said: Mapping[str, Overrule]) -> Look:
    told = said.get(look.path)
    if told is None or not told.category:
        return look
    return look.model_copy(update={"category": told.category, "confidence": 1.0, "ours": True})


def twins_of(looks: Sequence[Look]) -> list[str]:
    """The least path among those that show the same, for each look; looks in order of paths."""
    if not looks:
        return []
    index = Twins(len(looks[0].vector()))
    for look in looks:
        bits = np.frombuffer(bytes.fromhex(look.hash), np.uint8, BYTES)
        index.add(bytes.fromhex(look.sha256), bits, look.vector(), look.small())
    return [looks[index.group(number)].path for number in range(len(looks))]


def _judged(look: Look, twin: str, of: str, rules: HouseRules, said: Overrule | None) -> Choice:
    found = findings(look, rules.quality.limits)
    why = refusals(look, found, rules)
    fitness = look.presentation - FAULT * len(found)
    refused, reason = bool(why), "; ".join(why)
    if said is not None and said.verdict == "show":
        refused, reason, fitness = False, "", fitness + 2
    if said is not None and said.verdict == "reject":
        refused, reason = True, "rejected by a person"
    return Choice(look, of, twin, 0, round(fitness, 5), reason, refused, tuple(found))


def _nameless(candidates: list[Choice]) -> list[Choice]:
    told = "no product is named for it"
    return [replace(one, reason=one.reason or told, refused=True) for one in candidates]


def _of_set(candidates: list[Choice], per_set: int, said: Mapping[str, Overrule]) -> list[Choice]:
    fit = sorted((one for one in candidates if not one.refused), key=_order)
    best_of_twins: dict[str, Choice] = {}
    for one in fit:
        best_of_twins.setdefault(one.twin, one)
    pool = list(best_of_twins.values())
    picked = _spread(pool, per_set)
    chosen = [
        replace(one, place=place, reason=_why(one, place, like, len(fit), said))
        for place, (one, like) in enumerate(picked, 1)
    ]
    placed = {one.look.path for one in chosen}
    rest = [_left(one, best_of_twins, pool, per_set) for one in fit if one.look.path not in placed]
    return [*chosen, *rest, *(one for one in candidates if one.refused)]


def _spread(pool: list[Choice], count: int) -> list[tuple[Choice, float]]:
    """The fittest first, then those that repeat it least; each with its likeness to the others."""
    if not pool:
        return []
    vectors = np.stack([one.look.vector() for one in pool])
    fitness = np.array([one.fitness for one in pool])
    like = np.full(len(pool), -1.0)
    picked: list[tuple[Choice, float]] = []
    left = np.ones(len(pool), bool)
    for _ in range(min(count, len(pool))):
        repeats = np.clip((like - _LIKE) / (1 - _LIKE), 0, 1)
        value = np.where(left, fitness - REPEAT * repeats, -np.inf)
        at = int(value.argmax())
        picked.append((pool[at], float(like[at])))
        left[at] = False
        like = np.maximum(like, vectors @ vectors[at])
    return picked


def _why(one: Choice, place: int, like: float, fit: int, said: Mapping[str, Overrule]) -> str:
    told = f"presentation {one.look.presentation:.2f}"
    told += f", though {'; '.join(f.words for f in one.findings)}" if one.findings else ", no fault"
    by = said.get(one.look.path)
    if by is not None and by.verdict == "show":
        return f"shown because a person said so; {told}"
    if place == 1:
        return f"the fittest of {fit}: {told}"
    view = "another view" if like < _LIKE else f"likeness {like:.2f} to those above"
    return f"{view}; {told}"


def _left(
    one: Choice, best_of_twins: dict[str, Choice], pool: list[Choice], per_set: int
) -> Choice:
    best = best_of_twins[one.twin]
    if best is not one:
        told = f"shows the same as {best.look.path}, which is as fit or fitter"
        return replace(one, reason=f"{told} ({best.fitness:.3f} against {one.fitness:.3f})")
    at = pool.index(one) + 1
    told = f"{at}. by fitness of {len(pool)} different fit pictures, {per_set} are asked for"
    return replace(one, reason=f"{told}: presentation {one.look.presentation:.2f}")
