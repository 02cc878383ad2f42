"""The manifest: what a bundle is, what it was measured to do, and the hash of its every file.

One JSON document under a published JSON Schema (`linewarden bundle schema`). Knows nothing of
folders or signatures; export/bundle.py reads and writes it.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from export.preprocess import METHOD, Input, Region
from export.verdict import Contract, Finite, Probability, Thresholds

SCHEMA_VERSION = 1
VARIANTS_VERSION = 2  # of a manifest that tells of variants; one without is as old boxes know it
FP32 = "fp32"  # the variant that was trained; every bundle has it
MODEL = "model.onnx"
GOLDEN = "golden/golden.json"
SCORES = "scores.csv"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
GOOD = "good"

_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
_PATH = re.compile(rf"{_PART}(/{_PART}){{0,3}}")


def check_path(path: str) -> str:
    """Return `path` if it may name a file in a bundle; raises ValueError if it may not.

    Relative, `/` between parts, letters, digits, `_`, `-` and `.` only, no part that starts with
    a dot: so neither `..`, nor a hidden file, an absolute path, a drive or a backslash.
    """
    if not _PATH.fullmatch(path) or path in {MANIFEST, SIGNATURE}:
        raise ValueError(f"{path!r} can't name a file in a bundle")
    return path


def name_of(file: str, variant: str) -> str:
    """What a variant calls a file that FP32 calls `file`: model.onnx → model.int8.onnx."""
    stem, _, suffix = file.rpartition(".")
    return file if variant == FP32 else f"{stem}.{variant}.{suffix}"


Precision = Annotated[str, Field(pattern=r"^(int8|fp16)$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
FilePath = Annotated[str, AfterValidator(check_path)]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class FileEntry(Contract):
    """One file of the bundle."""

    sha256: Sha256
    bytes: Count


class RegionOfFrame(Contract):
    """The part of a frame that the model sees, as fractions 0..1 of its width and height."""

    x: Probability
    y: Probability
    width: Probability
    height: Probability


class InputOfModel(Contract):
    """What the model takes: uint8 (N, height, width, 3), blue first."""

    width: int = Field(ge=8, le=4096)
    height: int = Field(ge=8, le=4096)
    tile: int | None = Field(
        default=None, ge=8, description="side of the tiles that the graph judges one by one"
    )
    region: RegionOfFrame
    color: Literal["BGR"] = "BGR"
    dtype: Literal["uint8"] = "uint8"

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a region that leaves the frame."""
        self.input()

    def input(self) -> Input:
        """The same as export/preprocess.py takes it."""
        region = self.region
        return Input(
            self.width, self.height, Region(region.x, region.y, region.width, region.height)
        )


class Preprocessing(Contract):
    """How a frame becomes the model's input: the name of one function in export/preprocess.py."""

    method: Literal["area-chain-1"] = METHOD


class TypeBasis(Contract):
    """What the calibration parts prove of one defect type, exact and one-sided."""

    parts: Count = Field(description="defective parts of this type")
    escapes: Count = Field(description="of them, passed in any of their pictures")
    bound: Probability = Field(description="no more of this type escape, at the confidence")
    proven: bool = Field(description="the bound is within the escape budget")
    more_parts: Count | None = Field(
        description="further parts without a miss that would prove the budget; null: none would"
    )


class Costs(Contract):
    """What mistakes cost, in any one currency, and how many parts of the line are defective."""

    escape: Amount = Field(description="a defective part passed")
    overkill: Amount = Field(description="a good part failed")
    review: Amount = Field(description="one look by a person")
    defect_share: Probability = Field(description="defective share of the parts on the line")


class NoveltyBasis(Contract):
    """What the threshold on novelty stands on; exact and one-sided, counted by part."""

    false_alarm_rate: Probability = Field(description="share of good parts that was asked for")
    confidence: Probability
    good_parts: Count = Field(description="calibration parts that it was placed by")
    alarms: Count = Field(description="of them, those that seem novel")
    bound: Probability = Field(description="no more good parts seem novel, at the confidence")
    proven: bool = Field(description="the bound is within the rate")
    more_parts: Count | None = Field(
        description="further good parts without an alarm that would prove it; null: none would"
    )
    words: str


class Basis(Contract):
    """What the thresholds stand on: the stated budgets and the data that supports them.

    Counts are of pictures; the bounds are exact, one-sided, at `confidence`, and of parts, since
    pictures of one part are no independent evidence. `words` says it in a sentence.
    """

    split: str = Field(
        default="calibration", description="the pictures that the thresholds were chosen on"
    )
    escape_budget: Probability = Field(description="largest rate of escapes asked for")
    overkill_budget: Probability
    review_budget: Probability
    confidence: Probability
    each_type: bool = Field(
        default=False, description="the escape budget holds for every defect type by itself"
    )
    n_defect: Count
    n_good: Count
    escapes: Count = Field(description="defective, passed")
    overkills: Count = Field(description="good, failed")
    reviews: Count = Field(description="sent to a person")
    defect_parts: Count
    good_parts: Count
    escape_bound: Probability = Field(description="no more parts escape, at the confidence")
    overkill_bound: Probability
    proven: bool = Field(
        default=False, description="the escape bound is within the budget, and each type's if asked"
    )
    types: dict[str, TypeBasis] = Field(default_factory=dict, description="defect type → its bound")
    costs: Costs | None = Field(
        default=None, description="if set, the cheapest thresholds within the budgets were taken"
    )
    novelty: NoveltyBasis | None = None
    method: str
    words: str
    plan: tuple[str, ...] = Field(
        default=(), description="how many more parts would prove the budget, in sentences"
    )


