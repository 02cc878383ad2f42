"""One camera watched frame by frame: which conditions stand, which frame can't be judged by.

Pure: samples in, findings out, with hysteresis; time is the frames' own. Until a reference is
there only what needs none is seen: a frozen, black or white picture.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from edge.camera_health import light
from edge.camera_health.condition import Condition, Latch, Measure, Recent
from edge.camera_health.framing import Motion, Scene
from edge.camera_health.frozen import Repeats
from edge.camera_health.pace import Pace
from edge.camera_health.reference import Reference
from edge.camera_health.sample import Sample

LOOK_NS = 110_000_000  # between two looks at the framing
SEARCH_NS = 200_000_000  # between two searches for a large shift
LAMP_OUT = 0.35  # share of the usual light below which the picture is dark


@dataclass(frozen=True, slots=True)
class Limits:
    """From where a measure is wrong.

    Attributes:
        frozen_frames: so many repeats of one picture.
        light: change of brightness anywhere, as a share (0.15: 15 % brighter or darker).
        focus: share of the edges' steepness that is lost.
        framing: shift of the scene, as a share of the picture's width.
        dropped: share of the frames that don't come.
    """

    frozen_frames: int = 4
    light: float = 0.15
    focus: float = 0.2
    framing: float = 0.01
    dropped: float = 0.2


@dataclass(frozen=True, slots=True)
class Finding:
    """What a frame came to.

    Attributes:
        spoilt: why no part can be judged by this frame, or empty.
        standing: conditions that stand now, in the order of Condition.
        raised, cleared: what has just changed.
        measures: the latest of each measure.
    """

    spoilt: str = ""
    standing: tuple[Condition, ...] = ()
    raised: tuple[Measure, ...] = ()
    cleared: tuple[Condition, ...] = ()
    measures: tuple[Measure, ...] = field(default=())

    @property
    def healthy(self) -> bool:
        """Whether nothing stands and no measure is anywhere near its limit."""
        return not (self.spoilt or self.standing or any(one.excess > 0.6 for one in self.measures))


def _latches() -> dict[Condition, Latch]:
    return {
        Condition.FROZEN: Latch(1, 10),
        Condition.DARK: Latch(3, 10),
        Condition.SATURATED: Latch(3, 10),
        Condition.DEFOCUSED: Latch(2, 10),
        Condition.LIGHT: Latch(3, 10),
        Condition.FRAMING: Latch(2, 6),
        Condition.DROPPING: Latch(3, 30),
    }


class Monitor:
    """Watches one camera against its reference, as soon as it has one.

    Args:
        limits: from where a measure is wrong.
        paced: whether frames come at the camera's own pace, so that missing ones can be told.
    """

    def __init__(self, limits: Limits, *, paced: bool = True) -> None:
        self._limits, self._paced = limits, paced
        self._latches = _latches()
        self._measures: dict[Condition, Measure] = {}
        self._repeats = Repeats()
        self._reference: Reference | None = None
        self._pace: Pace | None = None

    @property
    def reference(self) -> Reference | None:
        """What it compares with; None until commissioned."""
        return self._reference

    def commission(self, reference: Reference) -> None:
        """Compare with this from now on."""
        self._reference = reference
        self._scene = Scene(reference.usual, reference.still)
        self._pace = Pace(reference.period_ns) if self._paced and reference.period_ns else None
        self._steep, self._change, self._shift = Recent(5), Recent(3), Recent(3)
        self._looked_ns = self._searched_ns = -SEARCH_NS

    def see(self, sample: Sample) -> Finding:
        """Look at the next frame."""
        fresh = [self._frozen(sample), *self._paces(sample)]
        if fresh[0].excess <= 0:
            against = self._reference
            if against is not None and against.size != sample.size:
                against = None
            gains = (
                None
                if against is None
                else light.gains(sample.cells, against.cells, against.steady)
            )
            fresh += [self._dark(sample, gains), self._white(sample)]
            if against is not None and gains is not None and not _spoilt(fresh):
                fresh += self._compared(sample, gains, against)
        return self._finding(fresh, _spoilt(fresh))

    def _finding(self, fresh: list[Measure], spoilt: str) -> Finding:
        raised: list[Measure] = []
        cleared: list[Condition] = []
        for measure in fresh:
            self._measures[measure.condition] = measure
            latch = self._latches[measure.condition]
            if latch.see(measure.excess):
                if latch.standing:
                    raised.append(measure)
                else:
                    cleared.append(measure.condition)
        standing = tuple(one for one, latch in self._latches.items() if latch.standing)
        measures = tuple(self._measures.values())
        return Finding(spoilt, standing, tuple(raised), tuple(cleared), measures)

    def _frozen(self, sample: Sample) -> Measure:
        usual = 2 * self._reference.repeats if self._reference else 0
        beyond = self._repeats.see(sample) - usual
        said = f"the picture has been repeated {self._repeats.count} times without any noise"
        return Measure(Condition.FROZEN, beyond / self._limits.frozen_frames, said)

    def _dark(self, sample: Sample, gains: light.Floats | None) -> Measure:
        brightest = light.brightest(sample)
        black = float(light.BLACK)
        if self._reference:
            black = min(black, self._reference.brightest / 2)
        excess = (black + 1) / (brightest + 1)
        said = f"99 of 100 pixels are at most {brightest:.0f} of 255 bright"
        if gains is not None:
            gain = math.exp(float(np.median(gains)))
            if LAMP_OUT / gain > excess:
                excess, said = LAMP_OUT / gain, f"{100 * gain:.0f} % of the usual light is left"
        return Measure(Condition.DARK, excess, said)

    def _white(self, sample: Sample) -> Measure:
        share = light.white_share(sample)
        usual = self._reference.white if self._reference else 0.0
        limit = max(light.MUCH_WHITE, (1 + usual) / 2)
        said = f"{100 * share:.0f} % of the picture is white"
        return Measure(Condition.SATURATED, share / limit, said)

    def _compared(self, sample: Sample, gains: light.Floats, against: Reference) -> list[Measure]:
        """What else needs a reference; light is compared only where the scene lies as it did."""
        lit = self._light(gains, against)
        measures: list[Measure] = []
        if lit.excess >= 1 or sample.captured_ns - self._looked_ns >= LOOK_NS:
            self._looked_ns = sample.captured_ns
            measures.append(self._framing(sample, against))
        if not (measures and measures[0].excess >= 1):
            measures.append(lit)
        if against.steepness and sample.steepness is not None:
            measures.append(self._focus(sample.steepness, against))
        return measures

    def _paces(self, sample: Sample) -> list[Measure]:
        if self._pace is None:
            return []
        missing = self._pace.see(sample.captured_ns)
        said = f"{100 * missing:.0f} % of the frames don't come"
        return [Measure(Condition.DROPPING, missing / self._limits.dropped, said)]

    def _light(self, gains: light.Floats, against: Reference) -> Measure:
        most = float(gains.flat[int(np.abs(gains).argmax())])
        change = self._change.see(abs(most))
        limit = max(math.log1p(self._limits.light), 1.5 * against.light_spread)
        way = "brighter" if most > 0 else "darker"
        said = f"part of the scene is {100 * abs(math.expm1(most)):.0f} % {way} than usual"
        return Measure(Condition.LIGHT, change / limit, said)

    def _focus(self, steepness: float, against: Reference) -> Measure:
        lost = 1 - self._steep.see(steepness) / against.steepness
        limit = max(self._limits.focus, 1.5 * against.steepness_spread)
        said = f"edges have lost {100 * lost:.0f} % of their steepness"
        return Measure(Condition.DEFOCUSED, max(0.0, lost) / limit, said)

    def _framing(self, sample: Sample, against: Reference) -> Measure:
        motion = self._scene.motion(sample.grey)
        far = max(6.0, 3 * against.unlike)
        if motion.unlike > 0.7 * far and sample.captured_ns - self._searched_ns >= SEARCH_NS:
            self._searched_ns = sample.captured_ns
            found = self._scene.search(sample.grey)
            motion = found if found.unlike < 0.7 * motion.unlike else motion
        limit = max(self._limits.framing, 2 * against.shift_spread)
        shift = self._shift.see(motion.shift)
        moved = shift / limit
        said = f"the scene has moved by {100 * shift:.1f} % of the picture's width"
        return Measure(Condition.FRAMING, max(moved, self._unlike(motion, far)), said)

    def _unlike(self, motion: Motion, far: float) -> float:
        """What neither shift nor other conditions explain is a scene that isn't the usual one."""
        others = (Condition.LIGHT, Condition.DEFOCUSED)
        explained = any(self._excess(one) >= 1 for one in others)
        return 0.0 if explained else motion.unlike / far

    def _excess(self, condition: Condition) -> float:
        measure = self._measures.get(condition)
        return measure.excess if measure else 0.0


def _spoilt(fresh: list[Measure]) -> str:
    """Why nothing can be judged by a frame: from the first repeat on, when black, when white."""
    for measure in fresh:
        limit = 1e-9 if measure.condition is Condition.FROZEN else 1.0
        wrong = measure.condition in (Condition.FROZEN, Condition.DARK, Condition.SATURATED)
        if wrong and measure.excess >= limit:
            return measure.said
    return ""
