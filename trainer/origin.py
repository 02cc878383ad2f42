"""Where a bundle comes from, as its manifest says it: the same of every kind of run."""

import platform
from collections.abc import Mapping

from export import __version__
from export.manifest import Data, InputOfModel, Provenance, RegionOfFrame, Weights
from trainer.run import Trained


def input_of(record: Trained) -> InputOfModel:
    """What the model takes."""
    region = dict(zip(("x", "y", "width", "height"), record.input.region, strict=True))
    return InputOfModel(
        width=record.input.width,
        height=record.input.height,
        tile=record.input.tile,
        region=RegionOfFrame.model_validate(region),
    )


def data_of(record: Trained) -> Data:
    """The pictures that it learned from."""
    return Data(
        fingerprint=record.data.fingerprint,
        parts=record.data.parts,
        counts={split: dict(counts) for split, counts in record.data.counts.items()},
    )


def provenance_of(record: Trained, exported: Mapping[str, str], opset: int) -> Provenance:
    """Run, weights and programs; `exported` are the versions of what wrote the graph."""
    return Provenance(
        run=record.name,
        arch=record.arch,
        seed=record.seed,
        weights=Weights(**record.weights.model_dump()),
        linewarden=__version__,
        python=platform.python_version(),
        opset=opset,
        **exported,
    )
