"""trainer/thresholds/reissue.py and its command: decided and signed anew, the old untouched."""

import json
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer import Typer
from typer.testing import CliRunner

from export import golden, scores
from export.bundle import Bundle, open_bundle, write_bundle
from export.errors import BundleError, LinewardenError
from export.manifest import MODEL
from export.signature import PrivateKey, load_or_make
from tests.export.small_bundle import description, golden_files, small_graph
from tests.export.variant_bundle import variant_bundle
from trainer.calibrate import Budgets
from trainer.cli.threshold import threshold
from trainer.thresholds import reissue
from trainer.thresholds.decision import decide_thresholds

KEY = PrivateKey(Ed25519PrivateKey.generate())


def scored(novel: bool = False) -> bytes:
    """Calibration and test scores of 100 good and 70 bright parts, two pictures each."""
    rng = np.random.default_rng(0)
    rows = [
        scores.Scored(
            split, f"{label} {number}", label, float(rng.beta(*shape)),
            float(rng.uniform()) if novel else None,
        )
        for split in ("calibration", "test")
        for label, parts, shape in (("good", 100, (2, 5)), ("bright", 70, (6, 2)))
        for number in range(parts)
        for _view in range(2)
    ]  # fmt: skip
    return scores.encode(rows)


def bundle_with(out: Path, body: bytes | None, key: PrivateKey = KEY) -> Bundle:
    """A small bundle that carries scores."""
    contents = {MODEL: small_graph().SerializeToString(), **golden_files(level=20)}
    if body is not None:
        contents["scores.csv"] = body
    return write_bundle(out, description(), contents, key)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A bundle with scores."""
    return bundle_with(tmp_path / "small-1", scored())


def test_a_new_version_stands_beside_the_old(bundle: Bundle, tmp_path: Path):
    """Thresholds, basis, version and signature are new; graph, scores and the old bundle stay."""
    before = {path: path.read_bytes() for path in bundle.path.rglob("*") if path.is_file()}
    decision = decide_thresholds(reissue.judged(bundle), Budgets(0.05))
    new = reissue.reissue(bundle, {"fp32": decision}, tmp_path / "small-2", KEY)
    assert open_bundle(new.path, [KEY.public]).manifest == new.manifest
    assert new.manifest.version == 2
    assert new.thresholds == decision.thresholds
    assert new.manifest.basis == decision.basis
    assert new.manifest.provenance.thresholds_of == bundle.digest
    for name in ("model.onnx", "scores.csv"):
        assert new.manifest.files[name] == bundle.manifest.files[name]
    assert {path: path.read_bytes() for path in before} == before


def test_golden_samples_are_decided_anew(bundle: Bundle, tmp_path: Path):
    """A known answer keeps its score and gets the outcome of the new thresholds."""
    assert golden.read(bundle).samples[0].outcome == "pass"
    decision = decide_thresholds(reissue.judged(bundle), Budgets(0.0001, review=0.0))
    strict = decision.thresholds.model_copy(update={"pass_below": 0.02, "fail_above": 0.05})
    edition = reissue.prepare(bundle, strict)
    assert edition.known.samples[0].outcome == "fail"
    near = strict.model_copy(update={"fail_above": 0.0785})
    with pytest.raises(BundleError, match="clear of the new thresholds"):
        reissue.prepare(bundle, near)


def test_figures_are_counted_at_the_new_thresholds(bundle: Bundle, tmp_path: Path):
    """No figure of the old thresholds survives; those that thresholds don't touch do."""
    decision = decide_thresholds(reissue.judged(bundle), Budgets(0.05))
    new = reissue.reissue(bundle, {"fp32": decision}, tmp_path / "small-2", KEY)
    found = {one.name: one for one in new.manifest.metrics["fp32"]}
    assert found["overkill"].n == 200
    assert found["escape:bright"].n == 140
    outcomes = reissue.judged(bundle, "test").outcomes(decision.thresholds)
    assert found["review"].k == outcomes.count("review")


