"""trainer/doctor/labels.py and bound.py: wrong labels stand out, and what they do is told."""

import numpy as np

from trainer.doctor.bound import bound_of
from trainer.doctor.labels import doubted, out_of_sample

NAMES = np.array(["good", "hole", "scratch"])


def clouds(seed, each=60):
    """Three clouds of features (N,12) with their class numbers."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 2.0, (3, 12))
    numbers = np.repeat(np.arange(3), each)
    return (centres[numbers] + rng.normal(0, 1, (3 * each, 12))).astype(np.float32), numbers


def test_flipped_labels_are_doubted_first():
    """Of labels flipped among clear classes, all are doubted, before any right one."""
    seen, numbers = clouds(0)
    given = numbers.copy()
    flipped = [3, 70, 71, 150]
    given[flipped] = (given[flipped] + 1) % 3
    chances = out_of_sample(seen, given, [str(i) for i in range(len(given))])
    found = doubted(chances, given, NAMES)
    assert {one.at for one in found[:4]} == set(flipped)
    assert all(one.likely == NAMES[numbers[one.at]] for one in found[:4])
    assert [one.sure for one in found] == sorted(one.sure for one in found)


def test_a_copy_never_vouches_for_its_label():
    """A wrong label is found although the same picture teaches it elsewhere: groups stay out."""
    seen, numbers = clouds(1)
    given = numbers.copy()
    given[0] = 1
    seen, given = np.concatenate([seen, seen[:1]]), np.append(given, 1)
    group = [str(i) for i in range(len(numbers))] + ["0"]
    found = doubted(out_of_sample(seen, given, group), given, NAMES)
    assert {0, len(numbers)} <= {one.at for one in found}


def test_the_bound_moves_by_what_a_label_hides():
    """A good part under a defect counts as an escape that is none: the bound is too high by it."""
    scores = np.concatenate([np.linspace(0.0, 0.2, 50), np.linspace(0.6, 1.0, 50)])
    given = ["good"] * 50 + ["hole"] * 50
    given[0] = "hole"
    part = [str(i) for i in range(100)]
    found = bound_of(scores, given, part, {0: "good"})
    assert found is not None
    assert found.as_given > found.put_right
    assert found.of_each[0] == found.as_given
    assert "by itself moves the bound by +" in found.effect(0)
    assert found.overkill_given > found.overkill_right
    assert bound_of(scores, ["hole"] * 100, part, {}) is None
