"""Planted faults and near duplicates: what each finding finds, and what it takes for one.

    python -m benchmarks.catalog.planted SETS… [--bundle BUNDLE]

SETS are folders of product pictures, such as a shop's studio and its customers' photos. Limits
were placed on the pictures with an even hash; what is printed is of the others. Precision is among
one planted and one untouched copy of each picture: an untouched picture with a fault of its own
counts as a false alarm. With a BUNDLE near duplicates are judged too, against all pairs of
different pictures.
"""

import argparse
import hashlib
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from benchmarks.catalog.faults import FAULTS, TWINS
from edge.catalog.choose import twins_of
from edge.catalog.findings import EVEN, WHITE, Limits, findings
from edge.catalog.look import Look, completed, measured
from edge.catalog.model import CatalogModel
from export import picture
from export.catalog_golden import CatalogAnswers
from export.figures import Figure, save, table
from export.preprocess import Input
from export.signature import load_public
from trainer.rates import Rate

SEED, MOST = 0, 120
_KIND = {"watermarked": "marked"}


class _Unasked:
    """A bundle's stand-in where the model isn't asked."""

    class manifest:  # noqa: N801 - stands for a field
        """Two names, so that there is a second."""

        categories = ("any", "other")
        novel_above = 2.0

    input = Input(32, 32)


def _looks(pictures: dict[str, np.ndarray], model: CatalogModel | None) -> dict[str, Look]:
    bundle = model.bundle if model else _Unasked()
    found: dict[str, Look] = {}
    for name, pixels in pictures.items():
        _, data = cv2.imencode(".png", pixels)
        seen, frame = measured(data.tobytes(), name, bundle)  # pyright: ignore[reportArgumentType]
        told = model.tell(frame[None]) if model else CatalogAnswers(
            np.array([[1, 0]], np.float32), np.zeros(1, np.float32), np.zeros(1, np.float32),
            np.ones((1, 2), np.float32) / np.float32(2**0.5),
        )  # fmt: skip
        found[name] = completed([seen], told, bundle)[0]  # pyright: ignore[reportArgumentType]
    return found


def look_at(pixels: np.ndarray, name: str) -> Look:
    """The look at a picture, the model not asked."""
    return _looks({name: pixels}, None)[name]


def files_of_half(folder: Path, half: str, most: int = MOST) -> list[Path]:
    """At most so many of a folder's pictures on one side of the hash of their names."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in picture.SUFFIXES)
    files = [p for p in files if _half(p) == half]
    return [files[i] for i in np.linspace(0, len(files) - 1, min(most, len(files))).astype(int)]


def _half(path: Path) -> str:
    return "placed" if hashlib.sha256(path.name.encode()).digest()[0] % 2 == 0 else "measured"


def _framed(pixels: np.ndarray) -> np.ndarray:
    """The picture with a tenth of its background around it, so that its subject is whole."""
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    wide = [round(0.1 * side) for side in (pixels.shape[0],) * 2 + (pixels.shape[1],) * 2]
    colour = np.median(rim, axis=0).tolist()
    return cv2.copyMakeBorder(pixels, *wide, cv2.BORDER_CONSTANT, value=colour)


def faults(folder: Path, limits: Limits, half: str) -> list[Figure]:
    """Recall and precision of each finding on one half of a folder's pictures."""
    files = files_of_half(folder, half)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    random = np.random.default_rng(SEED)
    for path in files:
        pixels = picture.read(path)
        plain = _looks({"plain": pixels}, None)["plain"]
        alarms = {one.kind for one in findings(plain, limits)}
        for name, plant in FAULTS.items():
            kind = _KIND.get(name, name)
            if kind in ("cut_off", "marked") and not plain.clear:
                continue  # not judged, and said so
            if kind == "marked" and not (plain.whiteness > WHITE and plain.uniform > EVEN):
                continue  # likewise
            if kind == "cut_off":
                framed = _framed(pixels)
                whole = _looks({"x": framed}, None)["x"]
                counts[name][2] += kind in {one.kind for one in findings(whole, limits)}
                planted = _looks({"x": plant(framed, random)}, None)["x"]
            else:
                planted = _looks({"x": plant(pixels, random)}, None)["x"]
            hit = kind in {one.kind for one in findings(planted, limits)}
            counts[name][0] += hit
            counts[name][1] += 1
            counts[name][2] += kind in alarms and kind != "cut_off"
            counts[name][3] += 1
    figures: list[Figure] = []
    for name, (hits, planted, alarms, plain) in counts.items():
        recall, false = Rate(hits, planted), Rate(alarms, plain)
        low, high = recall.interval()
        precision = hits / (hits + alarms) if hits + alarms else 0.0
        note = f"{hits} of {planted}, {100 * low:.0f} to {100 * high:.0f} %; "
        note += f"precision {precision:.0%}, {false.k} of {false.n} untouched"
        figures.append(Figure(f"{folder.name}: {name} found", 100 * recall.value, "%", "", note))
    return figures


def twins(folder: Path, model: CatalogModel) -> list[Figure]:
    """Recall by kind of copy, and how many different pictures fall into one group."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in picture.SUFFIXES)
    files = [files[i] for i in np.linspace(0, len(files) - 1, min(MOST, len(files))).astype(int)]
    random = np.random.default_rng(SEED)
    shown: dict[str, np.ndarray] = {}
    for number, path in enumerate(files):
        pixels = picture.read(path)
        shown[f"{number:04d}"] = pixels
        shown |= {f"{number:04d}-{name}": plant(pixels, random) for name, plant in TWINS.items()}
    looks = _looks(shown, model)
    order = sorted(looks)
    group = dict(zip(order, twins_of([looks[name] for name in order]), strict=True))
    plain = [name for name in order if "-" not in name]
    united = Rate(sum(group[name] != name for name in plain), len(plain))
    figures = [
        Figure(
            f"{folder.name}: different pictures taken for one", 100 * united.value, "%", "",
            f"{united.k} of {united.n}; {', '.join(_united(group, plain, files)[:6])}",
        )
    ]  # fmt: skip
    for kind in TWINS:
        found = Rate(sum(group[f"{n}-{kind}"] == group[n] for n in plain), len(plain))
        low, high = found.interval()
        note = f"{found.k} of {found.n}, {100 * low:.0f} to {100 * high:.0f} %"
        figures.append(
            Figure(f"{folder.name}: copy found, {kind}", 100 * found.value, "%", "", note)
        )
    return figures


def _united(group: dict[str, str], plain: list[str], files: list[Path]) -> list[str]:
    """Which pictures were taken for one, to be looked at."""
    leaders = {group[name]: files[int(name)].stem for name in reversed(plain)}
    return [
        f"{files[int(name)].stem} = {leaders[group[name]]}" for name in plain if group[name] != name
    ]


def main() -> None:
    """Measure, print the table, write results/catalog-planted.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--key", type=Path, default=Path(".linewarden/signing.pub"))
    parser.add_argument("--half", default="measured", choices=["placed", "measured"])
    asked = parser.parse_args()
    figures: list[Figure] = []
    for folder in asked.sets:
        figures += faults(folder, Limits(), asked.half)
    if asked.bundle:
        model = CatalogModel(asked.bundle, [load_public(asked.key)])
        for folder in asked.sets:
            figures += twins(folder, model)
    print(f"{table(figures)}\n\n{save('catalog-planted', figures, seed=SEED)}")


if __name__ == "__main__":
    main()
