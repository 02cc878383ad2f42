"""The base: a model of Llama's architecture and its tokenizer, from a folder, a hub or a GGUF file.

Llama 3.1's special tokens are told here: its padding token is one of its own, never the end of turn
(a model that is padded with its stop token may not learn to stop), and nothing is ever added to its
vocabulary, since an adapter would then have to carry the embeddings.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from export.errors import LanguageError
from trainer.recipe import bf16_in_hardware

ON_HUB = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")  # a model's name there: owner/name
LLAMA3_PAD = "<|finetune_right_pad_id|>"  # 128004
LLAMA3_STOPS = ("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>")  # 128001, 128008, 128009


@dataclass(slots=True)
class Base:
    """A model with its tokenizer; `stops` end an answer."""

    name: str
    model: Any
    tokenizer: Any
    stops: tuple[int, ...]


@contextmanager
def hushed() -> Iterator[None]:
    """Within, what transformers, peft and the hub tell their own developers isn't told to ours."""
    from huggingface_hub.utils import logging  # noqa: PLC0415 - slow to import

    before = logging.get_verbosity()
    logging.set_verbosity_error()  # one out of reach is tried, and warned of, six times
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning)
            warnings.filterwarnings("ignore", "Could not find a config file", UserWarning)
            yield
    finally:
        logging.set_verbosity(before)


@hushed()
def shape(name: str) -> Any:
    """A base's configuration alone; raises LanguageError if it can't be read, or is no Llama's."""
    from transformers import AutoConfig  # noqa: PLC0415 - slow to import

    place, more = _place(name)
    try:
        config = AutoConfig.from_pretrained(place, **more)
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from error
    check(config, name)
    return config


@hushed()
def load(name: str, *, dtype: str = "auto", quantized: bool = False) -> Base:
    """Load a base.

    Args:
        name: a folder, a .gguf file, or a model of the Hugging Face hub.
        dtype: of its weights: bfloat16, float32, or auto: bfloat16 where the machine has it.
        quantized: to 4 bits (NF4, double quantisation), for QLoRA; they are unpacked to `dtype`.

    Raises:
        LanguageError: it can't be loaded, or is no Llama.
    """
    import torch  # noqa: PLC0415 - slow to import
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    place, more = _place(name)
    if dtype == "auto":
        dtype = "bfloat16" if bf16_in_hardware() else "float32"
    kind = getattr(torch, dtype)
    if quantized:
        more["quantization_config"] = _four_bits(kind)
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, **_only(more, "gguf_file"))
        model = AutoModelForCausalLM.from_pretrained(place, dtype=kind, **more)
    except (OSError, ValueError, ImportError) as error:
        raise _unreadable(name, error) from error
    check(model.config, name)
    if "gguf_file" in more:
        _unpacked(model)
    settle(tokenizer)
    return Base(name, model, tokenizer, stops(tokenizer))


def check(config: Any, name: str) -> None:
    """Raise LanguageError unless it is of the Llama architecture."""
    if config.model_type != "llama":
        raise LanguageError(
            f"the base {name!r} is of the architecture {config.model_type!r}, not llama",
            "give a Llama 3.1, or another model of that architecture",
        )


def settle(tokenizer: Any) -> None:
    """Choose the padding token: Llama 3's own, or the tokenizer's, or else its end of text."""
    if LLAMA3_PAD in tokenizer.get_vocab():
        tokenizer.pad_token = LLAMA3_PAD
    elif tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"


def stops(tokenizer: Any) -> tuple[int, ...]:
    """The ids that end an answer."""
    known = tokenizer.get_vocab()
    if LLAMA3_STOPS[-1] in known:
        return tuple(known[token] for token in LLAMA3_STOPS)
    return (int(tokenizer.eos_token_id),)


def _place(name: str) -> tuple[str, dict[str, Any]]:
    path = Path(name)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise LanguageError(f"no such file: {path}", "give the path of a .gguf file")
        return str(path.parent), {"gguf_file": path.name}
    if path.exists() and not (path / "config.json").is_file():
        raise LanguageError(f"{path} has no config.json", "give a folder that transformers wrote")
    if not path.exists() and not ON_HUB.fullmatch(name):
        raise LanguageError(
            f"no such file or folder: {path}",
            "give a folder with config.json and weights, a .gguf file, or owner/name on the hub",
        )
    return name, {}


def _unreadable(name: str, error: Exception) -> LanguageError:
    said = str(error).splitlines()[0]
    if Path(name).exists():
        remedy = "give a folder with config.json and weights, or a .gguf file"
    else:
        remedy = (
            "give a folder, a .gguf file, or owner/name on the hub; is this machine offline? then"
            " HF_HUB_OFFLINE=1 takes what was downloaded before, without trying the hub"
        )
    return LanguageError(f"the base {name!r} can't be loaded: {said}", remedy)


def _only(settings: dict[str, Any], key: str) -> dict[str, Any]:
    return {key: settings[key]} if key in settings else {}


def _unpacked(model: Any) -> None:
    """Transformers 5 goes on calling weights read from GGUF quantised; they are plain by now."""
    for owner in (model, model.config):
        for name in ("hf_quantizer", "quantization_config", "is_quantized", "quantization_method"):
            if name in vars(owner):
                delattr(owner, name)


def _four_bits(unpacked: Any) -> Any:
    from transformers import BitsAndBytesConfig  # noqa: PLC0415

    try:
        import_module("bitsandbytes")
    except ImportError as error:
        raise LanguageError(
            "4 bits (QLoRA) need bitsandbytes, which is not installed",
            "pip install 'linewarden[qlora]'",
        ) from error
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=unpacked,
    )  # fmt: skip
