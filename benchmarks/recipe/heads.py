"""The head's own questions, on cached features: `python -m benchmarks.recipe.heads`.

Input size, pooling, how many fixed views it learns from, and whether it is fitted again with the
choosing parts once they have chosen. The same parts as benchmarks/recipe/study.py, dealt several
times; a cell is the mean over rounds of the judging parts' AUROC, beside the first way's. For
example, with LINEWARDEN_TEST_DATA set:

    python -m benchmarks.recipe.heads --sets magnetic_tile --deals 2
"""

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.recipe.grid import BASE
from benchmarks.recipe.study import SOURCES, Ground, network, prepare
from trainer import head
from trainer.advise.arms import of_known_types
from trainer.advise.figures import estimate
from trainer.advise.rounds import Round
from trainer.backbone import Network
from trainer.finetune import judge
from trainer.workers import settle

MEAN, PEAK = (0, 2), (1, 3)  # which quarters of the features are means, and which maxima


@dataclass(frozen=True, slots=True)
class Way:
    """One way to make a head: `keep` of the pooled features, `views` of four mirror images.

    `again`: the views in which it learns once more, from the choosing parts, too.
    """

    name: str
    scale: float = 1.0
    views: tuple[int, ...] = (0, 3)
    keep: tuple[int, ...] = MEAN + PEAK
    again: tuple[int, ...] = ()


WAYS = (
    Way("base: two views, mean and maximum"),
    Way("fitted again with the choosing parts", again=(0, 3)),
    Way("one view", views=(0,)),
    Way("four views", views=(0, 1, 2, 3)),
    Way("four views, fitted again", views=(0, 1, 2, 3), again=(0, 1, 2, 3)),
    Way("fitted again in four views", again=(0, 1, 2, 3)),
    Way("means alone", keep=MEAN),
    Way("maxima alone", keep=PEAK),
    Way("input 0.7 of the side", scale=0.7),
    Way("input 1.4 of the side", scale=1.4),
)


def mirrored(frames: np.ndarray) -> Iterator[np.ndarray]:
    """(N,H,W,3) as it is, mirrored, upside down, half turned."""
    for up in (1, -1):
        for left in (1, -1):
            yield frames[:, ::up, ::left]


def fitted(net: Network, ground: Ground, views: dict[int, Tensor], dealt: Round, way: Way) -> float:
    """AUROC on the judging parts of a head fitted in one round; `views` are (N,F) each."""
    labels = of_known_types(ground.labels, dealt.learn)
    net.head = torch.nn.Linear(views[0].shape[1], int(labels.max()) + 1)

    @torch.inference_mode()
    def found(at: np.ndarray) -> tuple[float, float]:
        return judge(net.classify(views[0][at]).numpy(), labels[at])

    def fit(at: np.ndarray, which: tuple[int, ...], grid: tuple[float, ...]) -> float:
        seen = torch.cat([views[number][at] for number in which])
        head.standardise(net, seen)
        many = np.tile(labels[at], len(which))
        return head.fit(net, seen, many, grid, lambda: found(dealt.choose)[0])[0]

    strength = fit(dealt.learn, way.views, BASE.head_grid)
    if way.again:
        fit(np.concatenate([dealt.learn, dealt.choose]), way.again, (strength,))
    return found(dealt.judge)[1]


def measure(name: str, way: Way, deals: int, scratch: Path) -> list[float]:
    """One AUROC per round."""
    data = Path(os.environ["LINEWARDEN_TEST_DATA"])
    ground = prepare(SOURCES[name], way.scale, data, scratch, deals)
    net = network(int(ground.labels.max()) + 1, 0)
    a, b = net.arch.channels
    views: dict[int, Tensor] = {}
    for number, frames in enumerate(mirrored(ground.frames)):
        kept = scratch / f"{name}-{way.scale}-{number}.pt"
        if number in {0, *way.views, *way.again}:
            if not kept.exists():
                torch.save(head.features(net, frames, bf16=False), kept)
            parts = torch.load(kept).split((a, a, b, b), dim=1)
            views[number] = torch.cat([parts[i] for i in sorted(way.keep)], dim=1)
    net.centre, net.spread = torch.zeros(views[0].shape[1]), torch.ones(views[0].shape[1])
    return [fitted(net, ground, views, dealt, way) for dealt in ground.rounds]


def main() -> None:
    """Parse, run what is missing, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/heads.jsonl"))
    parser.add_argument("--scratch", type=Path, default=Path("results/recipe"))
    parser.add_argument("--sets", nargs="+", default=list(SOURCES))
    parser.add_argument("--ways", nargs="+", type=int, default=list(range(len(WAYS))))
    parser.add_argument("--deals", type=int, default=2)
    asked = parser.parse_args()
    settle(1)
    asked.scratch.mkdir(parents=True, exist_ok=True)
    done = _read(asked.out)
    for name in asked.sets:
        for way in [WAYS[number] for number in asked.ways]:
            if (name, way.name) not in done:
                values = measure(name, way, asked.deals, asked.scratch)
                done[name, way.name] = values
                with asked.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"set": name, "way": way.name, "auroc": values}) + "\n")
            print(_line(name, way, done), flush=True)


def _read(path: Path) -> dict[tuple[str, str], list[float]]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return {(row["set"], row["way"]): row["auroc"] for row in rows}


def _line(name: str, way: Way, done: dict[tuple[str, str], list[float]]) -> str:
    mine = np.array(done[name, way.name])
    base = np.array(done.get((name, WAYS[0].name), np.full(len(mine), np.nan)))
    gain = estimate((100 * (mine - base)).tolist(), 1 / 3, bounds=(-100.0, 100.0))
    told = f"{gain.mean:+.1f} ({gain.low:+.1f} to {gain.high:+.1f})"
    return f"| {name} | {way.name} | {mine.mean():.3f} | {told} | {len(mine)} |"


if __name__ == "__main__":
    main()
