"""Pictures unlike the rest in size, shape, light or focus.

A picture counts as an outlier if it lies far out both among all pictures and in its own class, by
the median and the median absolute deviation (Iglewicz and Hoaglin, ASQC 1993, take 3.5 for normal
data; photographs have heavier tails, so more is asked here).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trainer.dataset import counted
from trainer.doctor.finding import Case, Finding, Grade, Harm
from trainer.doctor.look import Measured
from trainer.doctor.subject import Subject

_FAR = 6.0
_FEW = 8
_BLANK = 2.0
_CLIPPED = 0.5
Floats = NDArray[np.float64]


def outliers(subject: Subject) -> list[Finding]:
    """Findings about single pictures that stand apart."""
    if not subject.looks:
        return []
    found = [_blank(subject), _blurred(subject), _exposed(subject), _shaped(subject)]
    return [finding for finding in found if finding is not None]


def _values(subject: Subject, of: Callable[[Measured], float]) -> Floats:
    return np.array([of(one) for one in subject.measured], np.float64)


def apart(values: Floats, labels: NDArray[np.str_], least: float) -> Floats:
    """(N,) how far out each value lies, signed, in robust standard deviations.

    Of both views, all pictures and its own class, the one in which it lies nearer counts.

    Args:
        values: (N,).
        labels: (N,) classes.
        least: smallest spread that counts, so that equal values don't make everything an outlier.
    """
    whole = _robust(values, least)
    for label in np.unique(labels):
        at = labels == label
        if at.sum() >= _FEW:
            own = _robust(values[at], least)
            both = np.where(np.abs(own) < np.abs(whole[at]), own, whole[at])
            whole[at] = np.where(np.sign(own) == np.sign(whole[at]), both, 0.0)
    return whole


def _robust(values: Floats, least: float) -> Floats:
    middle = np.median(values)
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    return (values - middle) / max(spread, least)


def _blank(subject: Subject) -> Finding | None:
    spread = _values(subject, lambda m: m.spread)
    clipped = _values(subject, lambda m: m.clipped)
    usual = float(np.median(clipped))
    at = [
        i for i in range(len(spread)) if spread[i] < _BLANK or clipped[i] > max(_CLIPPED, 4 * usual)
    ]
    if not at or len(at) > len(spread) / 2:
        return None
    return Finding(
        kind="blank",
        grade=Grade.LOOK,
        harm=Harm.MISLED,
        title=f"{counted(len(at), 'picture')} of next to nothing: one tone, or mostly black or "
        "white to the limit",
        effect="There is no part to learn from; as a good part it teaches that nothing is good.",
        remedy="Remove them, or photograph again.",
        cases=tuple(
            Case(
                (subject.paths[i],),
                f"contrast {spread[i]:.0f} of 255, {clipped[i]:.0%} at the limit",
            )
            for i in at
        ),
    )


def _blurred(subject: Subject) -> Finding | None:
    sharp = _values(subject, lambda m: m.sharp)
    far = apart(sharp, subject.labels, 0.15)
    at = np.flatnonzero(far < -_FAR)
    if not len(at):
        return None
    usual = float(np.median(sharp))
    return Finding(
        kind="blurred",
        grade=Grade.LOOK,
        harm=Harm.MISLED,
        title=f"{counted(len(at), 'picture')} much less sharp than the others",
        effect="Fine defects can't be seen in them: a scratched part out of focus teaches that "
        "scratches look good.",
        remedy="Look at them at full size; photograph again what the line would refuse as out of "
        "focus.",
        cases=tuple(
            Case((subject.paths[i],), f"detail {np.exp(sharp[i] - usual):.0%} of the usual")
            for i in sorted(at, key=lambda i: far[i])
        ),
    )


def _exposed(subject: Subject) -> Finding | None:
    light = _values(subject, lambda m: m.light)
    far = apart(light, subject.labels, 4.0)
    at = np.flatnonzero(np.abs(far) > _FAR)
    if not len(at):
        return None
    return Finding(
        kind="exposed",
        grade=Grade.LOOK,
        harm=Harm.MISLED,
        title=f"{counted(len(at), 'picture')} much darker or brighter than the others",
        effect="Under the line's light such pictures don't occur: the model spends itself on them.",
        remedy="Remove them, or photograph again under the line's light.",
        cases=tuple(
            Case((subject.paths[i],), f"mean grey {light[i]:.0f}, usually {np.median(light):.0f}")
            for i in sorted(at, key=lambda i: -abs(far[i]))
        ),
    )


def _shaped(subject: Subject) -> Finding | None:
    shape = _values(subject, lambda m: np.log(m.width / m.height))
    area = _values(subject, lambda m: np.log(m.width * m.height))
    far = np.maximum(
        np.abs(apart(shape, subject.labels, 0.02)), np.abs(apart(area, subject.labels, 0.05))
    )
    at = np.flatnonzero(far > _FAR)
    if not len(at):
        return None
    usual = subject.measured[int(np.argsort(area)[len(area) // 2])]
    return Finding(
        kind="shaped",
        grade=Grade.LOOK,
        harm=Harm.MISLED,
        title=f"{counted(len(at), 'picture')} of a size or shape unlike the others",
        effect="Every picture is stretched to the model's input: the part in these looks taller "
        "or wider than on the line.",
        remedy="Cut them to the frame that the line's camera sees.",
        cases=tuple(
            Case(
                (subject.paths[i],),
                f"{subject.measured[i].width}x{subject.measured[i].height}, e.g. "
                f"{usual.width}x{usual.height} usually",
            )
            for i in sorted(at, key=lambda i: -far[i])
        ),
    )
