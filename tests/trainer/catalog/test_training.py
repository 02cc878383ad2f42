"""From a company's pictures to a bundle that answers on the edge as the network did."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from edge.catalog.model import CatalogModel
from export import picture
from export.catalog_golden import prove
from export.errors import DatasetError, RunError
from export.preprocess import shrink
from export.signature import load_or_make
from tests.edge.catalog.conftest import product
from trainer.backbone import Network
from trainer.calibrate import Budgets
from trainer.catalog import presentation
from trainer.catalog.gathering import gather_shelf
from trainer.catalog.network import CatalogNetwork
from trainer.catalog.presentation import Rated
from trainer.catalog.publish import publish
from trainer.catalog.record import CatalogRun
from trainer.catalog.words import NOVEL, summary
from trainer.cli.train import _catalogued, _input
from trainer.material import Choices
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.publish import Edition
from trainer.recipe import named
from trainer.run import Run, read_csv
from trainer.teaching import Plan

COLOURS = {"blue": (200, 70, 60), "green": (60, 190, 70), "red": (60, 60, 210)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three categories; of each some pictures on white, which are shown, and some on grey."""
    root = tmp_path_factory.mktemp("products")
    table = ["path,product"]
    for number, (name, colour) in enumerate(COLOURS.items()):
        for at in range(14):
            kind = "studio" if at % 2 else "reject"
            path = f"{name}/{kind}/{at:02d}.png"
            (root / name / kind).mkdir(parents=True, exist_ok=True)
            ground = 255 if at % 2 else 70
            share = 0.4 + 0.03 * at
            pixels = product(
                colour, seed=100 * number + at, side=96, background=ground, share=share
            )
            cv2.imwrite(str(root / path), pixels)
            table.append(f"{path},{name}-{at // 2}")
    (root / "products.csv").write_text("\n".join(table))
    return root


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """A run of these, from the starter's features, with a head alone."""
    out = tmp_path_factory.mktemp("runs") / "shop"
    rule = PartRule(table=data / "products.csv", near=False)
    plan = Plan(
        data=data, arch="resnet18", weights="starter", seed=0, to=_input("64", "0,0,1,1", None),
        recipe=named("tune").model_copy(update={"epochs": 0, "bf16": False}),
        budgets=Budgets(), choices=Choices(rule=rule),
    )  # fmt: skip
    told = _catalogued(plan, out, Progress(None), json=False)
    assert "right category first" in told
    return CatalogRun.load(out)


