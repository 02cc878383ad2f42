"""What a tuning takes of memory, told before it starts, from the base's shape alone.

Weights, adapter with its gradients and Adam's moments, activations with gradient checkpointing (one
input for each layer kept, one layer worked out again), and the logits, which over whole dialogues
a vocabulary of 128,256 makes the largest single tensor. Compared with published figures in
docs/assistant.md.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export.errors import LanguageError

GIB = 1024**3
BF16, FP32 = 2, 4
NF4 = 0.5 + 0.127 / 8  # bytes a weight, double quantisation (Dettmers et al., arXiv 2305.14314)
AROUND = 2  # positions beside an answer: its end of turn, and the one that foretells its first
_MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes, by what they are for."""

    weights: int
    adapter: int
    activations: int
    logits: int
    parameters: int
    trainable: int

    @property
    def total(self) -> int:
        """All of it, at the peak."""
        return self.weights + self.adapter + self.activations + self.logits

    def words(self) -> str:
        """In one line."""
        told = (
            ("weights", self.weights), ("adapter and its optimiser", self.adapter),
            ("activations", self.activations), ("logits", self.logits),
        )  # fmt: skip
        parts = ", ".join(f"{name} {count / GIB:.2f}" for name, count in told)
        return (
            f"{self.total / GIB:.1f} GiB ({parts}); {self.trainable:,} of {self.parameters:,}"
            f" weights learn"
        )


def estimate(
    config: Any, *, rank: int, batch: int, tokens: int, quantized: bool, answer: int | None = None,
    width: int = BF16, checkpointing: bool = True, targets: tuple[str, ...] | None = None,
) -> Estimate:  # fmt: skip
    """Estimate the tuning of a Llama, laid out on the meta device: no weight is made.

    Args:
        config: a transformers LlamaConfig.
        rank: of the adapter.
        batch: dialogues at once.
        tokens: of the longest of them.
        quantized: the base in 4 bits.
        answer: tokens of the longest answer, for which alone there are logits; None: for all.
        width: bytes of a weight that isn't in 4 bits, and of what is worked out.
        checkpointing: whether each layer is worked out again going back.
        targets: names of the linear layers that get an adapter; None: all but the head.
    """
    import torch  # noqa: PLC0415
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    linear = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and not name.endswith("lm_head")
    }
    adapted = [
        m for name, m in linear.items() if targets is None or name.rpartition(".")[2] in targets
    ]
    trainable = sum(rank * (one.in_features + one.out_features) for one in adapted)
    inside = sum(one.weight.numel() for one in linear.values())
    parameters = sum(one.numel() for one in model.parameters())
    largest = max(one.weight.numel() for one in linear.values())
    weights = (parameters - inside) * width + inside * (NF4 if quantized else width)
    weights += largest * width if quantized else 0  # one layer unpacked at a time
    return Estimate(
        weights=round(weights),
        adapter=trainable * FP32 * 4,  # in float32, as peft keeps it, whatever the base
        activations=_activations(config, batch * tokens, width, checkpointing=checkpointing),
        logits=batch * (tokens if answer is None else answer) * config.vocab_size * (width + FP32),
        parameters=parameters,
        trainable=trainable,
    )


def _activations(config: Any, positions: int, width: int, *, checkpointing: bool) -> int:
    """Bytes that going forward keeps: for each layer its input, and one layer whole."""
    hidden, inner = config.hidden_size, config.intermediate_size
    inputs = config.num_hidden_layers * positions * hidden * width
    layer = positions * (10 * hidden + 4 * inner) * width
    return inputs + (layer if checkpointing else config.num_hidden_layers * layer)


def free_bytes() -> tuple[int, str]:
    """(bytes that are free, where): on the first GPU, or else in main memory."""
    import torch  # noqa: PLC0415

    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0]), "on the GPU"
    for line in _MEMINFO.read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) * 1024, "in main memory"
    raise LanguageError("/proc/meminfo tells no MemAvailable", "give --force to start all the same")


def refuse_if_short(told: Estimate, free: int, where: str, *, quantized: bool) -> None:
    """Raise LanguageError if the estimate is more than what is free."""
    if told.total <= free:
        return
    remedy = (
        "smaller --batch or --max-tokens"
        if quantized
        else "--qlora, smaller --batch or --max-tokens"
    )
    raise LanguageError(
        f"tuning would take {told.words()}, and {free / GIB:.1f} GiB are free {where}",
        f"{remedy}, a smaller base, or --force",
    )