def test_scores_name_nothing_and_come_back(tmp_path: Path):
    """Parts become numbers, splits, classes, scores and novelty come back to the last digit."""
    rows = [
        scores.Scored("test", "line 7, part\n3", "good", float(np.float32(0.1)), 1.25),
        scores.Scored("test", "line 7, part\n3", "bright", float(np.float32(1 / 3)), 0.5),
    ]
    body = scores.encode(rows)
    assert b"line" not in body
    found = scores.decode(body, "scores.csv")
    assert {(one.label, np.float32(one.score), one.novelty, one.part) for one in found} == {
        ("good", np.float32(0.1), 1.25, 0), ("bright", np.float32(1 / 3), 0.5, 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "has not the columns"),
        (b"a,b\n", "has not the columns"),
        (b"split,part,label,score,novelty\ntest,0,good,2,\n", "score: Input should be less"),
        (b"split,part,label,score,novelty\ntest,0,good,nan,\n", "score"),
        (b"split,part,label,score,novelty\ntest,0\n", "can't be read"),
        (b"split,part,label,score,novelty\ntest,0,dull,0.5,\n", "that the manifest lacks"),
        (b"\xff\xfe", "can't be read"),
        (None, "carries no scores.csv"),
    ],
)
def test_scores_that_are_none_are_refused(tmp_path: Path, body: bytes | None, problem: str):
    """Each fault is named with its file."""
    with pytest.raises(BundleError, match=problem):
        reissue.judged(bundle_with(tmp_path / "b", body))


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Calls `linewarden threshold` on a bundle of the project's key."""
    monkeypatch.chdir(tmp_path)
    key, _made = load_or_make(Path(".linewarden/signing.key"))
    bundle_with(tmp_path / "small-1", scored(novel=True), key)
    app = Typer()
    app.command()(threshold)
    return lambda *args: CliRunner().invoke(app, ["small-1", *args])


def test_the_command_shows_and_writes_nothing(command, tmp_path: Path):
    """Without --out there is a table and no file; --dry-run says that --out could be written."""
    shown = command("--escape-budget", "0.05")
    assert shown.exit_code == 0
    assert "5 % is proven" in shown.output
    assert "more defective parts" not in shown.output
    dry = command("--escape-budget", "0.01", "--out", "small-2", "--dry-run")
    assert "1 % is NOT PROVEN" in dry.output
    proof = "229 more parts with 'bright' calibrating without a miss would prove 1 %"
    assert f"{proof}: some 1527 photographed" in dry.output
    assert "nothing was" in dry.output
    assert not (tmp_path / "small-2").exists()


def test_the_command_writes_a_signed_version(command, tmp_path: Path):
    """--out gives version 2, and the costs that chose it are in its manifest."""
    costs = ["--cost-escape", "500", "--cost-overkill", "4", "--cost-review", "0.5"]
    done = command(
        "--escape-budget", "0.05", *costs, "--defect-share", "0.02", "--out", "small-2", "--json"
    )
    found = json.loads(done.output)
    assert found["version"] == 2
    assert found["basis"]["costs"]["escape"] == 500
    assert all(row["cost"] is not None for row in found["tradeoff"])
    manifest = json.loads((tmp_path / "small-2" / "manifest.json").read_bytes())
    assert manifest["basis"]["proven"]
    assert manifest["thresholds"] == found["thresholds"]


def test_proven_only_refuses_with_1(command, tmp_path: Path):
    """An unproven budget ends in exit code 1 and no bundle."""
    done = command("--escape-budget", "0.01", "--proven-only", "--out", "small-2")
    assert done.exit_code == 1
    assert not (tmp_path / "small-2").exists()


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["--cost-escape", "5"], "costs need all of"),
        (["--escape-budget", "5"], "escape budget is a fraction"),
        (["--confidence", "1"], "confidence is between"),
        (["--cost-escape", "-5", "--cost-overkill", "1", "--cost-review", "1",
          "--defect-share", "0.1"], "--cost-escape: Input should be greater"),
        (["--cost-escape", "5", "--cost-overkill", "1", "--cost-review", "1",
          "--defect-share", "3"], "--defect-share: Input should be less"),
        (["--out", "small-1"], "exists already"),
        (["--out", "small-2", "--key", "absent.key"], "absent.key"),
    ],
)  # fmt: skip
def test_wrong_options_are_explained(command, args: list[str], problem: str):
    """An option that can't work is named; nothing is written."""
    result = command(*args)
    assert isinstance(result.exception, LinewardenError)
    assert problem in str(result.exception)


def test_a_run_is_no_bundle(tmp_path: Path):
    """Who names a run is told to export it, before any key is asked for."""
    (tmp_path / "run.json").write_text("{}")
    app = Typer()
    app.command()(threshold)
    result = CliRunner().invoke(app, [str(tmp_path)])
    assert isinstance(result.exception, LinewardenError)
    assert "linewarden export" in result.exception.remedy


def test_every_variant_is_decided_anew(tmp_path: Path):
    """Each variant gets thresholds by the same budgets on its own scores, and figures to match."""
    bundle = variant_bundle(tmp_path / "b-1", KEY)
    decided = reissue.decisions(bundle, Budgets(0.05), None)
    new = reissue.reissue(bundle, decided, tmp_path / "b-2", KEY)
    own = new.manifest.variants["int8"]
    assert own.thresholds == decided["int8"].thresholds == new.as_variant("int8").thresholds
    assert own.thresholds.pass_below == pytest.approx(new.thresholds.pass_below + 0.01, abs=0.005)
    assert own.basis.escape_bound == new.manifest.basis.escape_bound
    assert own.agreement.same_outcome == 240
    assert {one.name for one in new.manifest.metrics["int8"]} >= {"escape", "overkill"}
