"""Runs the cells that aren't done yet, round after round, and prints the table.

For example, from the repository's root, with LINEWARDEN_TEST_DATA set:

    python -m benchmarks.recipe --sets toy_aliens cookies brackets --rounds 2
    python -m benchmarks.recipe --sets magnetic_tile --variants base "thawed 1" --rounds 4
    python -m benchmarks.recipe --table
"""

import argparse
import os
from pathlib import Path

from trainer.workers import settle


def main() -> None:
    """Parse, run what is missing, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipe", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/recipe.jsonl"))
    parser.add_argument("--scratch", type=Path, default=Path("results/recipe"))
    parser.add_argument("--sets", nargs="+", default=["toy_aliens", "cookies", "brackets"])
    parser.add_argument("--variants", nargs="+")
    parser.add_argument("--rounds", type=int, default=4, choices=range(1, 5))
    parser.add_argument("--table", action="store_true", help="only print what is done")
    asked = parser.parse_args()
    settle(1)
    from benchmarks.recipe.grid import VARIANTS, Key, append, read, table
    from benchmarks.recipe.study import SOURCES, Ground, prepare, run

    grounds: dict[tuple[str, float], Ground] = {}
    wanted = [
        Key(data, variant, number)
        for number in range(asked.rounds)
        for variant in asked.variants or VARIANTS
        for data in asked.sets
    ]
    for key in [] if asked.table else wanted:
        if key in read(asked.out):
            continue
        at = key.data, VARIANTS[key.variant].scale
        if at not in grounds:
            data = Path(os.environ["LINEWARDEN_TEST_DATA"])
            grounds[at] = prepare(SOURCES[key.data], at[1], data, asked.scratch)
        found = run(key, grounds[at])
        append(asked.out, key, found)
        print(key, found, flush=True)
    print(table(read(asked.out)))


if __name__ == "__main__":
    main()
