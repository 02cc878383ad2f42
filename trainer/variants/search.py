"""The search for an INT8 graph that holds: layers go back to FP32 until its answers are close.

First all layers are quantised, then all but the first, which sees the picture itself. If neither
holds, every layer is quantised alone and ranked by the noise that it makes, and the worst 1, 2,
4, 8… stay in FP32. The search ends at the first graph whose noise is within the limit, or when half
of the multiplications are back in FP32: then there is nothing to win, and the variant is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from export.preprocess import Pixels
from trainer.progress import Progress
from trainer.variants.answered import Answered, ask, noise
from trainer.variants.int8 import Quantiser
from trainer.variants.layers import Layer, share_of_work

NOISE = 0.2  # standard deviations of what is told apart: makes their spread 2 % wider
LEAST_WORK = 0.5  # of the multiplications, in INT8
RANKED_ON = 16  # pictures: a ranking needs fewer than a verdict


@dataclass(frozen=True, slots=True)
class Found:
    """An INT8 graph that holds.

    Attributes:
        model: its file.
        noise: on the validation pictures.
        in_float: the layers left in FP32.
        work: share of the multiplications in INT8.
    """

    model: Path
    noise: float
    in_float: tuple[str, ...]
    work: float


class RefusedError(Exception):
    """A variant that isn't released; the message says why, for people."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """One search.

    Attributes:
        quantiser: of the FP32 graph.
        frames: (N,h,w,3) validation pictures.
        wanted: FP32's answers to them.
        progress: told how far it is.
        limit: of the noise.
    """

    quantiser: Quantiser
    frames: Pixels
    wanted: Answered
    progress: Progress
    limit: float = NOISE

    def run(self) -> Found:
        """The first graph that holds; raises RefusedError if none does."""
        tried: list[float] = []
        for number, left in enumerate(self._left_in_float()):
            inside = tuple(layer for layer in self.quantiser.layers if layer not in left)
            work = share_of_work(inside, self.quantiser.layers)
            if work < LEAST_WORK:
                break
            model = self.quantiser.write(inside, self.quantiser.scratch / f"try{number}.onnx")
            tried.append(noise(self.wanted, ask(model, self.frames)))
            self.progress.say(
                f"  int8, {len(left)} of {len(self.quantiser.layers)} layers in fp32: noise "
                f"{tried[-1]:.3f} of {self.limit:g} allowed"
            )
            if tried[-1] <= self.limit:
                return Found(model, tried[-1], tuple(layer.name for layer in left), work)
        raise RefusedError(
            f"its answers stay {min(tried):.2f} standard deviations from fp32's, "
            f"{self.limit:g} are allowed, with half of the multiplications back in fp32"
        )

    def _left_in_float(self) -> Iterator[tuple[Layer, ...]]:
        yield ()
        yield self.quantiser.layers[:1]
        ranked = self._ranked()
        count = 1
        while count < len(ranked):
            yield tuple(layer for layer, _ in ranked[:count])
            count *= 2

    def _ranked(self) -> Sequence[tuple[Layer, float]]:
        """Every layer with the noise that it makes alone, the worst first."""
        few = min(len(self.frames), RANKED_ON)
        frames = self.frames[:few]
        wanted = self.wanted.of(range(few))
        found: list[tuple[Layer, float]] = []
        with self.progress.phase("ranking layers", len(self.quantiser.layers)) as advance:
            for layer in self.quantiser.layers:
                alone = self.quantiser.write([layer], self.quantiser.scratch / "alone.onnx")
                found.append((layer, noise(wanted, ask(alone, frames))))
                advance()
        found.sort(key=lambda one: -one[1])
        worst = ", ".join(f"{layer.name} {made:.3f}" for layer, made in found[:5])
        self.progress.say(f"  most noise alone: {worst}")
        return found
