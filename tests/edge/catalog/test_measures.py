"""What is measured of a picture, against copies with a planted fault."""

import cv2
import numpy as np
import pytest

from benchmarks.catalog.faults import FAULTS
from edge.catalog.crop import Format, crop, window
from edge.catalog.findings import Limits, findings
from edge.catalog.look import completed, measured
from export.errors import ConfigError
from tests.edge.catalog.conftest import product


def look_of(pixels, model, name="x.png"):
    """The look at a picture."""
    _, data = cv2.imencode(".png", pixels)
    seen, frame = measured(data.tobytes(), name, model.bundle)
    return completed([seen], model.tell(frame[None]), model.bundle)[0]


@pytest.mark.parametrize(
    "fault", ["blurred", "dark", "noisy", "compressed", "tiny", "cut_off", "marked"]
)
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_fault_is_found_and_nothing_else_is_missing(fault, seed, model):
    """A sound picture has no finding; the same with a fault has that one."""
    random, sound = np.random.default_rng(seed), product(seed=seed)
    assert findings(look_of(sound, model), Limits()) == []
    found = findings(look_of(FAULTS[fault](sound, random), model), Limits())
    assert fault in {one.kind for one in found}
    assert all(one.words for one in found)


def test_an_overexposed_picture_is_found_where_its_background_is_not_white(model):
    """A white background is no overexposure; a picture that is mostly clipped is."""
    cluttered = np.random.default_rng(0).integers(90, 250, (300, 300, 3)).astype(np.uint8)
    cluttered = cv2.GaussianBlur(cluttered, (0, 0), 1)
    burnt = FAULTS["burnt"](cluttered, np.random.default_rng(0))
    assert "burnt" in {one.kind for one in findings(look_of(burnt, model), Limits())}
    assert "burnt" not in {one.kind for one in findings(look_of(product(), model), Limits())}


@pytest.mark.parametrize("colour", [(40, 40, 200), (60, 150, 90)])
def test_before_white_the_subject_is_judged(colour, model):
    """What the light took from the product counts, not the white that stood behind it before."""
    sound = product(colour)
    assert "burnt" not in {one.kind for one in findings(look_of(sound, model), Limits())}
    burnt = np.clip(sound * 2.0**1.6, 0, 255).astype(np.uint8)
    found = {one.kind: one.words for one in findings(look_of(burnt, model), Limits())}
    assert "of the subject is clipped" in found["burnt"]


def test_the_subject_of_a_plain_background_is_where_it_was_put(model):
    """The box of a block in the middle is the block, within a twentieth of the frame."""
    look = look_of(product(share=0.5), model)
    assert look.clear
    assert look.box == pytest.approx((0.25, 0.25, 0.5, 0.5), abs=0.05)
    assert look.whiteness > 0.95


def test_before_clutter_nothing_is_said_of_the_subject(model):
    """Where the rim is of many colours, neither share nor cut-off is judged."""
    clutter = np.random.default_rng(1).integers(0, 255, (16, 16, 3)).astype(np.uint8)
    look = look_of(cv2.resize(clutter, (256, 256), interpolation=cv2.INTER_NEAREST), model)
    assert not look.clear
    assert look.touched == ()
    assert "cut_off" not in {one.kind for one in findings(look, Limits())}


@pytest.mark.parametrize("size", ["1000x1000", "600x900", "900x300", "64x64"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_crop_has_the_size_asked_for_and_the_whole_subject(size, share, model):
    """Whatever the shape, the subject's box lies inside the window."""
    pixels = product(share=share, side=400)
    look, to = look_of(pixels, model), Format.parse(size)
    assert crop(pixels, look, to).shape == (to.height, to.width, 3)
    x, y, w, h = (side * 400 for side in look.box)
    assert window(look, to).holds((x, y, w, h))


def test_a_picture_whose_subject_is_unclear_is_kept_whole(model):
    """Nothing is cut where nobody knows where the subject ends."""
    clutter = np.random.default_rng(2).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    pixels = cv2.resize(clutter, (300, 200), interpolation=cv2.INTER_NEAREST)
    look = look_of(pixels, model)
    assert window(look, Format(500, 500)).holds((0, 0, 300, 200))


@pytest.mark.parametrize("text", ["", "12", "0x10", "1000 x", "99999x99999"])
def test_a_size_that_is_none_is_refused(text):
    """The error names the value."""
    with pytest.raises(ConfigError, match="is no size"):
        Format.parse(text)
