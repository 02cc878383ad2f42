"""`make fuzz`: hostile pictures, bundles and payloads before the real readers, by a printed seed.

`python -m tests.fuzz --images 20000 --models 1000 --payloads 50000 --live 2000 --seed 7` prints a
table, writes results/fuzz.json, and keeps whatever broke something below results/fuzz/, to be fed
again. Real pictures are lent by LINEWARDEN_TEST_DATA. 0 of a kind leaves it out.
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

from export.figures import Figure, save, table
from tests.fuzz import images, live, models, payloads
from tests.fuzz.bundles import UNSIGNED
from trainer.progress import Progress

KEEP = Path("results/fuzz")


def suite(asked: argparse.Namespace, keep: Path, progress: Progress) -> list[Figure]:
    """Every subject that was asked for, as figures."""
    found: list[Figure] = []
    lent = os.environ.get("LINEWARDEN_TEST_DATA")
    if asked.images:
        with progress.phase("images", asked.images) as advance:
            tally = images.fuzz(
                asked.images, asked.seed, keep, Path(lent) if lent else None, advance
            )
        found += images.figures(tally)
    if asked.models:
        with progress.phase("bundles", asked.models) as advance:
            tried, armed = models.fuzz(asked.models, asked.armings, asked.seed, keep, advance)
        found += models.figures(tried, armed, UNSIGNED)
    if asked.payloads:
        with progress.phase("payloads", asked.payloads) as advance:
            tally = payloads.fuzz(asked.payloads, asked.seed, keep, advance)
        found += payloads.figures(tally)
    if asked.live:
        with tempfile.TemporaryDirectory() as folder, progress.phase("live", asked.live) as advance:
            found += live.figures(live.live(asked.live, asked.seed, Path(folder), advance))
    return found


def main() -> None:
    """Run it and say so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--armings", type=int, default=100, help="of the bundles, armed for real")
    parser.add_argument("--payloads", type=int, default=50_000)
    parser.add_argument("--live", type=int, default=2000, help="commands to a real box")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    found = suite(asked, KEEP, Progress())
    print(table(found))
    print(f"written to {save('fuzz', found, seed=asked.seed)}; what broke something: {KEEP}")
    sys.exit(any(figure.holds is False for figure in found))


if __name__ == "__main__":
    main()
