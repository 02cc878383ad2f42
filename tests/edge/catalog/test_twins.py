"""Near duplicates: found whatever the order, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.catalog.fingerprint import distance, fingerprint
from edge.catalog.thumb import SIDE, cut_out, thumb
from edge.catalog.twins import BANDS, NEAR_BITS, Twins
from tests.edge.catalog.conftest import product

DIMENSIONS = 16
BLANK = thumb(np.zeros((SIDE, SIDE, 3), np.uint8))


def unit(random):
    """A random embedding."""
    vector = random.standard_normal(DIMENSIONS).astype(np.float32)
    return vector / np.linalg.norm(vector)


def groups(items, order):
    """The groups that items fall into when they come in this order."""
    index = Twins(DIMENSIONS)
    number = {at: index.add(*items[at]) for at in order}
    leader = {at: index.group(number[at]) for at in order}
    return {frozenset(a for a in order if leader[a] == leader[b]) for b in order}


@given(st.integers(0, 2**32 - 1), st.permutations(range(24)))
@settings(max_examples=30, deadline=None)
def test_groups_do_not_depend_on_the_order(seed, order):
    """The same pictures fall into the same groups in any order of coming."""
    random = np.random.default_rng(seed)
    items = []
    for base in range(8):
        bits = random.integers(0, 256, 32).astype(np.uint8)
        vector = unit(random)
        for copy in range(3):
            flipped = np.unpackbits(bits)
            flipped[random.choice(256, copy * 5, replace=False)] ^= 1
            items.append((bytes([base, copy]), np.packbits(flipped), vector, BLANK))
    assert groups(items, list(range(24))) == groups(items, order)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_no_pair_within_the_limit_is_missed(seed):
    """Two hashes with fewer differing bits than bands share a band (pigeonhole), always."""
    random = np.random.default_rng(seed)
    bits = random.integers(0, 256, 32).astype(np.uint8)
    flipped = np.unpackbits(bits)
    flipped[random.choice(256, BANDS - 1, replace=False)] ^= 1
    index = Twins(DIMENSIONS)
    index.add(b"a", bits, unit(random), BLANK)
    index.add(b"b", np.packbits(flipped), unit(random), BLANK)
    assert index.group(1) == 0


def test_the_same_file_is_the_same_picture():
    """Byte for byte the same counts, even if everything else differed."""
    random = np.random.default_rng(0)
    index = Twins(DIMENSIONS)
    for _ in range(3):
        index.add(b"same", random.integers(0, 256, 32).astype(np.uint8), unit(random), BLANK)
    assert [index.group(i) for i in range(3)] == [0, 0, 0]


def test_different_pictures_stay_apart():
    """A thousand random pictures are a thousand groups."""
    random = np.random.default_rng(0)
    index = Twins(DIMENSIONS)
    for number in range(1000):
        bits = random.integers(0, 256, 32).astype(np.uint8)
        index.add(number.to_bytes(4, "big"), bits, unit(random), BLANK)
    assert {index.group(i) for i in range(1000)} == set(range(1000))


@pytest.mark.parametrize("seed", range(5))
def test_the_hash_of_a_lighter_copy_is_near(seed):
    """Brightness and contrast hardly move it; another product does."""
    pixels = product(seed=seed)
    lighter = np.clip(pixels * 0.9 + 20, 0, 255).astype(np.uint8)
    other = product((200, 80, 20), seed=seed + 100, share=0.4)
    assert distance(fingerprint(pixels), fingerprint(lighter)[None])[0] <= NEAR_BITS
    assert distance(fingerprint(pixels), fingerprint(other)[None])[0] > NEAR_BITS


def cropped(pixels, by):
    """The picture without a share of each side."""
    cut = round(by * len(pixels))
    return pixels[cut : len(pixels) - cut, : len(pixels) - cut]


@pytest.mark.parametrize("by", [0.02, 0.06, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_a_cropped_copy_shows_the_same(by, seed):
    """Cut by up to a tenth of its sides, its hash is far off, and its thumbnail tells."""
    pixels = product(seed=seed)
    copy = cropped(pixels, by)
    assert cut_out(thumb(pixels), thumb(copy))
    assert cut_out(thumb(copy), thumb(pixels))
    index, vector = Twins(DIMENSIONS), unit(np.random.default_rng(0))
    index.add(b"a", fingerprint(pixels), vector, thumb(pixels))
    index.add(b"b", fingerprint(copy), vector, thumb(copy))
    assert index.group(1) == 0


@pytest.mark.parametrize("seed", range(3))
def test_another_product_of_one_shape_is_no_copy(seed):
    """Neither another colour, nor other details, nor the picture mirrored."""
    pixels = product(seed=seed)
    others = [pixels[..., ::-1], product(seed=seed + 50), pixels[:, ::-1]]
    assert not any(cut_out(thumb(pixels), thumb(np.ascontiguousarray(one))) for one in others)


def test_pictures_of_nothing_are_not_compared():
    """Plain fields have nothing to be laid over each other by; that is no error."""
    assert not cut_out(BLANK, thumb(np.full((SIDE, SIDE, 3), 255, np.uint8)))
