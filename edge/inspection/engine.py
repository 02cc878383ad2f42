"""What runs a model here: ONNX Runtime or OpenVINO, by the provider's name."""

from collections.abc import Sequence
from pathlib import Path

from edge.inspection.inspector import Scorer
from edge.inspection.openvino_session import PRECISION, OpenVinoScorer
from edge.inspection.session import OnnxScorer
from export.bundle import Bundle


def open_scorer(
    model_path: Path, providers: Sequence[str] = ("cpu",), threads: int = 1, name: str = ""
) -> Scorer:
    """The model at work, on the first of the providers or not at all.

    Args:
        model_path: the ONNX file.
        providers: names of edge.inspection.session.PROVIDERS, the wanted one first; or one of
            edge.inspection.openvino_session.PRECISION.
        threads: threads within one operator.
        name: what to call the model in errors, if its path doesn't say.

    Raises:
        ProviderError: unknown or unavailable provider, or a model that it can't load.
    """
    if len(providers) == 1 and providers[0] in PRECISION:
        return OpenVinoScorer(model_path, providers[0], threads, name=name)
    return OnnxScorer(model_path, providers, threads, name=name)


def scorer_of(bundle: Bundle, providers: Sequence[str] = ("cpu",), threads: int = 1) -> Scorer:
    """The bundle's model, in the variant that the bundle speaks as, from a sealed copy."""
    with bundle.sealed_model() as model:
        return open_scorer(model, providers, threads, name=str(bundle.model_path))
