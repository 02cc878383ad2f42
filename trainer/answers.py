"""What a trained network answers to pictures, exactly as its exported graph must."""

from collections.abc import Callable

from export import to_onnx
from export.parity import Answers
from export.preprocess import Pixels
from trainer.backbone import Network, normalise
from trainer.run import Run


def answers(run: Run) -> Callable[[Pixels], Answers]:
    """A function of (N,H,W,3) uint8 BGR pictures; raises RunError if the run can't be rebuilt."""
    return of_network(run.network(), run.record.temperature)


def of_network(network: Network, temperature: float) -> Callable[[Pixels], Answers]:
    """The same of a network that has just learnt."""
    return to_onnx.reference(network.eval(), normalise, temperature)
