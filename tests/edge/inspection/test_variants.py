"""The fastest variant that holds judges, the one asked for or none; the reason is told."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.cli.bench import as_object, bench, table
from edge.inspection import openvino_session
from edge.inspection.armed import arm
from edge.inspection.contest import Entry, contest
from edge.inspection.engine import open_scorer
from edge.inspection.openvino_session import OpenVinoScorer
from edge.inspection.qualification import Trial
from edge.inspection.session import OnnxScorer
from edge.inspection.variants import candidates, fastest, in_words
from export.bundle import Bundle
from export.errors import BundleError, LinewardenError, ProviderError
from export.signature import PrivateKey
from tests.export.small_bundle import HEIGHT, WIDTH, small_graph
from tests.export.variant_bundle import OWN, variant_bundle

KEY = PrivateKey(Ed25519PrivateKey.generate())


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A bundle with FP32 and INT8."""
    return variant_bundle(tmp_path / "b", KEY)


@pytest.mark.parametrize(
    ("medians", "chosen"),
    [
        ({"fp32": 40.0, "int8": 25.0}, "int8"),
        ({"fp32": 40.0, "int8": 39.0}, "fp32"),
        ({"fp32": 40.0, "int8": 70.0}, "fp32"),
        ({"int8": 70.0}, "int8"),
    ],
)
def test_the_faster_is_chosen_if_it_gains(medians: dict[str, float], chosen: str):
    """INT8 judges only where it is a tenth faster; what was trained judges in doubt."""
    assert fastest(medians) == chosen
    assert in_words(chosen, medians, ["x"]).startswith(f"{chosen}: ")


def test_only_what_suits_the_provider_is_tried(bundle: Bundle):
    """Auto tries what suits; asked by name, an unsuitable or absent variant is refused."""
    assert [one.variant for one in candidates(bundle, "cpu", "auto")] == ["fp32", "int8"]
    assert [one.variant for one in candidates(bundle, "cuda", "auto")] == ["fp32"]
    assert [one.variant for one in candidates(bundle, "cpu", "int8")] == ["int8"]
    with pytest.raises(BundleError, match="is not for provider 'cuda'"):
        candidates(bundle, "cuda", "int8")
    with pytest.raises(BundleError, match="no variant 'fp16'"):
        candidates(bundle, "cuda", "fp16")


def test_the_variant_asked_for_judges_by_its_own_thresholds(bundle: Bundle):
    """The inspector has the variant's thresholds, and its verdicts name it."""
    inspector = arm(bundle.path, [KEY.public], variant="int8")
    found = inspector.judge(np.full((100, 150, 3), 70, np.uint8))  # 0.27: fp32 would pass it
    assert (inspector.thresholds, found.outcome) == (OWN, "review")
    assert found.bundle.variant == "int8"


def test_a_variant_that_doesnt_hold_here_is_left_out(tmp_path: Path):
    """Auto leaves a variant out whose golden samples differ, and says so; by name it disarms."""
    bundle = variant_bundle(tmp_path / "b", KEY, gain=0.5)
    report = Trial(bundle.path, [KEY.public], variant="auto").passed()
    assert report.variant == "fp32"
    assert "int8 is left out: golden sample" in report.why
    with pytest.raises(BundleError, match="computes otherwise"):
        arm(bundle.path, [KEY.public], variant="int8")


def test_the_table_holds_what_each_lets_pass_and_says_what_it_means(bundle: Bundle):
    """Rates of the manifest with their counts, by variant; the columns are explained below them."""
    entries = tuple(Entry(name, "cpu", 5, 2.0, 3.0, 2.0, 90.0, 0.001) for name in ("fp32", "int8"))
    head, fp32, int8, *below = table(bundle, entries)
    assert {"escape", "overkill", "golden"} <= set(head.split())
    assert "2 of 100, 2.0%" in fp32
    assert int8.split()[-3:] == ["200", "of", "240"]
    assert "known answer" in " ".join(below)
    told = json.loads(as_object(bundle, entries))
    assert [one["name"] for one in told["measured"]["fp32"]] == ["overkill"]


