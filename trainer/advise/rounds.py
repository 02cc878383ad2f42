"""Which parts teach, choose and judge in each round, and which ones a smaller set keeps.

A shuffle deals the parts into four quarters, stratified by class as `trainer.split` does. Each
quarter judges once, the next one chooses, the other two teach: in four rounds every part has
judged models that never saw it. Further rounds shuffle anew.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.run import SPLITS
from trainer.split import Sample, deal

QUARTERS = len(SPLITS)
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """Positions of the pictures that teach, choose and judge."""

    number: int
    learn: Index
    choose: Index
    judge: Index

    @property
    def ratio(self) -> float:
        """Pictures that judge per picture that the model was made with."""
        return len(self.judge) / (len(self.learn) + len(self.choose))


def deal_rounds(samples: Sequence[Sample], count: int, seed: int) -> list[Round]:
    """`count` rounds over pictures; raises DatasetError if a quarter would lack a kind."""
    rounds: list[Round] = []
    for number in range(count):
        shuffle, turn = divmod(number, QUARTERS)
        even = dict.fromkeys(SPLITS, 1 / QUARTERS)
        dealt = np.array(deal(samples, seed * 1009 + shuffle, even))
        judges, chooses = dealt == SPLITS[turn], dealt == SPLITS[(turn + 1) % QUARTERS]
        learns = ~judges & ~chooses
        rounds.append(Round(number, *(np.flatnonzero(one) for one in (learns, chooses, judges))))
    return rounds


def some(of: Index, samples: Sequence[Sample], share: float, seed: int) -> Index:
    """The pictures of a share of the parts in `of`, of every class its share, at least one part.

    A smaller share's parts are among a larger share's. A part counts for its rarest class.
    """
    pictures: dict[str, list[int]] = defaultdict(list)
    for at in of:
        pictures[samples[at].part].append(int(at))
    often = defaultdict[str, int](int)
    for at in of:
        often[samples[at].label] += 1
    classes: dict[str, list[str]] = defaultdict(list)
    for part, held in pictures.items():
        rarest = min((samples[at].label for at in held), key=lambda label: (often[label], label))
        classes[rarest].append(part)
    kept: list[int] = []
    for parts in classes.values():
        parts.sort(key=lambda part: hashlib.sha256(f"{seed}\n{part}".encode()).hexdigest())
        for part in parts[: math.ceil(share * len(parts))]:
            kept += pictures[part]
    return np.array(sorted(kept), np.intp)
