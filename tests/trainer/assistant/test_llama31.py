from pathlib import Path

import jinja2
import pytest
from transformers import LlamaConfig

from export.dialogue import DATE, Turn
from tests.trainer.assistant.small_llama import tokenizer
from trainer.assistant import memory
from trainer.assistant.base import LLAMA3_STOPS, settle, stops
from trainer.assistant.lesson import IGNORED, Lesson, rendered, tokens

# As TRL 1.16.0 ships it (Apache-2.0), equal to what Meta publishes with Llama 3.1.
TEMPLATE = Path(__file__).with_name("llama3_1.jinja").read_text()
# Ids as in torchtune's models/llama3/_tokenizer.py: 128000 upwards in this order.
SPECIALS = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
    "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>", "<|reserved_special_token_2|>",
    "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
)  # fmt: skip
# Llama-3.1-8B's published config.json.
EIGHT = {
    "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
    "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "tie_word_embeddings": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def llama():
    """A tokenizer with Llama 3.1's template and special ids; its words are bytes."""
    made = tokenizer(TEMPLATE, SPECIALS, 128_000, "<|eot_id|>")
    made.bos_token = "<|begin_of_text|>"
    settle(made)
    return made


def test_ids_are_the_published_ones(llama):
    """Padding is its own token 128004, stops are 128001, 128008 and 128009."""
    assert llama.pad_token_id == 128_004
    assert llama.pad_token_id not in stops(llama)
    assert stops(llama) == (128_001, 128_008, 128_009)
    assert [llama.convert_tokens_to_ids(one) for one in LLAMA3_STOPS] == list(stops(llama))
    assert len(llama) == 128_011


def test_the_prompt_is_as_published_with_one_begin_and_a_frozen_date(llama):
    """System block with the date line, header tokens, one begin of text, the answer's header."""
    text = rendered(llama, (Turn("system", "Rules."), Turn("user", "What?")))
    assert text == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
        f"Cutting Knowledge Date: December 2023\nToday Date: {DATE}\n\nRules.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWhat?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    ids = llama(text, add_special_tokens=False)["input_ids"]
    assert ids.count(128_000) == 1
    assert ids[0] == 128_000


def test_a_lesson_learns_the_answer_and_its_end_only(llama):
    """The labels decode to the answer and its end of turn; everything before is hidden."""
    lesson = Lesson((Turn("system", "Rules."), Turn("user", "What?")), "[line7 4.5] Open valve V2.")
    told = tokens(llama, lesson, 4096)
    counted = [one for one in told["labels"] if one != IGNORED]
    assert llama.decode(counted) == "[line7 4.5] Open valve V2.<|eot_id|>"
    assert counted[-1] == 128_009
    hidden = told["labels"].index(counted[0])
    assert set(told["labels"][:hidden]) == {IGNORED}
    assert told["input_ids"][hidden:] == counted


def test_tools_stand_in_the_user_turn_and_results_come_as_ipython(llama):
    """As published: `Environment: ipython`, the call as JSON, one call a turn."""
    tool = {
        "type": "function",
        "function": {"name": "count", "description": "Count.", "parameters": {}},
    }
    call = {"type": "function", "function": {"name": "count", "arguments": {"which": "failed"}}}
    chat = [
        {"role": "user", "content": "How many failed?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "content": {"n": 3}},
    ]
    text = llama.apply_chat_template(
        chat, tools=[tool], tokenize=False, add_generation_prompt=True, date_string=DATE
    )
    system, user = text.split("<|start_header_id|>user<|end_header_id|>")[:2]
    assert "Environment: ipython" in system
    assert '"name": "count"' not in system
    assert '"name": "count"' in user
    assert '{"name": "count", "parameters": {"which": "failed"}}<|eot_id|>' in text
    assert '<|start_header_id|>ipython<|end_header_id|>\n\n{"n": 3}<|eot_id|>' in text
    with pytest.raises(jinja2.TemplateError, match="single tool-calls"):
        llama.apply_chat_template(
            [chat[0], {"role": "assistant", "tool_calls": [call, call]}], tokenize=False
        )


@pytest.fixture(scope="module")
def eight():
    """Llama 3.1 8B, by its config alone."""
    return LlamaConfig(**EIGHT)


def test_the_8b_is_planned_on_the_meta_device_near_its_published_memory(eight):
    """Within 15% of torchtune's 16.2 GiB for LoRA and 7.4 GiB for QLoRA, in its settings.

    Rank 8 on q, v, output and the MLP, 2 dialogues of 512 tokens at once, recomputed activations.
    """
    targets = ("q_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    for quantized, published in ((False, 16.2), (True, 7.4)):
        told = memory.estimate(
            eight, rank=8, batch=2, tokens=512, quantized=quantized, targets=targets
        )
        assert told.parameters == 8_030_261_248
        assert abs(told.total / memory.GIB / published - 1) < 0.15, told.words()


def test_logits_are_counted_for_answers_alone_and_twice_the_width_takes_twice(eight):
    """What the collator keeps; and a machine that works in float32."""
    told = [
        memory.estimate(eight, rank=16, batch=4, tokens=2048, quantized=False, **more)
        for more in ({}, {"answer": 128}, {"width": memory.FP32})
    ]
    assert told[1].logits == told[0].logits / 16
    assert told[2].weights == 2 * told[0].weights
    assert told[2].activations == 2 * told[0].activations
    assert told[1].adapter == told[0].adapter == told[2].adapter


def test_beside_4_bits_embeddings_and_head_count_as_wide_as_the_machine_works(eight):
    """2 bytes a weight, or 4 where bfloat16 is not to be had."""
    narrow, wide = (
        memory.estimate(eight, rank=16, batch=1, tokens=2048, quantized=True, width=width)
        for width in (memory.BF16, memory.FP32)
    )
    around = 2 * 128_256 * 4096  # the norms are 266,240 more, one layer unpacked 58,720,256
    assert wide.weights - narrow.weights == 2 * (around + 266_240 + 58_720_256)


def test_what_does_not_fit_is_refused_with_what_would(eight):
    """The need, what is free, and what to do."""
    told = memory.estimate(eight, rank=16, batch=1, tokens=2048, quantized=False)
    with pytest.raises(memory.LanguageError, match=r"GiB are free on the GPU\n.*--qlora"):
        memory.refuse_if_short(told, 12 * memory.GIB, "on the GPU", quantized=False)
    memory.refuse_if_short(told, 24 * memory.GIB, "on the GPU", quantized=False)
    free, where = memory.free_bytes()
    assert free > 0
    assert where
