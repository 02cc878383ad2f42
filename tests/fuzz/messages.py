"""Hostile messages, drawn by a seed: sound ones changed as bytes, as JSON and as values.

Yields (kind, payload). Whether one is sound is for others to say: many a change leaves it so.
"""

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from jsonschema import Draft202012Validator

MAX_BYTES = 65_536  # of a payload, as promised
NUMBERS = (
    -1, 0, 1, 0.5, 1.0, 1e308, -0.0, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, 10**30, 1e-320,
)  # fmt: skip
STRINGS = (
    "", "x", "eye", "é", "\x00", "\n", "\u202e", "/", "+", "#", "$SYS", "../..", "🧪" * 40,
    "A" * 65, "A" * 129, "A" * 5000, "%s%n", "'; DROP TABLE verdict;--", "<script>", "${x}", "None",
)  # fmt: skip
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": 0})


def is_sound(payload: bytes, judge: Draft202012Validator, limit: int = MAX_BYTES) -> bool:
    """Whether a payload is what `judge`'s schema says, as Python's JSON reads it."""
    if len(payload) > limit:
        return False
    try:
        return judge.is_valid(json.loads(payload.decode(), parse_constant=_no_number))
    except (ValueError, RecursionError):
        return False


def _no_number(name: str):
    raise ValueError(f"{name} is no JSON")


class Messages:
    """Changes of `sound` messages, given as JSON values."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def draw(self, sound: Any) -> tuple[str, bytes]:
        """A change of one sound message."""
        kind = self.dice.choice(sorted(CHANGES))
        return kind, CHANGES[kind](self, sound)

    # -- as values

    def _field(self, sound: Any) -> bytes:
        """One field, anywhere, with another value."""
        told = json.loads(json.dumps(sound))
        for _ in range(self.dice.choice([1, 1, 2, 4])):
            holder, key = self._anywhere(told)
            if holder is not None:
                holder[key] = self._odd()
        return self._bytes(told)

    def _structure(self, sound: Any) -> bytes:
        """A field left out, added, doubled, nested or moved."""
        told = json.loads(json.dumps(sound))
        holder, key = self._anywhere(told)
        if holder is None:
            return b"{}"
        how = self.dice.randrange(4)
        if how == 0:
            del holder[key]
        elif how == 1 and isinstance(holder, dict):
            holder[self.dice.choice([*STRINGS, "Camera", "__proto__"])] = self._odd()
        elif how == 2:
            holder[key] = [holder[key]] * self.dice.choice([1, 2, 5000])
        else:
            holder[key] = {"value": holder[key]}
        return self._bytes(told)

    def _anywhere(self, told: Any) -> tuple[Any, Any]:
        holder, key = None, None
        while isinstance(told, dict | list) and told:
            holder = told
            key = self.dice.choice(list(told)) if isinstance(told, dict) else 0
            told = told[key]
            if self.dice.random() < 0.4:
                break
        return holder, key

    def _odd(self) -> Any:
        return deepcopy(self.dice.choice(self.dice.choice([NUMBERS, STRINGS, OTHERS])))

    def _bytes(self, told: Any) -> bytes:
        return json.dumps(told, ensure_ascii=self.dice.random() < 0.5).encode(
            errors="surrogatepass"
        )

    # -- as JSON

    def _lexical(self, sound: Any) -> bytes:
        """What parsers differ about: doubled keys, NaN, comments, blanks, escapes, great depth."""
        body = json.dumps(sound)
        first = next(iter(sound), "")
        return self.dice.choice([
            body.replace("{", f'{{"{first}": "other", ', 1), body.replace(":", ': NaN, "x":', 1),
            body.replace("{", "{/* */", 1), body + " ", "\ufeff" + body, body + body, f"[{body}]",
            body.replace('"', '"\\ud800', 1), body.replace("e", "\\u0065", 1), body.upper(),
            "[" * 60_000, '{"a":' * 10_000, body.replace("1", "1" * 4000), body.replace("}", ",}"),
            body.replace('": "', '": "\\u0000', 1), json.dumps(body), body.replace(" ", "\n\t\r"),
            body.replace("1", "1e400", 1), body.replace("1", "01", 1), body.replace("1", "1.0", 1),
        ]).encode()  # fmt: skip

    # -- as bytes

    def _flipped(self, sound: Any) -> bytes:
        body = bytearray(json.dumps(sound).encode())
        for _ in range(self.dice.choice([1, 1, 3, 10])):
            body[self.dice.randrange(len(body))] ^= 1 << self.dice.randrange(8)
        return bytes(body)

    def _cut(self, sound: Any) -> bytes:
        body = json.dumps(sound).encode()
        return body[: self.dice.randrange(len(body))]

    def _noise(self, _sound: Any) -> bytes:
        return self.dice.randbytes(self.dice.choice([0, 1, 10, 1000, 65_536]))

    def _long(self, sound: Any) -> bytes:
        """Sound, but for its length: over 64 KiB, or just under."""
        body = json.dumps(sound)
        pad = self.dice.choice([65_536, 65_537, 70_000, 130_000]) - len(body)
        return body.replace("{", "{" + " " * pad, 1).encode()

    def _untouched(self, sound: Any) -> bytes:
        return json.dumps(sound).encode()


CHANGES: dict[str, Callable[[Messages, Any], bytes]] = {
    "field": Messages._field,
    "structure": Messages._structure,
    "lexical": Messages._lexical,
    "bits flipped": Messages._flipped,
    "cut off": Messages._cut,
    "noise": Messages._noise,
    "long": Messages._long,
    "untouched": Messages._untouched,
}
