import cv2
import numpy as np
import pytest

from edge.frame import Frame, Unusable
from edge.trigger.gate import Gate, GateSettings
from edge.trigger.trigger import ByCamera, EveryFrame

WIDTH, HEIGHT, LOOP = 320, 200, 4096


class Belt:
    """Parts of random size and brightness on a noisy, textured belt that moves under the lens.

    The part numbered i is at the picture's centre at `centres[i]` (a fractional frame number).
    """

    def __init__(self, parts, *, step=40.0, pitch=240.0, seed=0, start=-200.0, reverse=False):
        rng = np.random.default_rng(seed)
        self.step, self.reverse = step, reverse
        gaps = pitch * rng.uniform(1.0, 1.5, parts)
        self.offsets = -(np.cumsum(gaps) - gaps[0]) + start
        self.sizes = rng.integers(40, 120, (parts, 2))
        self.greys = rng.choice([40, 170, 220], parts)
        self.rows = rng.integers(HEIGHT // 2 - 20, HEIGHT // 2 + 20, parts)
        loop = rng.normal(100, 6, (HEIGHT, LOOP)).astype(np.float32)
        self.belt = np.hstack((loop, loop[:, :WIDTH]))
        self.noise = rng.normal(0, 3, (8, HEIGHT, WIDTH)).astype(np.float32)
        self.centres = (WIDTH / 2 - self.offsets) / step
        self.frames = int(self.centres[-1] + WIDTH / step)

    def frame(self, number, light=1.0):
        begin = -int(number * self.step) % LOOP
        picture = self.belt[:, begin : begin + WIDTH].copy()
        places = self.offsets + number * self.step
        for index in np.flatnonzero((places > -100) & (places < WIDTH + 100)):
            (width, height), row = self.sizes[index], self.rows[index]
            left, top = round(places[index] - width / 2), max(0, row - height // 2)
            across = slice(max(0, left), max(0, left + width))
            picture[top : row + height // 2, across] = self.greys[index]
            picture[row - 4 : row + 4, max(0, left + 8) : max(0, left + 16)] = 100
        picture = picture * light + self.noise[number % 8]
        grey = np.clip(picture, 0, 255).astype(np.uint8)
        pixels = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        return np.ascontiguousarray(pixels[:, ::-1]) if self.reverse else pixels


def show(gate, number, pixels):
    """Numbers of the frames that the gate triggers on when it sees one more."""
    return [one.seen.number for one in gate.see(Frame(pixels, "c", number, 0, 0))]


def watch(belt, gate, first=0, light=lambda _number: 1.0):
    """Numbers of all frames that the gate triggers on."""
    numbers = range(first, belt.frames)
    return [hit for n in numbers for hit in show(gate, n, belt.frame(n, light(n)))]


@pytest.mark.parametrize(("parts", "reverse"), [(500, False), (60, True)])
def test_five_hundred_parts_are_triggered_once_each_at_their_centre(parts, reverse):
    """Exactly one trigger per part, in the frame where it is nearest the line, either way."""
    belt = Belt(parts, seed=1, reverse=reverse)
    hits = watch(belt, Gate())
    assert len(hits) == parts
    assert np.abs(np.array(hits) - belt.centres).max() <= 0.75


@pytest.mark.parametrize("step", [3.0, 11.0, 70.0])
def test_any_speed_of_the_belt_will_do(step):
    """Slow or fast, a part is triggered once."""
    belt = Belt(6, step=step, pitch=260, seed=2)
    hits = watch(belt, Gate())
    assert len(hits) == 6
    assert np.abs(np.array(hits) - belt.centres).max() * step <= 0.75 * step + 4


@pytest.mark.parametrize("first", [0, 1, 2, 3, 4])
def test_a_part_in_view_at_the_start_leaves_no_ghost(first):
    """Begun with a part in the picture: it is triggered at most once, all later ones exactly so."""
    belt = Belt(40, start=WIDTH * 0.2, seed=3)
    hits = np.array(watch(belt, Gate(), first))
    later = belt.centres[1:]
    assert len(hits) in (39, 40)
    assert np.abs(hits[-39:] - later).max() <= 1


def test_light_that_drifts_and_flickers_makes_no_part():
    """The light falls by half and back over 300 frames, with a ripple."""
    belt = Belt(60, seed=4)

    def light(number):
        return 0.8 + 0.25 * np.cos(number / 50) + 0.02 * np.sin(number * 2.1)

    assert len(watch(belt, Gate(), light=light)) == 60


def test_an_empty_belt_makes_no_part():
    """Texture, noise and specks smaller than the smallest part are not parts."""
    belt, gate = Belt(1, start=-1e6), Gate()
    rng = np.random.default_rng(5)
    for number in range(300):
        pixels = belt.frame(number).copy()
        row, column = rng.integers(0, HEIGHT - 5), rng.integers(0, WIDTH - 5)
        pixels[row : row + 5, column : column + 5] = 255
        assert show(gate, number, pixels) == []


def test_a_part_that_stops_and_trembles_on_the_line_is_one_part():
    """The belt stops with a part on the line and jitters: it was triggered once, and stays so."""
    belt, gate, hits = Belt(2, step=10, seed=6), Gate(), []
    places = [*range(int(belt.centres[0]) + 1)]
    places += [places[-1] + index % 2 for index in range(100)]
    places += [*range(places[-1], belt.frames)]
    for number, place in enumerate(places):
        hits += show(gate, number, belt.frame(place))
    assert len(hits) == 2


@pytest.mark.parametrize("stop", [0.2, 0.5, 0.9])
def test_a_belt_that_stands_for_long_doubles_and_loses_no_part(stop):
    """Parts in view while the belt stands are still parts when it moves on."""
    belt, gate = Belt(6, step=20, pitch=130.0, seed=3), Gate()
    standing = round(belt.centres[2] + stop * (belt.centres[3] - belt.centres[2]))
    places = [*range(standing), *[standing] * 400, *range(standing, belt.frames)]
    hits = [hit for n, place in enumerate(places) for hit in show(gate, n, belt.frame(place))]
    assert len(hits) == 6


def test_frames_lost_on_the_way_lose_no_part():
    """With every other frame overwritten, each part is still triggered once."""
    belt, gate, hits = Belt(80, step=25, seed=7), Gate(), []
    rng = np.random.default_rng(7)
    for number in range(belt.frames):
        if rng.random() < 0.5:
            hits += show(gate, number, belt.frame(number))
    assert len(hits) == 80


def test_parts_may_move_down_the_picture():
    """With axis y the line lies across the picture's height."""
    belt, gate, hits = Belt(10, seed=8), Gate(GateSettings(axis="y")), []
    for number in range(belt.frames):
        pixels = np.ascontiguousarray(belt.frame(number).transpose(1, 0, 2))
        hits += show(gate, number, pixels)
    assert np.abs(np.array(hits) - belt.centres).max() <= 0.75


def test_the_line_may_stand_elsewhere():
    """A part is triggered at the line that was asked for."""
    belt = Belt(10, step=10, seed=9)
    hits = np.array(watch(belt, Gate(GateSettings(line=0.3))))
    assert np.abs(hits - (belt.centres - 0.2 * WIDTH / 10)).max() <= 1


def test_settings_that_describe_no_line_are_refused():
    """A line outside the picture, or an axis that isn't one."""
    for wrong in ({"line": 1.0}, {"axis": "z"}, {"min_size": 0.0}):
        with pytest.raises(ValueError, match="line within the picture"):
            GateSettings(**wrong)


def test_every_frame_is_a_part_even_if_it_cannot_be_used():
    """The place of a damaged picture is a part that is due a verdict."""
    bad = Unusable("torn", "c", 3, 0, 0, "a.png")
    assert [one.part for one in EveryFrame().see(bad)] == ["a.png"]
    assert Gate().see(bad) == []


def test_a_frame_that_a_triggered_camera_lost_is_a_part_too():
    """It can't be judged, so it isn't passed; the order of parts is that of their frames."""
    eye = ByCamera()
    told = [eye.see(Frame(None, "c", number, 5, 0, f"p{number}")) for number in (4, 5, 8)]
    numbers = [[one.seen.number for one in found] for found in told]
    assert numbers == [[4], [5], [6, 7, 8]]
    assert [type(one.seen) for one in told[2]] == [Unusable, Unusable, Frame]
    assert told[2][0].seen.why == "frame 6 was lost on its way from the camera"
    assert len(eye.see(Frame(None, "c", 10**6, 5, 0))) == 101


@pytest.mark.real_data
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("folder", "centred"),
    [
        ("fruit-and-vegetable-detection", [17, 33, 72, 92]),  # apple, broccoli, cauliflower, orange
        ("bolt-multi-size-detection", [12]),
    ],
)
def test_each_item_on_a_real_conveyor_is_triggered_once(real_data, folder, centred, backwards):
    """One trigger per passing item, within a frame of where a person sees it centred."""
    files = sorted((real_data / "line_video" / folder).glob("*.jpg"))
    gate, hits = Gate(), []
    order = list(enumerate(files))
    for number, (index, file) in enumerate(reversed(order) if backwards else order):
        frame = Frame(cv2.imread(str(file)), "c", number, 0, 0, str(index))
        hits += [int(one.seen.label) for one in gate.see(frame)]
    assert len(hits) == len(centred)
    assert max(abs(hit - seen) for hit, seen in zip(sorted(hits), centred, strict=True)) <= 1


def test_parts_that_touch_are_told():
    """A row without a gap fills the view: nobody can count its parts, and that is no secret."""
    gate, row = Gate(GateSettings()), np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for number in range(10):
        show(gate, number, row)
    assert gate.trouble == ""
    row[60:140] = 200
    for number in range(10, 20):
        show(gate, number, row)
    assert "min_size" in gate.trouble
    row[:, 100:200] = 90
    show(gate, 20, row)
    assert gate.trouble == ""
