r"""Pictures of something else: how many are called none of ours.

    python -m benchmarks.catalog.strangers bundles/shop cookies clothing --key signing.pub

Of each FOLDER up to --count pictures are drawn, by seed 0. That the shop's own pictures are not
called so is what `linewarden train --task catalog` measures on its test.
"""

import argparse
import contextlib
from pathlib import Path

import numpy as np

from edge.catalog.looking import BATCH
from edge.catalog.model import CatalogModel
from export import picture
from export.errors import PictureError
from export.figures import Figure, save, table
from export.preprocess import Pixels, shrink
from export.signature import load_public
from trainer.rates import Rate

SEED = 0


def frames(folder: Path, count: int, model: CatalogModel) -> Pixels:
    """Up to `count` pictures below a folder as the model sees them: (N,H,W,3)."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in picture.SUFFIXES)
    drawn = np.random.default_rng(SEED).permutation(len(files))
    shown: list[Pixels] = []
    for at in drawn:
        if len(shown) < count and "mask" not in str(files[at]):
            with contextlib.suppress(PictureError):
                shown.append(shrink(picture.read(files[at]), model.bundle.input))
    return np.stack(shown)


def main() -> None:
    """Measure, print the table, write results/catalog-strangers.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--key", type=Path, default=Path(".linewarden/signing.pub"))
    parser.add_argument("--count", type=int, default=50)
    asked = parser.parse_args()
    model = CatalogModel(asked.bundle, [load_public(asked.key)], threads=0)
    limit = model.bundle.manifest.novel_above
    figures: list[Figure] = []
    for folder in asked.folders:
        seen = frames(folder, asked.count, model)
        told = [model.tell(seen[at : at + BATCH]).novelty for at in range(0, len(seen), BATCH)]
        rate = Rate(int((np.concatenate(told) >= limit).sum()), len(seen))
        low, high = rate.interval()
        note = f"{rate.k} of {rate.n}, 95 % {low:.3f} to {high:.3f}"
        figures.append(Figure(f"{folder.name}: called none of ours", rate.value, "", "", note))
    print(f"{table(figures)}\n\n{save('catalog-strangers', figures, seed=SEED)}")


if __name__ == "__main__":
    main()
