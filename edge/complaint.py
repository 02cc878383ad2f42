"""What is wrong with the settings, said to the person who wrote them.

Turns pydantic's errors into dotted keys, what stands there, what is allowed, and the key that
was probably meant. It knows no particular setting.
"""

import difflib
from typing import Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError

from export.errors import ConfigError

Keys = tuple[int | str, ...]


def about(
    error: ValidationError,
    model: type[BaseModel],
    file: str,
    prefix: str,
    variables: dict[str, Any],
) -> ConfigError:
    """One ConfigError naming every wrong key of `file` or of the environment.

    Args:
        error: what pydantic found.
        model: the type of the whole tree.
        file: the settings file's path.
        prefix: how variables that override settings begin.
        variables: the tree that those variables make.
    """
    lines: list[str] = []
    for found in error.errors(include_url=False):
        keys, known = _walk(model, found["loc"])
        origin = _variable(prefix, keys) if _stands_in(variables, keys) else "key"
        sentence = _sentence(found["type"], found, keys, known)
        lines.append(f"{origin} {'.'.join(keys)}: {sentence}")
    return ConfigError(f"{file!r}: " + "\n  ".join(lines), "see: linewarden config example")


def _sentence(kind: str, found: Any, keys: list[str], known: list[str]) -> str:
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        return f"is not a setting{meant} (known here: {', '.join(known)})"
    if kind == "missing":
        return "is missing and has no default"
    if kind == "union_tag_invalid":
        context = found["ctx"]
        return f"its kind must be one of {context['expected_tags']}, but is {context['tag']!r}"
    if kind == "union_tag_not_found":
        return "has no kind"
    if kind in ("too_short", "too_long"):
        context = found["ctx"]
        bound = "at least" if kind == "too_short" else "at most"
        length = context.get("min_length", context.get("max_length"))
        return f"must have {bound} {length}, but has {context['actual_length']}"
    message: str = found["msg"]
    said = (
        message.removeprefix("Value error, ")
        .replace("Input should", "must")
        .replace("String should", "must")
    )
    return f"{said}, but is {_short(found['input'])}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _variable(prefix: str, keys: list[str]) -> str:
    return f"variable {prefix}{'__'.join(keys).upper()} sets"


def _stands_in(tree: dict[str, Any], keys: list[str]) -> bool:
    here: Any = tree
    for key in keys:
        if not isinstance(here, dict) or key not in here:
            return False
        here = cast("dict[str, Any]", here)[key]
    return True


def _walk(model: type[BaseModel], where: Keys) -> tuple[list[str], list[str]]:
    """The keys as written in the file (pydantic adds a union's tag), and those known beside it."""
    keys: list[str] = []
    here: Any = model
    known: list[str] = list(model.model_fields)
    for step in where:
        tagged = _tagged(here, step)
        if tagged is not None:
            here, known = tagged, list(tagged.model_fields)
            continue
        keys.append(str(step))
        known = list(_fields(here)) or known
        here = _below(here, step)
    return keys, known


def _fields(kind: Any) -> dict[str, Any]:
    return {} if not _is_model(kind) else cast("type[BaseModel]", kind).model_fields


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _members(kind: Any) -> list[type[BaseModel]]:
    """The models that a union, however wrapped in Annotated, is made of."""
    if _is_model(kind):
        return [kind]
    return [one for part in get_args(kind) for one in _members(part)]


def _tagged(kind: Any, tag: int | str) -> type[BaseModel] | None:
    if _is_model(kind) or get_origin(kind) is dict:
        return None
    for member in _members(kind):
        field = member.model_fields.get("kind")
        if field and get_origin(field.annotation) is Literal and tag in get_args(field.annotation):
            return member
    return None


def _below(kind: Any, key: int | str) -> Any:
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    if field := _fields(kind).get(str(key)):
        inner = field.annotation
        members = _members(inner)
        plain = len(members) == 1 and get_origin(inner) is not dict
        return members[0] if plain else inner
    return None