def test_pictures_of_one_product_never_straddle_a_split(run):
    """The group of the table is whole in one split."""
    rows = read_csv(run.folder / "split.csv")
    where = {}
    for row in rows:
        where.setdefault(row["part"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in where.values())
    assert {row["split"] for row in rows} == {"train", "validation", "calibration", "test"}


def test_every_figure_has_an_interval_and_says_what_it_counts(run):
    """Accuracy counts pictures of the test; what was shown is judged with its category left out."""
    found = {one.name: one for one in run.record.metrics}
    assert found["accuracy"].low <= found["accuracy"].value <= found["accuracy"].high
    assert found["presentation_auroc"].split == "category left out"
    assert found["shown_ranks_first_of_20"].n
    assert run.record.presentation is not None
    assert run.record.presentation.source == "studio and reject"
    assert sum(sum(row.values()) for row in run.record.confusion.values()) == found["accuracy"].n


def test_a_bound_that_the_test_refutes_is_said_to_be(run):
    """The two figures stand one below the other: which one holds is said, and only then."""
    others = tuple(one for one in run.record.metrics if one.name != NOVEL)
    found = [one for one in run.record.metrics if one.name == NOVEL]
    for low, refuted in ((0.5, True), (0.0, False)):
        shifted = found[0].model_copy(update={"value": 0.6, "low": low, "high": 0.7})
        basis = run.record.novelty.model_copy(update={"bound": 0.3})
        record = run.record.model_copy(update={"metrics": (*others, shifted), "novelty": basis})
        told = "\n".join(summary(CatalogRun(run.folder, record)))
        assert ("The test refutes that bound" in told) is refuted


@pytest.mark.parametrize(
    ("copy", "said"),
    [("red/reject/00.png", "shown and rejected"), ("red/studio/01.png", "under two classes")],
)
def test_the_same_bytes_under_two_words_are_refused_with_both_paths(data, tmp_path, copy, said):
    """Before anything is learnt; --drop-conflicts leaves both out."""
    shutil.copytree(data, tmp_path / "data")
    target = "red/studio/copy.png" if "reject" in copy else "blue/studio/copy.png"
    shutil.copy(tmp_path / "data" / copy, tmp_path / "data" / target)
    plan = Plan(
        data=tmp_path / "data", arch="resnet18", weights="starter", seed=0,
        to=_input("64", "0,0,1,1", None), recipe=named("tune"), budgets=Budgets(),
        choices=Choices(rule=PartRule(near=False)),
    )  # fmt: skip
    with pytest.raises(DatasetError, match=said) as refused:
        gather_shelf(plan, Progress(None))
    assert copy in refused.value.problem
    assert target in refused.value.problem
    dropped = replace(plan, choices=replace(plan.choices, drop_conflicts=True))
    left = gather_shelf(dropped, Progress(None))
    assert len(left.dataset.pictures) == len(left.album.paths) == 41


def test_cut_out_products_teach_as_they_are_shown(data, tmp_path):
    """PNG with transparency is laid on white, as where it is looked at."""
    shutil.copytree(data, tmp_path / "data")
    clear = np.zeros((96, 96, 4), np.uint8)
    clear[20:70, 20:70] = (60, 60, 210, 255)
    cv2.imwrite(str(tmp_path / "data" / "red" / "cut.png"), clear)
    plan = Plan(
        data=tmp_path / "data", arch="resnet18", weights="starter", seed=0,
        to=_input("64", "0,0,1,1", None), recipe=named("tune"), budgets=Budgets(),
        choices=Choices(rule=PartRule(near=False)),
    )  # fmt: skip
    album = gather_shelf(plan, Progress(None)).album
    assert np.asarray(album.frames[album.paths.index("red/cut.png")])[0, 0].tolist() == [255] * 3


def test_a_run_of_products_is_no_inspection(run):
    """Nothing that needs a good class can take it for one."""
    with pytest.raises(RunError, match="judges no part"):
        Run.load(run.folder)


def test_the_bundle_answers_as_the_network_did(run, data, tmp_path):
    """Exported, signed, opened on the edge: the same answers on every picture of the shop."""
    key, _ = load_or_make(tmp_path / "k.key")
    publish(run, Edition.of(run, tmp_path / "bundle", None, 1), key)
    model = CatalogModel(tmp_path / "bundle", [key.public])
    assert prove(model.bundle, model.tell)[1] < 1e-3
    rows = {row["path"]: row for row in read_csv(run.folder / "told.csv")}
    for path, row in sorted(rows.items())[::5]:
        frame = shrink(picture.read(data / path), model.bundle.input)
        told = model.tell(frame[None])
        assert model.bundle.manifest.categories[int(told.probabilities[0].argmax())] == row["told"]
        assert float(told.presentation[0]) == pytest.approx(float(row["presentation"]), abs=1e-3)
        assert float(told.novelty[0]) == pytest.approx(float(row["novelty"]), abs=1e-2)
        assert float(np.linalg.norm(told.embedding[0])) == pytest.approx(1, abs=1e-4)


def test_a_changed_picture_stops_the_export(run, data, tmp_path):
    """A golden sample must be what the run was examined on."""
    key, _ = load_or_make(tmp_path / "k.key")
    moved = tmp_path / "moved"
    for path in data.rglob("*.png"):
        target = moved / path.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), cv2.imread(str(path)) // 2)
    with pytest.raises(RunError, match="the run was trained"):
        publish(run, Edition.of(run, tmp_path / "bundle", None, 1), key, moved)
    assert not (tmp_path / "bundle").exists()


def test_the_score_of_a_left_out_category_never_saw_it():
    """Labels of the left-out category can be anything: its scores stay the same."""
    random = np.random.default_rng(0)
    features = random.standard_normal((60, 12)).astype(np.float32)
    categories = np.repeat(np.arange(3), 20)
    ratings = (features[:, 0] > 0).astype(float)
    first = presentation.left_out(Rated(features, ratings, categories), 1e-2)
    turned = ratings.copy()
    turned[categories == 1] = 1 - turned[categories == 1]
    second = presentation.left_out(Rated(features, turned, categories), 1e-2)
    assert np.array_equal(first[categories == 1], second[categories == 1])
    assert not np.array_equal(first[categories == 0], second[categories == 0])


def test_novelty_is_nothing_for_a_known_picture_and_grows_away_from_all():
    """A picture of the bank has novelty 0; what no picture ever showed counts, opposites most.

    The third feature is on no axis: training pictures don't vary there, and that is the point.
    """
    network = CatalogNetwork(Network("resnet18", 3), axes=2, bank=2)
    features = network.axes.shape[1]
    network.bank.copy_(torch.eye(2, features))
    network.axes.copy_(torch.eye(2, features))
    pooled = torch.zeros(3, features)
    pooled[0, 0], pooled[1, 2] = 3, 3
    pooled[2, :2] = -1
    novelty = network.told(pooled)[2]
    assert novelty[0] == pytest.approx(0, abs=1e-6)
    assert novelty[0] < novelty[1] < novelty[2]