def test_an_unknown_provider_is_refused(bundle: Bundle):
    """A provider that doesn't exist ends in a sentence that names those that do."""
    with pytest.raises(LinewardenError, match="unknown") as caught:
        bench(bundle.path, provider=["gpu"])
    assert "cuda" in caught.value.remedy


def test_the_table_ends_with_the_quickest_that_holds(bundle: Bundle):
    """And with the setting that takes its provider; what doesn't hold is not thought of."""
    entries = (
        Entry("fp32", "cpu", 5, 30.0, 31.0, 30.0, 200.0, 0.0),
        Entry("int8", "cpu", problem="off by 0.2"),
        Entry("int8", "openvino", 5, 4.9, 6.0, 4.8, 200.0, 0.01),
    )
    last = table(bundle, entries)[-1]
    assert last == 'quickest: int8 on openvino, 4.9 ms; provider = "openvino" below [engine]'
    assert "quickest" not in " ".join(table(bundle, entries[1:2]))


def test_a_contest_measures_every_variant(bundle: Bundle):
    """Each variant that suits has time, memory and its golden difference."""
    entries = contest(bundle.path, [KEY.public], ["cpu"], rounds=1)
    assert [one.variant for one in entries] == ["fp32", "int8"]
    assert all(one.runs == 5 and one.memory_mib and not one.problem for one in entries)
    assert max(one.difference for one in entries) < 1e-4


def test_openvino_answers_as_onnxruntime(tmp_path: Path):
    """The same graph has the same answers on both, by its own runtime, asserted."""
    pytest.importorskip("openvino")
    onnx.save(small_graph(), tmp_path / "m.onnx")
    batch = np.random.default_rng(0).integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    one, two = open_scorer(tmp_path / "m.onnx", ["openvino"]), OnnxScorer(tmp_path / "m.onnx")
    assert isinstance(one, OpenVinoScorer)
    assert one.providers == ("openvino",)
    for name in ("probabilities", "score", "heatmap"):
        assert getattr(one.score(batch), name) == pytest.approx(
            getattr(two.score(batch), name), abs=1e-5
        )


def test_another_precision_than_asked_for_is_refused(tmp_path: Path):
    """Asked for bf16, it runs in bf16 or not at all: never quietly in something else."""
    pytest.importorskip("openvino")
    onnx.save(small_graph(), tmp_path / "m.onnx")
    if "avx512_bf16" in Path("/proc/cpuinfo").read_text():
        assert open_scorer(tmp_path / "m.onnx", ["openvino-bf16"]).providers == ("openvino-bf16",)
        return
    with pytest.raises(ProviderError, match="in f32 on CPU"):
        open_scorer(tmp_path / "m.onnx", ["openvino-bf16"])


UNDER_MDWE = """
import ctypes, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE, since Linux 6.3
    sys.exit(77)
from pathlib import Path
from edge.inspection.engine import open_scorer
from export.errors import ProviderError
assert open_scorer(Path(sys.argv[1]), ["cpu"]).providers
try:
    open_scorer(Path(sys.argv[1]), ["openvino"])
except ProviderError as error:
    print(error.remedy)
"""


def test_a_unit_that_lets_no_machine_code_be_written_is_named(tmp_path: Path):
    """As installed, systemd forbids what OpenVINO does as it loads, and ONNX Runtime doesn't."""
    pytest.importorskip("openvino")
    onnx.save(small_graph(), tmp_path / "m.onnx")
    done = subprocess.run(
        [sys.executable, "-c", UNDER_MDWE, str(tmp_path / "m.onnx")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE")
    assert "systemctl edit linewarden, " in done.stdout, done.stderr
    assert "MemoryDenyWriteExecute=no" in done.stdout


def test_openvino_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without the package, the error names the extra."""

    def absent(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(openvino_session, "import_module", absent)
    with pytest.raises(ProviderError, match="not installed"):
        open_scorer(tmp_path / "m.onnx", ["openvino"])
