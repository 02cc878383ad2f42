"""The manifest of a bundle for product pictures: what it tells apart, and how well.

It shares the bundle's folder, signature and input with an inspection's (export/manifest.py) and
nothing else: no class is good, so there are no thresholds on defects and no escapes.
"""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from export.manifest import (
    GOLDEN,
    MODEL,
    Count,
    Data,
    FileEntry,
    FilePath,
    InputOfModel,
    Metric,
    Moment,
    Name,
    NoveltyBasis,
    Preprocessing,
    Provenance,
)
from export.verdict import Contract, Finite, Probability


class PresentationBasis(Contract):
    """What the presentation score was learnt from."""

    shown: Count = Field(description="training pictures that the company shows")
    rejected: Count = Field(description="training pictures that it does not show")
    source: Literal["studio and reject", "studio against all others", "ratings"]
    words: str


class CatalogParity(Contract):
    """How far ONNX Runtime's answers lay from PyTorch's when the graph was exported."""

    pictures: Count
    max_abs_probability: Finite
    max_abs_presentation: Finite
    max_novelty: Finite = Field(description="in proportion to the novelty where that is beyond 1")
    max_abs_embedding: Finite
    tolerance: Finite
    runtime: str


class CatalogDescription(Contract):
    """All of a catalog bundle's manifest except the list of files."""

    schema_version: Literal[1] = 1
    kind: Literal["catalog"] = "catalog"
    name: Name
    version: int = Field(ge=1, description="grows with every bundle of that name")
    created_at: Moment
    categories: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        min_length=2, max_length=1000, description="in the order of probabilities"
    )
    input: InputOfModel
    preprocessing: Preprocessing = Preprocessing()
    outputs: tuple[str, ...]
    novel_above: float = Field(
        gt=0, allow_inf_nan=False, description="from here on a picture is called none of ours"
    )
    novelty: NoveltyBasis = Field(description="what that threshold stands on")
    presentation: PresentationBasis | None = Field(
        description="or null: nothing said what is shown, and the score is 0.5 for every picture"
    )
    metrics: tuple[Metric, ...]
    confusion: dict[str, dict[str, Count]] = Field(description="true → told category, of the test")
    data: Data
    recipe: dict[str, JsonValue]
    provenance: Provenance
    parity: CatalogParity

    def model_post_init(self, _context: object, /) -> None:
        """Refuse categories that repeat."""
        if len(set(self.categories)) != len(self.categories):
            raise ValueError(f"categories {self.categories} repeat")


class CatalogManifest(CatalogDescription):
    """The content of a catalog bundle's manifest.json."""

    files: dict[FilePath, FileEntry]

    def model_post_init(self, context: object, /) -> None:
        """Refuse a bundle without its model or its golden samples."""
        super().model_post_init(context)
        for needed in (MODEL, GOLDEN):
            if needed not in self.files:
                raise ValueError(f"files lacks {needed}")


class CatalogSample(Contract):
    """One golden sample: a picture and what the model answered on the workstation."""

    file: FilePath
    source: str = Field(description="where the picture came from")
    label: str = Field(description="the category that a person gave it")
    probabilities: tuple[Probability, ...]
    presentation: Probability
    novelty: Finite
