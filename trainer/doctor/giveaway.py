"""What betrays the class without showing the part: the file's encoding, its size, its border.

If a classifier that never sees the part tells the classes apart, a network can learn the same
shortcut and will fail on the line (Geirhos et al., Nature Machine Intelligence 2, 2020). Whether
it does better than chance is told by permuting the classes (Ojala and Garriga, JMLR 11, 2010), with
one picture of each part, since pictures of one part aren't exchangeable.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.stats import hypergeom

from trainer import rates
from trainer.doctor.finding import Case, Finding, Grade, Harm
from trainer.doctor.subject import Subject
from trainer.run import GOOD

DRAWS = 999
MOST = 2000  # pictures in a test
_SURE = 0.01
_NEIGHBOURS = 5
_SKILL = 0.1
_SKILL_OF_SCENE = 0.25
# A value of the header that betrays a class: so many pictures, so pure, so unlikely by chance.
_LEAST, _PURE, _UNLIKELY = 5, 0.95, 1e-4
_SHOWN = 8

Index = NDArray[np.intp]
Votes = NDArray[np.float64]
# From class numbers (N,) and how many classes there are to what is said of each picture (N,C).
Voter = Callable[[Index, int], Votes]


@dataclass(frozen=True, slots=True)
class Guess:
    """How well the classes are guessed without the part.

    Attributes:
        accuracy: mean share of each class that is guessed right, each picture left out in turn.
        chance: what guessing gives.
        p: share of permuted classes that are guessed as well.
        auroc: good against defective; None without good parts.
        pictures: how many were guessed.
    """

    accuracy: float
    chance: float
    p: float
    auroc: float | None
    pictures: int

    @property
    def skill(self) -> float:
        """0 for chance, 1 for always right."""
        return (self.accuracy - self.chance) / (1 - self.chance)

    def words(self) -> str:
        """The test in one sentence."""
        area = "" if self.auroc is None else f"; AUROC of defective against good {self.auroc:.2f}"
        return (
            f"guessed right {self.accuracy:.0%} (by chance {self.chance:.0%}; "
            f"p = {self.p:.3f} by {DRAWS} permutations of {self.pictures} pictures{area})"
        )


def giveaway(subject: Subject, seed: int = 0) -> list[Finding]:
    """Findings about what betrays the class."""
    rng = np.random.default_rng(seed)
    at = _one_per_part(subject, rng)
    names, numbers = np.unique(subject.labels[at], return_inverse=True)
    if len(names) < 2:
        return []
    measured, looks = [subject.measured[i] for i in at], [subject.looks[i] for i in at]

    def guess(voter: Voter) -> Guess:
        return _tested(voter, numbers, names, rng)

    headers = [one.header.encoding if one.header is not None else () for one in looks]
    shape = np.array([[m.width, m.height] for m in measured], np.float64)
    weight = np.array([one.size_bytes for one in looks]) / shape.prod(1)
    border = np.stack([m.border for m in measured])
    return [
        *_encoding(subject, guess(_by_key(headers))),
        *_size(guess(_by_nearest(np.log(shape)))),
        *_bytes(guess(_by_nearest(np.log(weight)[:, np.newaxis]))),
        *_border(guess(_by_nearest(border / (border.std(0) + 1.0)))),
    ]


def _one_per_part(subject: Subject, rng: np.random.Generator) -> Index:
    """Positions of one picture of each part, at most MOST of them, drawn at random."""
    first: dict[str, int] = {}
    for i in rng.permutation(len(subject.looks)).tolist():
        first.setdefault(subject.part[i], i)
    counts = Counter(str(subject.labels[i]) for i in first.values())
    kept = [i for i in first.values() if counts[str(subject.labels[i])] >= 2]
    return np.array(sorted(kept[:MOST]), np.intp)


def _by_key(keys: list[tuple[tuple[str, str], ...]]) -> Voter:
    """All others of the other half with the same header vote.

    Not all but one: without itself, its class is the rarest among its likes, and chance would be
    judged worse than it is.
    """
    order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    half = np.random.default_rng(0).permutation(len(keys)) % 2
    mine = np.array([order[key] for key in keys], np.intp) * 2 + half
    theirs = mine + 1 - 2 * half

    def votes(numbers: Index, classes: int) -> Votes:
        table = np.bincount(mine * classes + numbers, minlength=2 * len(order) * classes)
        return table.reshape(-1, classes)[theirs].astype(np.float64)

    return votes


def _by_nearest(values: NDArray[np.floating]) -> Voter:
    """The nearest others of (N,D) vote."""
    # A trace of disorder breaks ties between equal values, the same way every time.
    values = values + 1e-9 * np.random.default_rng(0).standard_normal(values.shape)
    _, near = KDTree(values).query(values, k=min(_NEIGHBOURS + 1, len(values)))
    near = np.asarray(near, np.intp)[:, 1:]
    rows = np.arange(len(near))[:, np.newaxis]

    def votes(numbers: Index, classes: int) -> Votes:
        cells = (rows * classes + numbers[near]).ravel()
        return np.bincount(cells, minlength=len(near) * classes).reshape(-1, classes).astype(float)

    return votes


def _tested(
    voter: Voter, numbers: Index, names: NDArray[np.str_], rng: np.random.Generator
) -> Guess:
    weight = len(numbers) / np.bincount(numbers)  # so that a rare class is heard

    def votes(numbers: Index) -> Votes:
        return voter(numbers, len(names)) * weight

    found = votes(numbers)
    measured = _accuracy(found, numbers)
    drawn = [_accuracy(votes(one), one) for one in (rng.permutation(numbers) for _ in range(DRAWS))]
    area = None
    if GOOD in names:
        good = int(np.flatnonzero(names == GOOD)[0])
        share = found[:, good] / np.maximum(found.sum(1), 1e-12)
        area = rates.auroc(1 - share, numbers != good)
    p = (1 + sum(one >= measured for one in drawn)) / (1 + DRAWS)
    return Guess(measured, float(np.mean(drawn)), p, area, len(numbers))


def _accuracy(votes: Votes, numbers: NDArray[np.intp]) -> float:
    right = votes.argmax(1) == numbers
    return float(np.mean(np.bincount(numbers, weights=right) / np.bincount(numbers)))


@dataclass(frozen=True, slots=True)
class _Tell:
    """A value of the header that hardly occurs outside one class."""

    words: str
    paths: tuple[str, ...]
    p: float


def _tells(subject: Subject) -> list[_Tell]:
    """Header values that betray a class by themselves (hypergeometric test, Bonferroni)."""
    values: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, one in enumerate(subject.looks):
        for named in one.header.encoding if one.header is not None else ():
            values[named].append(i)
    counts, whole = Counter(map(str, subject.labels)), len(subject.looks)
    found: list[_Tell] = []
    seen: set[tuple[int, ...]] = set()
    for (name, value), at in sorted(values.items()):
        label, most = Counter(str(subject.labels[i]) for i in at).most_common(1)[0]
        p = float(hypergeom.sf(most - 1, whole, counts[label], len(at))) * len(values) * len(counts)
        if len(at) < _LEAST or most < _PURE * len(at) or p > _UNLIKELY or tuple(at) in seen:
            continue
        seen.add(tuple(at))
        rest = counts[label] - most
        others = f"; the other {rest} of {label} have another" if rest else ""
        words = (
            f"{name} {value or 'not given'}: {most} of {len(at)} such pictures are {label}{others}"
        )
        found.append(_Tell(words, tuple(subject.paths[i] for i in at), p))
    return sorted(found, key=lambda one: (one.p, one.words))


def _encoding(subject: Subject, guess: Guess) -> list[Finding]:
    tells = _tells(subject)
    if not tells and (guess.p > _SURE or guess.skill < _SKILL):
        return []
    first = tells[0].words if tells else "the file's header"
    return [
        Finding(
            kind="betrayed_by_encoding",
            grade=Grade.SERIOUS,
            harm=Harm.GIVEN_AWAY,
            title=f"The file gives the class away: {first}",
            effect="From headers alone, without a pixel of the part, the class is "
            f"{guess.words()}. Other encoders leave other traces in the pixels, which a network "
            "learns instead of the defect: it will be good here and fail on the line.",
            remedy="Take all classes with the same camera and settings. If that can't be had "
            "again, "
            "decode every picture and save all of them the same way; what the first encoder "
            "has already destroyed stays, so test on pictures of the line itself.",
            cases=tuple(Case(tell.paths, tell.words) for tell in tells[:_SHOWN]),
        )
    ]


def _size(guess: Guess) -> list[Finding]:
    if guess.p > _SURE or guess.skill < _SKILL:
        return []
    return [
        Finding(
            kind="betrayed_by_size",
            grade=Grade.LOOK,
            harm=Harm.GIVEN_AWAY,
            title=f"Width and height alone tell the class {guess.accuracy:.0%} right, "
            f"against {guess.chance:.0%} by chance",
            effect=f"From the size alone the class is {guess.words()}. Pictures are stretched to "
            "the model's input, so it sees the shape as distortion.",
            remedy="Cut all pictures to one frame, the line's. On the line every part comes at one "
            "size, and what was learnt from sizes is lost there.",
        )
    ]


def _bytes(guess: Guess) -> list[Finding]:
    if guess.p > _SURE or guess.skill < _SKILL:
        return []
    return [
        Finding(
            kind="betrayed_by_bytes",
            grade=Grade.NOTE,
            harm=Harm.GIVEN_AWAY,
            title=f"Bytes per pixel alone tell the class {guess.accuracy:.0%} right, "
            f"against {guess.chance:.0%} by chance",
            effect=f"From the file's length the class is {guess.words()}. Rough surfaces need more "
            "bytes, so this may be the defect itself; or another quality setting.",
            remedy="Nothing, if all pictures were saved the same way.",
        )
    ]


def _border(guess: Guess) -> list[Finding]:
    if guess.p > _SURE or guess.skill < _SKILL_OF_SCENE:
        return []
    return [
        Finding(
            kind="betrayed_by_border",
            grade=Grade.LOOK,
            harm=Harm.GIVEN_AWAY,
            title=f"The picture's border alone tells the class {guess.accuracy:.0%} right, "
            f"against {guess.chance:.0%} by chance",
            effect=f"From the outermost sixteenth of each side the class is {guess.words()}. If "
            "the defect doesn't reach there, light or background differ between the classes.",
            remedy="Photograph good and defective parts in turns, under the same light on the same "
            "ground; or look only at the part: --region.",
        )
    ]
