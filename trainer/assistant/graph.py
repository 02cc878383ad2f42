"""A Llama as an OpenVINO graph: weights in blocks of int8, an adapter beside them, unmerged.

Stateful: keys and values stay in the graph from one call to the next. optimum-intel, which usually
makes such a graph, wants another transformers than the one that is pinned. The table of tokens
stays in 16 bits; the last layer is rounded like the others. Only what tests and the parity gate
have seen is written; a base of another make is refused.
"""

from importlib import import_module
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from export.chat import needed
from export.errors import LanguageError

BLOCK = 64  # weights that share a scale: one scale a row agrees on too few tokens (docs/log.md)
LEAST_BLOCK = 16
ROPES = ("default", "linear", "llama3")  # angles that don't change with the prompt's length
_LOWEST = float(np.finfo(np.float32).min)
Floats = npt.NDArray[np.float32]


def write_graph(model: Any, graph: Path) -> Path:
    """Write `graph` (.xml), and its weights beside it (.bin); returns the weights' path.

    Args:
        model: a transformers Llama, or a peft model of one with a LoRA adapter.
        graph: the file to write.

    Raises:
        LanguageError: OpenVINO isn't installed, or the model is of a make that isn't written.
    """
    runtime = needed("openvino")
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    _check(inner.config)
    runtime.save_model(_Writer(runtime, inner).model(), str(graph), compress_to_fp16=False)
    return graph.with_suffix(".bin")


