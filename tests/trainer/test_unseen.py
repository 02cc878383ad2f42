"""A type that is left out teaches nothing, and what stops its parts is told apart."""

import numpy as np
import torch

from trainer.backbone import Network
from trainer.calibrate import Budgets
from trainer.unseen import Known, examine, table

EACH = 16
SPLITS = ("train", "train", "validation", "calibration", "test", "train", "calibration", "test")


def known(novelty: bool = True) -> Known:
    """Good parts, `left` and `right` defects in features of their own; only `left` is novel."""
    labels = np.repeat(["good", "left", "right"], EACH)
    features = torch.randn(3 * EACH, 1536, generator=torch.Generator().manual_seed(0)) * 0.1
    features[labels == "left", :700] += 1
    features[labels == "right", 700:] += 1
    strange = np.where(labels == "left", 2.0, 1.0) if novelty else None
    parts = np.array([str(number) for number in range(3 * EACH)])
    return Known(labels, parts, np.array(SPLITS * (3 * EACH // 8)), (features,), strange)


def network() -> Network:
    """Any network: only its head is used."""
    torch.manual_seed(0)
    return Network("resnet18", 3).eval()


def test_what_stops_a_type_is_told_apart():
    """A novel type is stopped by novelty; every part of the type counts, in whatever split."""
    found = examine(network(), known(), [0.1], Budgets(), novel_above=1.5, advance=lambda: None)
    left, right = found.types
    assert (left.type, left.parts, left.stopped, left.by_novelty) == ("left", EACH, EACH, EACH)
    assert right.by_novelty == 0
    assert right.stopped == right.by_score
    assert left.low > 0.75
    assert left.good_parts == 4
    told = table(found)
    assert len(told) == 3
    assert "16 of 16 parts" in told[1]


def test_a_part_that_taught_is_not_asked():
    """A part whose good pictures taught is left out of the question."""
    taken = known()
    parts = taken.parts.copy()
    parts[EACH] = parts[0]  # a picture of `left` shows the part of a good training picture
    mixed = Known(taken.labels, parts, taken.splits, taken.views, taken.novelty)
    found = examine(network(), mixed, [0.1], Budgets(), novel_above=1.5, advance=lambda: None)
    assert found.types[0].parts == EACH - 1


def test_the_only_type_is_left_to_novelty():
    """Without another defect there is no score to learn: novelty alone decides, and it says so."""
    taken = known()
    at = taken.labels != "right"
    only = Known(
        taken.labels[at], taken.parts[at], taken.splits[at], (taken.views[0][at],),
        None if taken.novelty is None else taken.novelty[at],
    )  # fmt: skip
    found = examine(network(), only, [0.1], Budgets(), novel_above=1.5, advance=lambda: None)
    (left,) = found.types
    assert (left.stopped, left.by_score, left.by_novelty) == (EACH, 0, EACH)
    assert "novelty alone" in left.note
