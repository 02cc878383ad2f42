"""Runs the cells that aren't done yet, cheapest first, and prints the table.

For example, from the repository's root, with LINEWARDEN_TEST_DATA set:

    python -m benchmarks.models --arch resnet18 --weights starter --seeds 5
    python -m benchmarks.models --arch vgg16 --weights vgg16.safetensors --sets cookies
    python -m benchmarks.models --contenders patchcore --anomalib peers/bin/python
    python -m benchmarks.models --table
"""

import argparse
import os
from pathlib import Path

from trainer.workers import settle


def main() -> None:
    """Parse, run what is missing, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.models", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/models.jsonl"))
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--weights", default="starter")
    parser.add_argument("--contenders", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=25, help="of torchvision's recipes")
    parser.add_argument("--anomalib", type=Path, help="Python of a virtualenv that has anomalib")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only print what is done")
    asked = parser.parse_args()
    settle(asked.threads)
    from benchmarks.models.cells import SETS, Key, append, read, table
    from benchmarks.models.contenders import CONTENDERS, Ground, run

    if not asked.table:
        data = Path(os.environ["LINEWARDEN_TEST_DATA"])
        ground = Ground(data, asked.weights, asked.epochs, asked.anomalib)
        wanted = [
            Key(name, asked.arch, contender, seed)
            for contender in asked.contenders or CONTENDERS
            for name in asked.sets or SETS
            for seed in range(asked.seeds)
            if not (SETS[name].types and contender in {"nearest", "patchcore"})
            and not (contender == "patchcore" and asked.anomalib is None)
        ]
        for key in wanted:
            if key not in read(asked.out):
                found = run(key, SETS[key.data], ground)
                append(asked.out, key, found)
                print(key, found, flush=True)
    print(table(read(asked.out)))


if __name__ == "__main__":
    main()
