"""Training on a company's product pictures: the order of the steps.

Categories are learnt as types of defect are (trainer/teaching.py). From the features of what was
kept come, in seconds, the presentation score, the embedding and the sense of novelty. The test is
looked at once, at the end.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor
from torch.nn import functional as fn

from export import stamp
from export.catalog import PresentationBasis
from export.manifest import Metric, NoveltyBasis
from trainer import calibrate
from trainer.backbone import Network
from trainer.catalog import presentation
from trainer.catalog.gathering import gather_shelf, ratings_of
from trainer.catalog.network import CatalogNetwork, distance
from trainer.catalog.presentation import Rated
from trainer.catalog.record import CatalogRecord, CatalogRun, Told
from trainer.catalog.words import NOVEL, PURPOSE
from trainer.evaluate import as_metric
from trainer.head import features
from trainer.material import Material
from trainer.progress import Progress
from trainer.rates import CONFIDENCE, Rate, auroc, auroc_interval
from trainer.taxonomy import figures
from trainer.teaching import Plan, finish, flat, input_record, split_rows, teach, versions
from trainer.thresholds.novel import limit

AXES, BANK = 128, 2048
CANDIDATES = 20


def train(plan: Plan, folder: Path, progress: Progress) -> CatalogRun:
    """Train, calibrate, examine and write the run; raises LinewardenError."""
    begun = time.monotonic()
    taught = teach(plan, folder, progress, gather_shelf)
    material = taught.material
    with progress.phase("scoring", len(material.labels)) as advance:
        pooled = features(taught.network, material.album.frames, bf16=False, advance=advance)
    with progress.phase("presentation and novelty", 1) as advance:
        learnt = learn(taught.network, pooled, material, plan)
        advance()
    record = CatalogRecord(
        name=folder.resolve().name,
        created_at=stamp.now(),
        arch=plan.arch,
        categories=material.dataset.classes,
        input=input_record(plan),
        weights=taught.origin,
        seed=plan.seed,
        recipe=flat(plan.recipe) | {"kept": taught.kept},
        data=material.record(),
        temperature=learnt.temperature,
        novel_above=learnt.novel_above,
        novelty=learnt.novelty,
        presentation=learnt.presentation,
        metrics=learnt.metrics,
        confusion=learnt.confusion,
        versions=versions(),
        seconds={name: round(took, 2) for name, took in progress.spent.items()},
        minutes=round((time.monotonic() - begun) / 60, 3),
    )
    run = CatalogRun(folder, record)
    run.save(learnt.network, split_rows(material), learnt.told)
    taught.board.close(record, PURPOSE)
    finish(folder)
    return run


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What came of the features of the network that was kept."""

    network: CatalogNetwork
    temperature: float
    novel_above: float
    novelty: NoveltyBasis
    presentation: PresentationBasis | None
    metrics: tuple[Metric, ...]
    confusion: dict[str, dict[str, int]]
    told: list[Told]


@torch.no_grad()
def learn(base: Network, pooled: Tensor, material: Material, plan: Plan) -> Learnt:
    """Give the network its other answers, from pooled features (N,F) of all pictures."""
    at = {split: material.of(split) for split in ("train", "validation", "calibration", "test")}
    network = _embedding(base, pooled, at["train"], plan.seed)
    rated, shown = _presentation(network, pooled, material, plan.data)
    logits = network.told(pooled)[0]
    held = at["calibration"]
    strange = distance(pooled, network.bank)
    network.unit.copy_(torch.quantile(strange[held], 0.5).clamp_min(1e-6))
    novelty = (strange / network.unit).double().numpy()
    groups = [material.parts[i] for i in held]
    above, basis = limit(novelty[held], groups, plan.budgets.novel, plan.budgets.confidence)
    t = calibrate.temperature(logits.numpy()[held], material.labels[held])
    chances = calibrate.probabilities(logits.numpy(), t)
    scores = torch.sigmoid(network.told(pooled)[1]).double().numpy()
    seen = figures.Told(
        material.labels[at["test"]],
        tuple(material.parts[i] for i in at["test"]),
        chances[at["test"]],
    )
    strangers = novelty[at["test"]] >= above
    told_new = Rate(int(strangers.sum()), len(strangers), len(set(seen.parts)))
    metrics = (
        *figures.measure(seen, material.dataset.classes, "test"),
        as_metric(NOVEL, told_new, "test"),
        *(_shown_metrics(rated, shown, plan.seed) if rated is not None and shown else ()),
    )
    return Learnt(
        network,
        t,
        above,
        basis.model_copy(update={"words": basis.words.replace("good parts", "products")}),
        _basis(rated, plan.data, material) if rated is not None else None,
        metrics,
        figures.confusion(seen, material.dataset.classes),
        _told(material, chances, scores, novelty),
    )


