"""Planted marks that recur: on all pictures of a folder, on some, on one; what is found of them.

    python -m benchmarks.catalog.marks SETS…

SETS are folders of product pictures. The limits of edge/catalog/recurring.py were placed on the
pictures with an even hash; what is printed is of the others. Every folder is also tried as it is:
whatever is found there is a false alarm.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.catalog.planted import files_of_half, look_at
from edge.catalog.recurring import LEAST, recurring
from edge.catalog.relief import Relief, relief
from export import picture
from export.figures import Figure, save, table
from export.preprocess import Pixels
from trainer.rates import Rate

SEED = 0
SHARES = (1.0, 0.5, 0.2)
Draw = Callable[[Pixels, int, int], None]


def _text(words: str, at: tuple[float, float], size: float, turn: float = 0) -> Draw:
    """Words around a point; `size` per pixel of the picture's width."""

    def draw(mask: Pixels, width: int, height: int) -> None:
        scale = size * width
        thick = max(1, round(2 * scale))
        (wide, high), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
        x, y = at[0] * width, at[1] * height
        place = (int(x - wide / 2), int(y + high / 2))
        cv2.putText(mask, words, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick, cv2.LINE_AA)
        if turn:
            mask[:] = cv2.warpAffine(
                mask, cv2.getRotationMatrix2D((x, y), turn, 1), (width, height)
            )

    return draw


def _logo(mask: Pixels, width: int, height: int) -> None:
    """A ring with a triangle in it, in the middle."""
    x, y, radius = width // 2, height // 2, round(0.15 * width)
    thick, half = max(1, radius // 8), radius // 2
    cv2.circle(mask, (x, y), radius, 255, thick, cv2.LINE_AA)
    corners = np.array([[x - half, y + half], [x, y - half], [x + half, y + half]])
    cv2.polylines(mask, [corners], isClosed=True, color=255, thickness=thick, lineType=cv2.LINE_AA)


# Name → what is drawn, its colour (BGR), its opacity.
MARKS: dict[str, tuple[Draw, tuple[int, int, int], float]] = {
    "red text across, 60 %": (_text("COPYRIGHT", (0.5, 0.5), 0.0025), (60, 60, 200), 0.6),
    "red text across, 30 %": (_text("COPYRIGHT", (0.5, 0.5), 0.0025), (60, 60, 200), 0.3),
    "white text aslant, 20 %": (_text("sample photo", (0.5, 0.5), 0.003, 30), (255,) * 3, 0.2),
    "black text below, 30 %": (_text("www.myshop.com", (0.5, 0.75), 0.002), (20,) * 3, 0.3),
    "grey logo, 50 %": (_logo, (128,) * 3, 0.5),
    "white line in a corner, 40 %": (_text("(c) Foto Lund", (0.75, 0.95), 0.0016), (255,) * 3, 0.4),
}


def marked(pixels: Pixels, name: str) -> Pixels:
    """A copy with that mark."""
    draw, colour, opacity = MARKS[name]
    mask = np.zeros(pixels.shape[:2], np.uint8)
    draw(mask, pixels.shape[1], pixels.shape[0])
    over = (mask.astype(np.float32) / 255 * opacity)[..., None]
    return (pixels * (1 - over) + np.array(colour, np.float32) * over).astype(np.uint8)


class _Folder:
    """Pictures with their looks and reliefs, some of them replaced by marked copies."""

    def __init__(self, folder: Path, half: str, most: int) -> None:
        found = {path.as_posix(): picture.read(path) for path in files_of_half(folder, half, most)}
        self.pixels = found
        self.looks = {path: look_at(pixels, path) for path, pixels in found.items()}
        self.reliefs = {path: relief(pixels) for path, pixels in found.items()}

    def told(self, mark: str | None, bearers: set[str]) -> set[str]:
        """The pictures that are said to bear a mark, where `bearers` do."""
        looks, reliefs = dict(self.looks), dict[str, Relief](self.reliefs)
        for path in bearers:
            copy = marked(self.pixels[path], mark or "")
            looks[path], reliefs[path] = look_at(copy, path), relief(copy)
        return set(recurring(list(looks.values()), lambda paths: ((p, reliefs[p]) for p in paths)))


def figures_of(folder: Path, half: str, most: int) -> list[Figure]:
    """What is found of every mark at every share, and in the folder as it is."""
    there = _Folder(folder, half, most)
    paths = sorted(there.looks)
    random = np.random.default_rng(SEED)
    alarms = Rate(len(there.told(None, set())), len(paths))
    figures = [_figure(f"{folder.name}: no mark, called marked", alarms, "")]
    for name in MARKS:
        for share in SHARES:
            count = max(1, round(share * len(paths)))
            bearers = {paths[i] for i in random.choice(len(paths), count, replace=False)}
            told = there.told(name, bearers)
            found, wrong = Rate(len(told & bearers), count), len(told - bearers)
            others = len(paths) - count
            figures.append(
                _figure(
                    f"{folder.name}: {name}, on {share:.0%}", found, f"{wrong} of {others} others"
                )
            )
        alone = there.told(name, {paths[int(random.integers(len(paths)))]})
        figures.append(_figure(f"{folder.name}: {name}, on one", Rate(len(alone), 1), ""))
    return figures


def _figure(name: str, rate: Rate, others: str) -> Figure:
    low, high = rate.interval()
    note = f"{rate.k} of {rate.n}, {100 * low:.0f} to {100 * high:.0f} %"
    return Figure(name, 100 * rate.value, "%", "", f"{note}; {others}" if others else note)


def main() -> None:
    """Measure, print the table, write results/catalog-marks.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--half", default="measured", choices=["placed", "measured"])
    parser.add_argument("--most", type=int, default=120, help="pictures of a folder")
    asked = parser.parse_args()
    figures = [one for folder in asked.sets for one in figures_of(folder, asked.half, asked.most)]
    print(f"{table(figures)}\n\n{save('catalog-marks', figures, seed=SEED)}")
    print(f"a mark on fewer than {LEAST} different pictures of one shape is not looked for")


if __name__ == "__main__":
    main()
