import numpy as np
import pytest

from edge.frame import Frame
from edge.trigger.gate import Gate, GateSettings
from edge.trigger.trigger import Another, Triggered
from tests.edge.trigger.test_gate import WIDTH, Belt, watch


def parts(belt, gate, numbers=None, pixels=None):
    """{frame that decides alone: [other frames]} of each part, in order; and what stayed open."""
    found, still = {}, set()
    for number in numbers or range(belt.frames):
        shown = belt.frame(number) if pixels is None else pixels(number)
        for one in gate.see(Frame(shown, "c", number, 0, 0)):
            if isinstance(one, Triggered):
                found[one] = [frame.number for frame in one.others]
                still |= {one} if one.more else set()
            else:
                assert isinstance(one, Another)
                assert one.of in still
                found[one.of] += [one.frame.number] if one.frame else []
                still -= {one.of} if one.last else set()
    return {one.seen.number: others for one, others in found.items()}, still


def test_a_further_frame_tells_how_far_the_part_has_moved():
    """So that the judge looks at the part, not at the place where it is usually judged."""
    belt = Belt(2, step=8, pitch=200, seed=9, start=-60)
    told, gate = [], Gate(GateSettings(frames=3, spread=0.4))
    for number in range(belt.frames):
        for one in gate.see(Frame(belt.frame(number), "c", number, 0, 0)):
            best = one.of.seen if isinstance(one, Another) else one.seen
            others = [one.frame] if isinstance(one, Another) else one.others
            told += [(other.number - best.number, other.moved) for other in others]
            assert best.moved == (0.0, 0.0)
    assert len(told) == 4
    for frames, moved in told:
        assert moved == pytest.approx((frames * belt.step / WIDTH, 0.0), abs=0.02)


@pytest.mark.parametrize(("frames", "reverse"), [(2, False), (3, True), (4, True), (8, False)])
def test_a_part_is_shown_in_as_many_frames_as_were_asked_for(frames, reverse):
    """Spread over the share of the picture that was asked for, half of them before the line."""
    belt = Belt(3, step=4, pitch=160, seed=1, start=-60, reverse=reverse)
    gate = Gate(GateSettings(frames=frames, spread=0.4))
    found, still = parts(belt, gate)
    assert (len(found), still) == (3, set())
    step = 0.2 * WIDTH / (frames // 2) / belt.step
    for best, others in found.items():
        assert sum(other < best for other in others) == frames // 2
        assert sum(other > best for other in others) == (frames - 1) // 2
        places = np.sort([best, *others])
        assert np.abs(np.diff(places) - step).max() <= 2


@pytest.mark.parametrize("frames", [2, 5])
def test_the_frame_that_decides_alone_is_the_one_of_a_single_shot(frames):
    """Asking for more frames changes neither which parts there are nor their best frame."""
    belt = Belt(8, step=20, pitch=260, seed=2)
    found, _ = parts(belt, Gate(GateSettings(frames=frames, spread=0.3)))
    assert list(found) == watch(belt, Gate())


def test_a_fast_belt_gives_fewer_frames_and_none_twice():
    """A part that is seen only in a few frames is judged by those."""
    belt = Belt(6, step=70.0, pitch=300, seed=2)
    found, still = parts(belt, Gate(GateSettings(frames=8, spread=0.8)))
    assert (len(found), still) == (6, set())
    for best, others in found.items():
        assert len({best, *others}) == len(others) + 1 <= 5


def test_a_part_that_is_cut_off_by_the_border_is_not_taken():
    """With marks at the borders themselves, every frame still shows the whole part."""
    belt = Belt(2, step=4, pitch=250, seed=3, start=-60)
    found, still = parts(belt, Gate(GateSettings(frames=8, spread=0.8)))
    assert still == set()
    for index, (best, others) in enumerate(found.items()):
        half = belt.sizes[index][0] / 2
        for number in (best, *others):
            centre = belt.offsets[index] + number * belt.step
            assert half < centre + 4 < WIDTH + 8 - half


def test_a_part_that_vanishes_behind_the_line_is_closed():
    """Nobody waits for frames of what was taken from the belt."""
    belt = Belt(1, step=4, seed=4, start=-60)
    gate = Gate(GateSettings(frames=3, spread=0.5))
    gone = round(belt.centres[0]) + 4

    def pixels(number):
        return belt.frame(number if number < gone else 0)

    found, still = parts(belt, gate, range(gone + 40), pixels)
    ((_, others),) = found.items()
    assert (len(others), still) == (1, set())


def test_a_part_that_leaves_backwards_is_none():
    """Frames from before the line are no part: it must reach it."""
    belt = Belt(1, step=4, seed=5, start=-60)
    turn = round(belt.centres[0]) - 6
    places = [*range(turn), *range(turn, 0, -1)]
    gate = Gate(GateSettings(frames=5, spread=0.5))
    found, _ = parts(belt, gate, range(len(places)), lambda n: belt.frame(places[n]))
    assert found == {}


def test_settings_that_describe_no_frames_are_refused():
    """None at all, or spread over more than the picture."""
    for wrong in ({"frames": 0}, {"spread": 0.0}, {"spread": 1.5}):
        with pytest.raises(ValueError, match="frames about a line"):
            GateSettings(**wrong)