def _embedding(base: Network, pooled: Tensor, at: np.ndarray, seed: int) -> CatalogNetwork:
    """The network with axes and bank from training pictures."""
    plain = (pooled - base.centre) / base.spread
    found = PCA(min(AXES, len(at) - 1), random_state=seed).fit(plain[at].numpy())
    axes = np.asarray(found.components_)
    kept = at[np.linspace(0, len(at) - 1, min(BANK, len(at))).round().astype(int)]
    network = CatalogNetwork(base, len(axes), len(kept)).eval()
    network.axes.copy_(torch.from_numpy(axes))
    network.bank.copy_(fn.normalize(pooled[kept], dim=1))
    return network


def _presentation(
    network: CatalogNetwork, pooled: Tensor, material: Material, root: Path
) -> tuple[Rated | None, presentation.Show | None]:
    """Fit the presentation score, if anything is known: all rated pictures but the test's."""
    ratings, _ = ratings_of(root, material)
    known = np.isfinite(ratings) & (np.array(material.splits) != "test")
    at = np.flatnonzero(known)
    rated = Rated(network.plain(pooled[at]).numpy(), ratings[at], material.labels[at])
    if not len(at) or not rated.both:
        return None, None
    shown = presentation.choose(rated)
    network.show.weight.copy_(torch.from_numpy(shown.weight)[None])
    network.show.bias.fill_(shown.bias)
    return rated, shown


def _basis(rated: Rated, root: Path, material: Material) -> PresentationBasis:
    shelf = ratings_of(root, material)[1]
    shown = int(rated.shown.sum())
    words = f"{shown} pictures shown, {len(rated.ratings) - shown} not; {shelf.source}"
    words += f": {shelf.why}" if shelf.why else ""
    return PresentationBasis.model_validate(
        {
            "shown": shown,
            "rejected": len(rated.ratings) - shown,
            "source": shelf.source,
            "words": words,
        }
    )


def _shown_metrics(rated: Rated, shown: presentation.Show, seed: int) -> list[Metric]:
    """What the score is worth for categories that it hasn't seen: each left out in turn."""
    told = presentation.left_out(rated, shown.strength)
    metrics: list[Metric] = []
    known = np.isfinite(told)
    if rated.at(np.flatnonzero(known)).both:
        area = auroc(told[known], rated.shown[known])
        counts = int(rated.shown[known].sum()), int((~rated.shown[known]).sum())
        low, high = auroc_interval(area, *counts)
        metrics.append(
            Metric(
                name="presentation_auroc", value=area, low=low, high=high, confidence=CONFIDENCE,
                split="category left out",
            )
        )  # fmt: skip
    ranks = presentation.first_among(told, rated, CANDIDATES, seed)
    if ranks:
        first = Rate(sum(rank == 0 for _, rank in ranks), len(ranks))
        metrics.append(as_metric("shown_ranks_first_of_20", first, "category left out"))
    return metrics


def _told(
    material: Material, chances: np.ndarray, scores: np.ndarray, novelty: np.ndarray
) -> list[Told]:
    return [
        Told(
            path=one.path,
            category=one.label,
            split=split,
            told=material.dataset.classes[int(row.argmax())],
            confidence=float(row.max()),
            presentation=float(score),
            novelty=float(strange),
        )
        for one, split, row, score, strange in zip(
            material.dataset.pictures, material.splits, chances, scores, novelty, strict=True
        )
    ]
