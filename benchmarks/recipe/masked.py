"""Can pixel masks teach the head? `python -m benchmarks.recipe.masked`.

From the cached maps of a defective training picture come, beside its own features, those of its
places off the defect, taught as good, and those of the defect's places alone, taught as its type.
The parts and rounds of benchmarks/recipe/study.py; figures are the judging parts' AUROC and
the pointing game (trainer/pointing.py). For example, with LINEWARDEN_TEST_DATA set:

    python -m benchmarks.recipe.masked --sets magnetic_tile
"""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from torch import Tensor

from benchmarks.recipe.grid import BASE
from benchmarks.recipe.study import SOURCES, network, prepare
from trainer import head, masks
from trainer.advise.arms import of_known_types
from trainer.advise.figures import estimate
from trainer.advise.rounds import Round
from trainer.backbone import Network, normalise, pool
from trainer.finetune import judge
from trainer.pointing import point
from trainer.workers import settle

ALSO = {
    "pictures alone": (),
    "off the defect, as good": ("off",),
    "the defect alone, as its type": ("on",),
    "both": ("off", "on"),
}
NAMES = ("brackets", "magnetic_tile", "cookies")
_AT_ONCE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Maps of every picture, its mask if it has one, and features by where they were pooled.

    `pooled["all"]` is (V,N,F) of two views; `off` and `on` hold zeros where there is no mask.
    """

    maps: tuple[Tensor, Tensor]
    masks: list[NDArray[np.bool_] | None]
    pooled: dict[str, Tensor]

    @property
    def marked(self) -> NDArray[np.bool_]:
        """(N,) True where a picture has a mask."""
        return np.array([mask is not None for mask in self.masks])


def see(net: Network, frames: NDArray[np.uint8], found: list[NDArray[np.bool_] | None]) -> Seen:
    """Maps and pooled features of pictures (N,H,W,3), as they are and half turned."""
    pooled: dict[str, list[Tensor]] = {"all": [], "off": [], "on": []}
    kept: tuple[Tensor, Tensor] | None = None
    for turned in (False, True):
        fine, coarse = _maps(net, frames[:, ::-1, ::-1] if turned else frames)
        kept = kept or (fine, coarse)
        pooled["all"].append(pool(fine, coarse))
        off, on = torch.zeros_like(pooled["all"][0]), torch.zeros_like(pooled["all"][0])
        for i, mask in enumerate(found):
            if mask is not None:
                places = masks.cells(mask[::-1, ::-1] if turned else mask)
                on[i] = _within(fine[i], coarse[i], places)
                off[i] = _within(fine[i], coarse[i], ~binary_dilation(places))
        pooled["off"].append(off)
        pooled["on"].append(on)
    assert kept is not None
    return Seen(kept, found, {name: torch.stack(views) for name, views in pooled.items()})


@torch.inference_mode()
def _maps(net: Network, frames: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
    found = [
        net.maps(normalise(torch.from_numpy(np.ascontiguousarray(frames[at : at + _AT_ONCE]))))
        for at in range(0, len(frames), _AT_ONCE)
    ]
    return torch.cat([fine for fine, _ in found]), torch.cat([coarse for _, coarse in found])


def _within(fine: Tensor, coarse: Tensor, places: NDArray[np.bool_]) -> Tensor:
    """Features (F,) pooled over some places of the finer grid; over all, if there are none."""
    if not places.any():
        return pool(fine[None], coarse[None])[0]
    near = torch.from_numpy(np.ascontiguousarray(places))
    share = torch.nn.functional.adaptive_avg_pool2d(near[None].float(), coarse.shape[1:])[0]
    far = share >= min(0.5, float(share.max()))
    one, two = fine[:, near], coarse[:, far]
    return torch.cat([one.mean(1), one.amax(1), two.mean(1), two.amax(1)])


def fitted(
    net: Network, labels: NDArray[np.int64], seen: Seen, dealt: Round, also: tuple[str, ...]
) -> tuple[float, float]:
    """AUROC and share of hits in the pointing game on the judging parts of one round."""
    labels = of_known_types(labels, dealt.learn)
    net.head = torch.nn.Linear(net.arch.features, int(labels.max()) + 1)
    rows, classes = [seen.pooled["all"][:, dealt.learn].flatten(0, 1)], [labels[dealt.learn]] * 2
    at = dealt.learn[seen.marked[dealt.learn]]
    for kind in also:
        rows.append(seen.pooled[kind][:, at].flatten(0, 1))
        classes += [labels[at] if kind == "on" else np.zeros(len(at), np.int64)] * 2
    head.standardise(net, rows[0])

    @torch.inference_mode()
    def found(at: NDArray[np.intp]) -> tuple[float, float]:
        return judge(net.classify(seen.pooled["all"][0, at]).numpy(), labels[at])

    head.fit(
        net,
        torch.cat(rows),
        np.concatenate(classes),
        BASE.head_grid,
        lambda: found(dealt.choose)[0],
    )
    area = found(dealt.judge)[1]
    shown = dealt.judge[seen.marked[dealt.judge]]
    fine, coarse = (maps[shown] for maps in seen.maps)
    with torch.inference_mode():
        evidence = net._judged(fine, coarse)[1].numpy()  # noqa: SLF001 - its heatmap, uncoloured
    hits = [point(heat, seen.masks[i], "").hit for heat, i in zip(evidence, shown, strict=True)]
    return area, float(np.mean(hits))


def main() -> None:
    """Parse, run what is missing, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/masked.jsonl"))
    parser.add_argument("--scratch", type=Path, default=Path("results/recipe"))
    parser.add_argument("--sets", nargs="+", default=list(NAMES))
    parser.add_argument("--deals", type=int, default=2)
    asked = parser.parse_args()
    settle(1)
    data = Path(os.environ["LINEWARDEN_TEST_DATA"])
    done = _read(asked.out)
    for name in asked.sets:
        ground = prepare(SOURCES[name], 1.0, data, asked.scratch, asked.deals)
        net = network(int(ground.labels.max()) + 1, 0)
        kept = asked.scratch / f"{name}-maps.pt"
        if not kept.exists():
            torch.save(see(net, ground.frames, ground.masks()), kept)
        seen = torch.load(kept, weights_only=False)
        for way, also in ALSO.items():
            if (name, way) in done:
                continue
            rows = [fitted(net, ground.labels, seen, dealt, also) for dealt in ground.rounds]
            done[name, way] = rows
            with asked.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"set": name, "way": way, "figures": rows}) + "\n")
            print(_line(name, way, done), flush=True)


def _read(path: Path) -> dict[tuple[str, str], list[tuple[float, float]]]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return {(row["set"], row["way"]): row["figures"] for row in rows}


def _line(name: str, way: str, done: dict[tuple[str, str], list[tuple[float, float]]]) -> str:
    mine, base = np.array(done[name, way]), np.array(done[name, next(iter(ALSO))])
    told = [f"{mine[:, 0].mean():.3f}", f"{mine[:, 1].mean():.3f}"]
    for column in (0, 1):
        gains = (100 * (mine - base)[:, column]).tolist()
        gain = estimate(gains, 1 / 3, bounds=(-100.0, 100.0))
        told.append(f"{gain.mean:+.1f} ({gain.low:+.1f} to {gain.high:+.1f})")
    return f"| {name} | {way} | " + " | ".join(told) + f" | {len(mine)} |"


if __name__ == "__main__":
    main()
