"""A tiny Llama with random weights and a byte-level tokenizer: real code paths, nothing fetched."""

from functools import cache

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from trainer.assistant.base import Base, settle, stops

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content']"
    " + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())


def tokenizer(template=CHATML, specials=("<|im_start|>", "<|im_end|>"), size=256, eos=None):
    """Bytes, then as many unused tokens as make `size`, then the special ones."""
    words = [*BYTES, *(f"<unused {n}>" for n in range(size - len(BYTES)))]
    inner = Tokenizer(models.BPE({word: n for n, word in enumerate(words)}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=None)
    made.add_special_tokens({"additional_special_tokens": list(specials)})
    made.eos_token = eos or specials[-1]
    made.chat_template = template
    return made


@cache
def config():
    """Two layers of 32."""
    return LlamaConfig(
        vocab_size=264, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=4096,
        tie_word_embeddings=True,
    )  # fmt: skip


def base(name="tiny"):
    """The model and its tokenizer."""
    import torch

    torch.manual_seed(0)
    spoken = tokenizer()
    settle(spoken)
    return Base(name, LlamaForCausalLM(config()), spoken, stops(spoken))


def saved(folder):
    """The same as a folder that transformers loads."""
    made = base()
    made.model.save_pretrained(folder)
    made.tokenizer.save_pretrained(folder)
    return folder