def in_blocks(weight: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """(int8 weights, their scales), of shapes (rows, blocks, block) and (rows, blocks, 1).

    Raises:
        LanguageError: the columns can't be parted into blocks.
    """
    rows, columns = weight.shape
    block = gcd(columns, BLOCK)
    if block < LEAST_BLOCK:
        raise LanguageError(
            f"weights of {columns} columns can't be rounded in blocks of {LEAST_BLOCK} or more",
            "publish it without --with-model",
        )
    parted = weight.reshape(rows, -1, block)
    scales = np.abs(parted).max(2, keepdims=True) / 127
    scales = scales.astype(np.float16).astype(np.float32)
    scales[scales == 0] = 1
    rounded = np.clip(np.rint(parted / scales), -127, 127).astype(np.int8)
    return rounded, scales


def _check(config: Any) -> None:
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    kind = rope.get("rope_type", "default")
    if kind not in ROPES:
        raise LanguageError(
            f"the base turns its positions by {kind!r}, which can't be written for the box",
            f"use a base with one of {', '.join(ROPES)}, or publish without --with-model",
        )
    if config.hidden_act != "silu":
        raise LanguageError(
            f"the base's activation is {config.hidden_act!r}, not silu",
            "publish without --with-model",
        )


class _Writer:
    """Writes one Llama, node by node; `x` is (batch, tokens, hidden) float32 throughout."""

    def __init__(self, runtime: Any, llama: Any) -> None:
        self._ov, self._op = runtime, import_module("openvino.opset13")
        self._variables: Any = import_module("openvino.op.util")
        self._llama, config = llama, llama.config
        self._heads = config.num_attention_heads
        self._pairs = config.num_key_value_heads
        self._size = getattr(config, "head_dim", None) or config.hidden_size // self._heads
        self._beams = self._given("beam_idx", [-1], np.int32)
        self._batch: Any = None
        self._kept: list[Any] = []  # what each call leaves for the next

    def model(self) -> Any:
        """The whole graph."""
        ids, mask, places = (
            self._given(name, [-1, -1], np.int64)
            for name in ("input_ids", "attention_mask", "position_ids")
        )
        op, inner = self._op, self._llama.model
        self._batch = op.gather(op.shape_of(ids), self._ints(0), self._whole(0))
        turn, hidden = self._angles(places, inner.rotary_emb), self._hidden(mask, places)
        x = self._table(ids, inner.embed_tokens)
        for at, layer in enumerate(inner.layers):
            looked = self._norm(x, layer.input_layernorm)
            x = op.add(x, self._attention(looked, layer.self_attn, at, turn, hidden))
            x = op.add(x, self._thought(self._norm(x, layer.post_attention_layernorm), layer.mlp))
        last = op.slice(
            x, self._ints(-1), self._ints(np.iinfo(np.int64).max), self._ints(1), self._ints(1)
        )
        logits = self._linear(self._norm(last, inner.norm), self._llama.lm_head)
        logits.output(0).set_names({"logits"})
        given = [ids, mask, places, self._beams]
        return self._ov.Model([op.result(logits)], self._kept, given, "llama")

    def _given(self, name: str, shape: list[int], kind: Any) -> Any:
        node = self._op.parameter(shape, kind, name=name)
        node.output(0).set_names({name})
        return node

    def _constant(self, values: Any, kind: Any = np.float32) -> Any:
        return self._op.constant(np.array(values, kind, order="C"))

    def _ints(self, *values: int) -> Any:
        return self._constant(values, np.int64)

    def _whole(self, value: int) -> Any:
        return self._constant(value, np.int64)

    def _linear(self, x: Any, layer: Any) -> Any:
        """A layer, and what a LoRA adapter adds: two small products (arXiv 2106.09685)."""
        op, base = self._op, getattr(layer, "base_layer", layer)
        rounded, scales = in_blocks(_floats(base.weight))
        wide = op.multiply(op.convert(self._constant(rounded, np.int8), "f32"),
                           self._constant(scales))  # fmt: skip
        weight = op.reshape(wide, self._ints(*base.weight.shape), special_zero=False)
        y = op.matmul(x, weight, transpose_a=False, transpose_b=True)
        if base.bias is not None:
            y = op.add(y, self._constant(_floats(base.bias)))
        for name in getattr(layer, "lora_A", {}):
            down = self._constant(_floats(layer.lora_A[name].weight))
            up = self._constant(_floats(layer.lora_B[name].weight) * layer.scaling[name])
            narrow = op.matmul(x, down, transpose_a=False, transpose_b=True)
            y = op.add(y, op.matmul(narrow, up, transpose_a=False, transpose_b=True))
        return y

    def _norm(self, x: Any, layer: Any) -> Any:
        op = self._op
        mean = op.reduce_mean(op.power(x, self._constant(2)), self._ints(-1), keep_dims=True)
        size = op.sqrt(op.add(mean, self._constant(layer.variance_epsilon)))
        scaled = op.multiply(x, op.divide(self._constant(1), size))
        return op.multiply(self._constant(_floats(layer.weight)), scaled)

    def _table(self, ids: Any, layer: Any) -> Any:
        """The tokens' vectors; 16 bits hold them nearly as they are."""
        table = self._constant(_floats(layer.weight), np.float16)
        return self._op.convert(self._op.gather(table, ids, self._whole(0)), "f32")

    def _angles(self, places: Any, rotary: Any) -> tuple[Any, Any]:
        """(cosines, sines), of shape (batch, 1, tokens, size of a head)."""
        op = self._op
        steps = self._constant(_floats(rotary.inv_freq)[None, :, None])
        at = op.unsqueeze(op.convert(places, "f32"), self._ints(1))
        turned = op.transpose(
            op.matmul(steps, at, transpose_a=False, transpose_b=False), self._ints(0, 2, 1)
        )
        both = op.unsqueeze(op.concat([turned, turned], -1), self._ints(1))
        scale = self._constant(rotary.attention_scaling)
        return op.multiply(op.cos(both), scale), op.multiply(op.sin(both), scale)

    def _hidden(self, mask: Any, places: Any) -> Any:
        """What a token may not see, those behind it: 0 or the lowest float, (batch, 1, q, k)."""
        op = self._op
        total = op.gather(op.shape_of(mask), self._whole(1), self._whole(0))
        keys = op.range(self._whole(0), total, self._whole(1), "i64")
        seen = op.less_equal(op.unsqueeze(keys, self._ints(0)), op.unsqueeze(places, self._ints(2)))
        return op.unsqueeze(
            op.select(seen, self._constant(0), self._constant(_LOWEST)), self._ints(1)
        )

    def _attention(self, x: Any, layer: Any, at: int, turn: tuple[Any, Any], hidden: Any) -> Any:
        op = self._op
        query = self._turned(self._parted(self._linear(x, layer.q_proj), self._heads), turn)
        key = self._turned(self._parted(self._linear(x, layer.k_proj), self._pairs), turn)
        value = self._parted(self._linear(x, layer.v_proj), self._pairs)
        name = f"past_key_values.{at}"
        keys, values = (
            self._spread(self._remembered(x, f"{name}.{kind}"))
            for kind, x in (("key", key), ("value", value))
        )
        seen = op.scaled_dot_product_attention(query, keys, values, hidden)
        width = self._heads * self._size
        joined = op.reshape(
            op.transpose(seen, self._ints(0, 2, 1, 3)), self._ints(0, 0, width), special_zero=True
        )
        return self._linear(joined, layer.o_proj)

    def _parted(self, x: Any, heads: int) -> Any:
        """(batch, heads, tokens, size of a head)."""
        parted = self._op.reshape(x, self._ints(0, 0, heads, self._size), special_zero=True)
        return self._op.transpose(parted, self._ints(0, 2, 1, 3))

    def _turned(self, x: Any, turn: tuple[Any, Any]) -> Any:
        """Rotary positions, a head's first half beside its second."""
        op, (cosines, sines) = self._op, turn
        first, second = op.split(x, self._whole(-1), 2).outputs()
        across = op.concat([op.multiply(second, self._constant(-1)), first], -1)
        return op.add(op.multiply(x, cosines), op.multiply(across, sines))

    def _remembered(self, x: Any, name: str) -> Any:
        """What was kept under the name, and `x` behind it; kept for the next call."""
        op, told = self._op, self._variables.VariableInfo()
        told.data_shape = self._ov.PartialShape([-1, self._pairs, -1, self._size])
        told.data_type, told.variable_id = self._ov.Type.f32, name
        variable = self._variables.Variable(told)
        empty = op.concat([self._batch, self._ints(self._pairs, 0, self._size)], 0)
        begun = op.read_value(op.broadcast(self._constant(0), empty), variable)
        now = op.concat([op.gather(begun, self._beams, self._whole(0)), x], 2)
        self._kept.append(op.assign(now, variable))
        return now

    def _spread(self, x: Any) -> Any:
        """One key for each head.

        By a product with ones: repeated otherwise, OpenVINO computes cache and attention piece by
        piece instead of as one operation.
        """
        if self._pairs == self._heads:
            return x
        op, times = self._op, self._heads // self._pairs
        ones = self._constant(np.ones((1, 1, times, 1, 1)))
        wide = op.multiply(op.unsqueeze(x, self._ints(2)), ones)
        return op.reshape(wide, self._ints(0, self._heads, -1, self._size), special_zero=True)

    def _thought(self, x: Any, layer: Any) -> Any:
        op = self._op
        opened = op.swish(self._linear(x, layer.gate_proj))
        return self._linear(op.multiply(opened, self._linear(x, layer.up_proj)), layer.down_proj)


def _floats(weight: Any) -> Floats:
    return weight.detach().float().cpu().numpy()
