"""From a study to an answer: the rule was written down before anything was measured.

With w the least gain in AUROC that is worth the trouble, and the 95 % interval of the paired
difference:

    pays        the interval lies above 0, and the mean is at least w
    skip        else, if the interval ends below 2w: no gain that matters is possible
    can't tell  else

The rule is the same for fine-tuning against the head and for the head against nearest good sample.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trainer.advise.arms import ARMS, Arm
from trainer.advise.figures import (
    FIGURES,
    Estimate,
    Judged,
    below,
    measure,
    missed_by_type,
    next_gain,
    redrawn,
)
from trainer.advise.study import SHARES, Cell, Study
from trainer.rates import Rate, auroc_interval
from trainer.run import GOOD

WORTHWHILE = 0.01
MORE = 50
REJECTED = 0.05  # share of good pictures, where types are compared
WHOLE = SHARES[-1]

Verdict = Literal["pays", "skip", "can't tell", "not measured"]


_Measured = dict[tuple[Arm, int], dict[int, dict[str, float]]]


@dataclass(frozen=True, slots=True)
class Row:
    """One arm at one share of the learning parts."""

    arm: Arm
    share: int
    pictures: int
    parts: int
    seconds: float
    figures: dict[str, Estimate]
    kept_head: int


@dataclass(frozen=True, slots=True)
class Contest:
    """One arm against a cheaper one on all learning parts, paired by round; gains are positive."""

    better: Arm
    cheaper: Arm
    verdict: Verdict
    gains: dict[str, Estimate]
    parts_needed: int | None


@dataclass(frozen=True, slots=True)
class Weakness:
    """How many pictures of a type are missed where `REJECTED` of the good ones are rejected."""

    kind: str
    missed: int
    of: int
    parts: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Advice:
    """Everything that the study says."""

    rows: tuple[Row, ...]
    tuning: Contest
    labels: Contest
    chosen: Arm
    more: dict[Arm, Estimate]
    types: tuple[Weakness, ...]
    first: str | None

    def record(self) -> dict[str, object]:
        """As plain data, for advice.json."""
        return asdict(self)


def advise(study: Study, worthwhile: float = WORTHWHILE) -> Advice:
    """Apply the rule to what was measured."""
    measured: _Measured = {
        (arm, share): {cell.round: _figures(study, cell) for cell in study.of(arm, share)}
        for arm in ARMS
        for share in SHARES
    }
    tuning = _contest(study, measured, ("tuned", "head"), worthwhile)
    labels = _contest(study, measured, ("head", "nearest"), worthwhile)
    chosen: Arm = "tuned" if tuning.verdict == "pays" else "head"
    types = _types(study, chosen)
    return Advice(
        rows=tuple(
            _row(study, arm, share, list(found.values()))
            for (arm, share), found in measured.items()
            if found
        ),
        tuning=tuning,
        labels=labels,
        chosen=chosen,
        more={arm: gain for arm in ARMS if (gain := _more(study, measured, arm)) is not None},
        types=types,
        first=_first(types),
    )


def _figures(study: Study, cell: Cell) -> dict[str, float]:
    judged = study.rounds[cell.round].judge
    defect = np.array([study.samples[at].label != GOOD for at in judged])
    return measure(np.array(cell.scores), defect)


def _least(study: Study, area: float) -> float:
    """The half width of an AUROC's interval that the number of parts alone warrants."""
    parts = Counter(bad for _, bad in {(s.part, s.label != GOOD) for s in study.samples})
    low, high = auroc_interval(area, parts[True], parts[False])
    return (high - low) / 2


def _row(study: Study, arm: Arm, share: int, found: list[dict[str, float]]) -> Row:
    cells = study.of(arm, share)
    least = {"auroc": _least(study, float(np.mean([one["auroc"] for one in found])))}
    rounds = _judged(study, cells)
    figures = {
        name: redrawn(rounds, name, study.plan.seed, least=least.get(name, 0.0)) for name in FIGURES
    }
    return Row(
        arm=arm,
        share=share,
        pictures=round(float(np.mean([cell.pictures for cell in cells]))),
        parts=round(float(np.mean([cell.parts for cell in cells]))),
        seconds=float(np.median([cell.seconds for cell in cells])),
        figures=figures,
        kept_head=sum(cell.kept == "head" for cell in cells) if arm == "tuned" else 0,
    )