class Metric(Contract):
    """One measured figure with its interval; k of n where it is a rate."""

    name: str
    value: Finite
    low: Finite
    high: Finite
    confidence: Probability
    k: Count | None = None
    n: Count | None = None
    split: str


class Data(Contract):
    """The pictures behind the model."""

    fingerprint: str
    parts: Count
    counts: dict[str, dict[str, Count]] = Field(description="split → class → pictures")


class Weights(Contract):
    """Where training started from."""

    source: str
    name: str
    sha256: str | None


class Provenance(Contract):
    """How to make the model again."""

    run: str
    arch: str
    seed: int
    weights: Weights
    linewarden: str
    python: str
    torch: str
    onnx: str
    opset: Count
    thresholds_of: str | None = Field(
        default=None, description="digest of the bundle whose thresholds were decided anew"
    )


class Parity(Contract):
    """How far ONNX Runtime's answers lay from PyTorch's when the graph was exported."""

    pictures: Count
    max_abs_probability: Finite
    max_abs_score: Finite
    max_abs_heatmap: Finite
    max_novelty: Finite | None = Field(
        default=None, description="in proportion to the novelty where that is beyond 1"
    )
    tolerance: Finite
    runtime: str


class Agreement(Contract):
    """A variant's answers beside FP32's, on pictures that neither was made with."""

    pictures: Count
    same_outcome: Count = Field(description="of them, each variant at its own thresholds")
    max_abs_score: Finite
    mean_abs_score: Finite
    max_novelty: Finite | None = Field(
        default=None, description="in proportion to the novelty where that is beyond 1"
    )


class Variant(Contract):
    """The same model in another precision, with thresholds placed on its own scores.

    Whether it is released is decided without a look at the calibration pictures, so its bound is
    as exact as FP32's: see docs/variants.md.
    """

    thresholds: Thresholds
    basis: Basis
    agreement: Agreement
    runtime: str = Field(description="what its figures were measured with")
    work: Probability = Field(description="share of the multiplications in this precision")
    in_float: tuple[str, ...] = Field(default=(), description="layers of the trunk left in FP32")
    noise: Amount = Field(
        description="largest RMS change of the score's or the novelty's logarithm on validation "
        "pictures, in standard deviations"
    )
    words: str


class Description(Contract):
    """All of a manifest except the list of files."""

    schema_version: Literal[1, 2] = SCHEMA_VERSION
    kind: Literal["inspection"] = "inspection"
    name: Name
    version: int = Field(ge=1, description="grows with every bundle of that name")
    created_at: Moment
    classes: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        min_length=2, max_length=64, description="in the order of probabilities; the first is good"
    )
    input: InputOfModel
    preprocessing: Preprocessing = Preprocessing()
    outputs: tuple[str, ...]
    thresholds: Thresholds
    basis: Basis
    variants: dict[Precision, Variant] = Field(
        default_factory=dict, description="the model's other variants, beside FP32"
    )
    refused: dict[Precision, str] = Field(
        default_factory=dict, description="variants that were not released, and why"
    )
    metrics: dict[str, tuple[Metric, ...]] = Field(description="variant of the graph → figures")
    data: Data
    recipe: dict[str, JsonValue]
    provenance: Provenance
    parity: Parity

    def model_post_init(self, _context: object, /) -> None:
        """Refuse classes that repeat or don't start with good, and variants without figures."""
        if self.classes[0] != GOOD or len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes {self.classes} must start with {GOOD!r} and not repeat")
        if self.schema_version == SCHEMA_VERSION and (self.variants or self.refused):
            raise ValueError(f"a manifest of version {SCHEMA_VERSION} knows no variants")
        if unmeasured := [name for name in self.variants if name not in self.metrics]:
            raise ValueError(f"metrics lacks the figures of {', '.join(unmeasured)}")


class Manifest(Description):
    """The content of a bundle's manifest.json."""

    files: dict[FilePath, FileEntry]

    def model_post_init(self, context: object, /) -> None:
        """Refuse a bundle without its model or its golden samples."""
        super().model_post_init(context)
        for variant in (FP32, *self.variants):
            asked = (MODEL, GOLDEN) if variant == FP32 else (MODEL, GOLDEN, SCORES)
            for needed in (name_of(file, variant) for file in asked):
                if needed not in self.files:
                    raise ValueError(f"files lacks {needed}")
