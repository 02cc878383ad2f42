"""trainer/tiles.py, and a network that judges tile by tile."""

import cv2
import numpy as np
import pytest
import torch

from export import to_onnx
from export.errors import RunError
from export.parity import answers_of
from export.preprocess import Input
from tests.trainer.tiny_run import draw
from trainer import tiles
from trainer.backbone import Network, combine, normalise
from trainer.calibrate import Budgets
from trainer.exam import examine
from trainer.instances import Bags
from trainer.material import Choices
from trainer.progress import Progress
from trainer.recipe import named
from trainer.training import Plan, train

QUIET = Progress(None)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def tiled(classes=3):
    """A ResNet-18 with tiles of 64 pixels and a head that is not the same everywhere."""
    torch.manual_seed(0)
    network = Network("resnet18", classes, tile=64).eval()
    network.centre.uniform_(0, 1)
    network.spread.uniform_(0.5, 2)
    return network


@pytest.mark.parametrize(("height", "width"), [(4, 4), (4, 8), (8, 6), (10, 8)])
def test_tiles_cover_every_place_and_overlap_by_half(height, width):
    """Every half-tile step has its tile, and stitching what was cut gives the map back."""
    maps = torch.arange(2.0 * height * width).view(2, 1, height, width)
    found = tiles.cut(maps, 4)
    assert found.shape == (2, tiles.count(4, height, width), 1, 4, 4)
    assert found.shape[1] == (height // 2 - 1) * (width // 2 - 1)
    assert torch.equal(tiles.stitch(found[:, :, 0], height, width), maps[:, 0])


def test_a_place_is_the_mean_of_the_tiles_over_it():
    """Where two tiles overlap, both have half a say."""
    found = torch.stack([torch.full((4, 4), 1.0), torch.full((4, 4), 3.0)])[None]
    assert tiles.stitch(found, 4, 6)[0, 0].tolist() == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("side", "width", "height"), [(100, 400, 400), (256, 1000, 1024), (256, 1024, 128), (0, 64, 64)]
)
def test_tiles_that_do_not_fill_the_input_are_refused(side, width, height):
    """Nothing of a frame lies outside every tile, or the remedy names sides that would do."""
    with pytest.raises(RunError) as refusal:
        tiles.check(side, width, height)
    assert "multiple of" in refusal.value.remedy
    tiles.check(256, 1024, 384)


def test_one_tile_over_the_whole_is_no_tiling():
    """A frame of just one tile is judged as without tiles, but that good's logit becomes 0."""
    network, x = tiled(), torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        logits, evidence = network(x)
        network.tile = None
        whole, same = network(x)
    assert torch.allclose(logits, whole - whole[:, :1], atol=1e-4)
    assert torch.allclose(evidence, same, atol=1e-5)


def test_forward_is_features_then_classify():
    """What is trained on cached features is what the graph answers."""
    network, x = tiled(), torch.rand(2, 3, 96, 128)
    with torch.inference_mode():
        assert network.features(x).shape == (2, 6, network.arch.features)
        logits, evidence = network(x)
        assert torch.allclose(logits, network.classify(network.features(x)), atol=1e-4)
    assert evidence.shape == (2, 6, 8)


def test_a_part_is_as_bad_as_its_worst_tile():
    """Each defect's logit is the largest of its margins; tiles left out have no say."""
    logits = torch.tensor([[[1.0, 2.0, 0.0], [0.0, -1.0, 4.0]]])
    assert combine(logits).tolist() == [[0.0, 1.0, 4.0]]
    assert combine(logits, torch.tensor([[True, False]])).tolist() == [[0.0, 1.0, -1.0]]
    soft = combine(logits, sharpness=50.0)
    assert torch.allclose(soft, combine(logits), atol=0.05)
    assert torch.allclose(combine(logits[:, :1], sharpness=0.5), combine(logits[:, :1]))


def test_evidence_is_where_the_defect_is_and_nowhere_else():
    """A peak in one corner of a large map lights that place, through every tile over it."""
    network = tiled(2)
    fine, coarse = torch.zeros(1, 256, 8, 8), torch.zeros(1, 512, 4, 4)
    network.maps = lambda _x: (fine, coarse)
    network.centre.zero_()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.weight[1, 256 + 7] = 1.0
    fine[0, 7, 5, 3] = 3.0
    with torch.inference_mode():
        logits, evidence = network(torch.zeros(1))
    assert evidence.argmax() == 5 * 8 + 3
    assert torch.count_nonzero(evidence) == 1
    assert logits[0, 1] == pytest.approx(3 / network.spread[263].item(), rel=0.2)


