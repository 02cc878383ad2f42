"""trainer/split.py: parts are dealt whole, fairly, and the same way every time."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.errors import DatasetError
from trainer.run import SPLITS
from trainer.shares import SHARES
from trainer.split import Sample, astray, deal


@st.composite
def samples(draw):
    """Enough pure parts of both kinds, each of one to six pictures, some with a mixed picture."""
    kinds = draw(st.lists(st.sampled_from(["good", "scratch", "dent", "crack"]), max_size=40))
    kinds += ["good"] * 4 + ["scratch"] * 4
    found = []
    for number, kind in enumerate(kinds):
        found += [Sample(f"part {number}", kind)] * draw(st.integers(1, 6))
    for number in draw(st.lists(st.integers(0, len(kinds) - 1), max_size=3)):
        found.append(Sample(f"part {number}", "good"))
    return found


@settings(max_examples=60)
@given(samples(), st.integers(0, 5), st.randoms())
def test_no_part_straddles_and_order_does_not_matter(found, seed, shuffler):
    """Each part is in one split, each split has both kinds, and listing order changes nothing."""
    dealt = deal(found, seed)
    assert len(dealt) == len(found)
    of_part = {}
    for sample, split in zip(found, dealt, strict=True):
        assert of_part.setdefault(sample.part, split) == split
    for split in SPLITS:
        kinds = {s.label == "good" for s, at in zip(found, dealt, strict=True) if at == split}
        assert kinds == {True, False}
    order = list(range(len(found)))
    shuffler.shuffle(order)
    again = deal([found[i] for i in order], seed)
    assert [dealt[i] for i in order] == again


@settings(max_examples=30)
@given(samples())
def test_train_knows_every_class(found):
    """A class that only the test has could not be learnt: train gets one of each."""
    dealt = deal(found, 0)
    learnt = {s.label for s, at in zip(found, dealt, strict=True) if at == "train"}
    assert learnt == {s.label for s in found}


def test_shares_are_kept():
    """A thousand single pictures are dealt 50/15/15/20 within a picture of each class."""
    rng = random.Random(0)
    found = [Sample(str(i), rng.choice(["good", "good", "dent", "hole"])) for i in range(1000)]
    counts = Counter(zip((s.label for s in found), deal(found, 1), strict=True))
    totals = Counter(s.label for s in found)
    for label, total in totals.items():
        for split in SPLITS:
            assert abs(counts[label, split] - SHARES[split] * total) <= 1


def test_another_seed_is_another_deal():
    """The seed matters."""
    found = [Sample(str(i), "good" if i % 2 else "dent") for i in range(100)]
    assert deal(found, 0) != deal(found, 1)


def test_a_frozen_test_stays():
    """A given test is kept as it is, and the rest is shared among the other three."""
    found = [Sample(str(i), "good" if i % 2 else "dent", frozen=i < 20) for i in range(100)]
    dealt = deal(found, 0)
    assert [split == "test" for split in dealt] == [s.frozen for s in found]
    assert Counter(dealt)["train"] == pytest.approx(50, abs=1)


def test_a_part_on_both_sides_is_refused():
    """A part that is in the given train and test alike is a leak, and is named."""
    found = [Sample(str(i), "good" if i % 2 else "dent", frozen=i < 20) for i in range(100)]
    found.append(Sample("3", "good"))
    with pytest.raises(DatasetError, match=r"first '3'.*from memory"):
        deal(found, 0)


def test_too_few_parts_are_refused():
    """Three defective parts can't feed four splits."""
    found = [Sample(str(i), "good" if i > 2 else "dent") for i in range(50)]
    with pytest.raises(DatasetError, match="only 3 defective parts"):
        deal(found, 0)


@given(samples(), st.integers(0, 3), st.integers(0, 100), st.integers(0, 100))
def test_what_proves_to_be_a_part_of_the_test_teaches_no_more(found, seed, first, second):
    """Two settled parts turn out to be one: without what is astray no part examines and teaches."""
    stays = deal(found, seed)
    names = sorted({one.part for one in found})
    one, other = names[first % len(names)], names[second % len(names)]
    again = [
        Sample(one if s.part == other else s.part, s.label, settled=split)
        for s, split in zip(found, stays, strict=True)
    ]
    lost = set(astray(again))
    assert not any(stays[at] == "test" for at in lost)
    left = [(s.part, s.settled) for at, s in enumerate(again) if at not in lost]
    for part in {part for part, split in left if split == "test"}:
        assert {split for name, split in left if name == part} == {"test"}