def _contest(
    study: Study, measured: _Measured, arms: tuple[Arm, Arm], worthwhile: float
) -> Contest:
    better, cheaper = (measured[arm, WHOLE] for arm in arms)
    common = sorted(better.keys() & cheaper.keys())
    if len(common) < 2:
        return Contest(*arms, "not measured", {}, None)
    rivals = {cell.round: np.array(cell.scores) for cell in study.of(arms[1], WHOLE)}
    cells = [cell for cell in study.of(arms[0], WHOLE) if cell.round in common]
    pairs = _judged(study, cells, rivals)
    best = max(float(np.mean([one[n]["auroc"] for n in common])) for one in (better, cheaper))
    # Where every round agrees to the last digit, a few parts still can't prove equality.
    same = all(better[n]["auroc"] == cheaper[n]["auroc"] for n in common)
    floor = {"auroc": _least(study, best) if same else 0.0}
    gains = {
        name: redrawn(pairs, name, study.plan.seed, least=floor.get(name, 0.0)) for name in FIGURES
    }
    verdict = decide(gains["auroc"], worthwhile)
    needed = _needed(study, gains["auroc"], worthwhile) if verdict == "can't tell" else None
    return Contest(*arms, verdict, gains, needed)


def _judged(
    study: Study, cells: list[Cell], rivals: Mapping[int, NDArray[np.float64]] | None = None
) -> list[Judged]:
    number = {part: n for n, part in enumerate(sorted({s.part for s in study.samples}))}
    rounds: list[Judged] = []
    for cell in cells:
        judged = [study.samples[at] for at in study.rounds[cell.round].judge]
        parts = np.array([number[sample.part] for sample in judged])
        defect = np.array([sample.label != GOOD for sample in judged])
        rival = None if rivals is None else rivals[cell.round]
        rounds.append(Judged(parts, defect, np.array(cell.scores), rival))
    return rounds


def decide(gain: Estimate, worthwhile: float) -> Verdict:
    """The rule at the top of this file."""
    if gain.low > 0 and gain.mean >= worthwhile:
        return "pays"
    return "skip" if gain.high < 2 * worthwhile else "can't tell"


def _needed(study: Study, gain: Estimate, worthwhile: float) -> int:
    """Parts after which the rule would decide if the mean stayed: widths shrink as 1/sqrt(n)."""
    wanted = max(2 * worthwhile - gain.mean, gain.mean if gain.mean >= worthwhile else 0.0)
    parts = len({sample.part for sample in study.samples})
    return math.ceil(parts * (gain.half / wanted) ** 2) - parts


def _more(study: Study, measured: _Measured, arm: Arm) -> Estimate | None:
    whole = [measured[arm, share] for share in SHARES]
    common = sorted(set.intersection(*(set(one) for one in whole)))
    if len(common) < 2:
        return None
    sizes = [
        round(float(np.mean([cell.pictures for cell in study.of(arm, share)]))) for share in SHARES
    ]
    if len(set(sizes)) < len(sizes):
        return None
    curves = [[one[n]["auroc"] for one in whole] for n in common]
    gain = next_gain(sizes, curves, MORE, study.ratio)
    return below(gain, 1 - float(np.mean([row[-1] for row in curves])))


def _types(study: Study, arm: Arm) -> tuple[Weakness, ...]:
    missed, total = Counter[str](), Counter[str]()
    for cell in study.of(arm, WHOLE):
        labels = [study.samples[at].label for at in study.rounds[cell.round].judge]
        found = missed_by_type(np.array(cell.scores), labels, GOOD, REJECTED)
        for kind, (k, n) in found.items():
            missed[kind] += k
            total[kind] += n
    parts: dict[str, set[str]] = defaultdict(set)
    for sample in study.samples:
        parts[sample.label].add(sample.part)
    return tuple(
        Weakness(kind, missed[kind], total[kind], n, *Rate(missed[kind], total[kind], n).interval())
        for kind in sorted(total, key=lambda kind: -missed[kind] / total[kind])
        if (n := len(parts[kind]))
    )


def _first(types: tuple[Weakness, ...]) -> str | None:
    """The worst type, if it is surely missed more often than all types taken together."""
    if len(types) < 2 or not sum(one.missed for one in types):
        return None
    overall = sum(one.missed for one in types) / sum(one.of for one in types)
    return types[0].kind if types[0].low > overall else None