def test_a_head_finds_the_tile_that_tells_a_defective_part():
    """From parts' classes alone, the fitted head picks the one odd tile of nine in unseen parts."""
    chance = torch.Generator().manual_seed(0)
    tile = torch.randn(60, 9, 20, generator=chance)
    labels = torch.arange(60) % 2
    where = torch.randint(0, 9, (60,), generator=chance)
    odd = torch.arange(60)[labels == 1]
    tile[odd, where[odd], :3] += 3.0
    weight, bias = Bags(tile[:40], labels[:40].numpy(), 2).fit(0.1)
    each = torch.nn.functional.linear(tile[40:], weight, bias)
    said = combine(each)[:, 1] > combine(each)[:, 0]
    assert (said == (labels[40:] == 1)).float().mean() >= 0.9
    margins = (each[..., 1] - each[..., 0])[labels[40:] == 1]
    assert (margins.argmax(1) == where[40:][labels[40:] == 1]).float().mean() >= 0.8


def test_bags_of_one_tile_are_a_logistic_regression():
    """With one tile per part the fit is scikit-learn's, class weights and strength included."""
    from sklearn.linear_model import LogisticRegression

    chance = torch.Generator().manual_seed(1)
    x = torch.randn(50, 6, generator=chance)
    labels = (x[:, 0] + 0.5 * torch.randn(50, generator=chance) > 0.7).long().numpy()
    model = LogisticRegression(C=0.05, class_weight="balanced").fit(x.numpy(), labels)
    weight, bias = Bags(x[:, None], labels, 2).fit(0.05)
    margins = (x @ (weight[1] - weight[0]) + bias[1] - bias[0]).numpy()
    # Two rows share what scikit-learn's one row carries, at half the penalty.
    twice = LogisticRegression(C=0.1, class_weight="balanced").fit(x.numpy(), labels)
    assert abs(margins - twice.decision_function(x.numpy())).max() < 1e-2
    assert model.coef_.shape == (1, 6)


def test_a_tiled_run_remembers_its_tiles_and_is_held_to_the_masks(tmp_path):
    """The record says the tiling, and run and examination how often heatmaps point at the mark."""
    photos = tmp_path / "photos"
    draw(photos, per_class=8, size=(128, 96))
    for path in (photos / "spot").iterdir():
        mask = photos / "masks" / "spot" / path.name
        mask.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(mask), (cv2.imread(str(path), 0) < 60).astype("uint8") * 255)
    recipe = named("tune").model_copy(update={"epochs": 0, "bf16": False, "head_grid": (0.01,)})
    plan = Plan(
        photos, "resnet18", "starter", 1, Input(128, 96), recipe, Budgets(), Choices(), tile=64
    )
    run = train(plan, tmp_path / "run", QUIET)
    assert run.record.input.tile == run.network().tile == 64
    assert any("masks of 8" in note for note in run.record.data.notes)
    found = {metric.name: metric for metric in run.record.metrics if metric.split == "test"}
    shown = [row for row in run.split() if row.split == "test" and row.label == "spot"]
    assert found["pointing"].n == len(shown)
    assert 0 < found["pointing_by_chance"].value < 0.6
    exam = examine(run, photos, QUIET, include_seen=True)
    assert next(m.n for m in exam.report.metrics if m.name == "pointing") == 8


@pytest.mark.slow
def test_the_graph_of_tiles_answers_as_the_network(tmp_path):
    """Exported, cut and stitched in the graph, it gives the same score and heatmap."""
    network = tiled(2)
    to_onnx.to_onnx(to_onnx.Graph(network, normalise, 1.0), 96, 128, tmp_path / "m.onnx")
    frames = np.random.default_rng(0).integers(0, 256, (3, 96, 128, 3), dtype=np.uint8)
    expected = to_onnx.reference(network, normalise, 1.0)(frames)
    got = answers_of(tmp_path / "m.onnx")(frames)
    assert np.allclose(got.score, expected.score, atol=1e-4)
    assert got.heatmap.shape == (3, 6, 8)
    assert np.allclose(got.heatmap, expected.heatmap, atol=1e-3)
