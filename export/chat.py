"""The chat as a text model's file has it: its template, its tokenizer, and its own special tokens.

Publishing and the box read prompts with the very tokenizer and template that the bundle carries.
Only the template may write a special token: one that stands in a question, a section or the system
context is broken up, so that nobody can end a turn by writing its mark. Knows no model.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, NoReturn

from export.dialogue import DATE, Turn
from export.errors import LanguageError

EXTRA = "pip install 'linewarden[text]'"
MOST_CHARS = 1_000_000  # of a prompt
_WORD_JOINER = "\u2060"  # shows nothing, and parts a mark from itself


class Chat:
    """Turns into token ids, and ids into words.

    Args:
        tokenizer: content of a tokenizer.json.
        template: the chat template (Jinja).
        specials: names as the template knows them (bos_token, …) → the tokens.

    Raises:
        LanguageError: tokenizers or jinja2 is not installed, or one of the two can't be read.
    """

    def __init__(self, tokenizer: bytes, template: str, specials: Mapping[str, str]) -> None:
        try:
            self._tokenizer: Any = needed("tokenizers").Tokenizer.from_buffer(tokenizer)
        except Exception as error:  # raised by Rust: no class below Exception
            if isinstance(error, LanguageError):
                raise
            raise LanguageError(
                f"the text model's tokenizer can't be read: {error}", "publish the bundle again"
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._specials = dict(specials)
        self._marks = sorted(
            (one.content for one in self._tokenizer.get_added_tokens_decoder().values()
             if one.special or one.content.startswith("<")), key=len, reverse=True,
        )  # fmt: skip
        self._special = {
            number for number, one in self._tokenizer.get_added_tokens_decoder().items()
            if one.special
        }  # fmt: skip
        self._template = _compiled(template)

    def ids(self, turns: Sequence[Turn]) -> list[int]:
        """The prompt's tokens up to where the answer begins; raises LanguageError."""
        told = [replace(turn, content=self._told(turn.content)).as_dict() for turn in turns]
        try:
            text = self._template.render(
                messages=told, tools=None, documents=None, add_generation_prompt=True,
                date_string=DATE, **self._specials,
            )  # fmt: skip
        except Exception as error:  # a template may fail in any way
            raise LanguageError(
                f"the chat template can't write these turns: {error}", "publish the bundle again"
            ) from error
        if len(text) > MOST_CHARS:
            raise LanguageError(
                f"the chat template makes {len(text)} characters of these turns, at most"
                f" {MOST_CHARS} are read", "publish the bundle with another template",
            )  # fmt: skip
        return self.tokens(text)

    def tokens(self, text: str) -> list[int]:
        """Ids of a text in which marks are tokens; none is added before or behind it."""
        # The template writes the begin of text itself: adding special tokens would double it.
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def words(self, ids: Iterable[int]) -> Iterator[str]:
        """Pieces of text as tokens come; a letter of several tokens comes whole, marks never."""
        stream = needed("tokenizers.decoders").DecodeStream(skip_special_tokens=True)
        for one in ids:
            if piece := stream.step(self._tokenizer, one):
                yield piece

    def _told(self, content: str) -> str:
        """What somebody said, without marks; raises LanguageError if the tokenizer sees one yet.

        As where it folds a letter into one of a mark's.
        """
        plain = self._plain(content)
        if not self._special.isdisjoint(self.tokens(plain)):
            raise LanguageError(
                "a question or section would be read as one of the template's marks",
                "write it without < and |",
            )
        return plain

    def _plain(self, content: str) -> str:
        for mark in self._marks:
            content = content.replace(mark, mark[:1] + _WORD_JOINER + mark[1:])
        return content


def needed(module: str) -> Any:
    """A module of the extra `text`; raises LanguageError, which names the extra, without it."""
    try:
        return import_module(module)  # an extra that most boxes lack
    except ImportError as error:
        raise LanguageError(
            f"the bundle's text model needs {module.partition('.')[0]}, which is not installed",
            f"{EXTRA}, or set [assistant] bundle_model = false",
        ) from error


def _compiled(template: str) -> Any:
    """The template, as transformers compiles it: in a sandbox, blocks trimmed."""
    sandbox = needed("jinja2.sandbox")
    environment = sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _refused
    try:
        return environment.from_string(template)
    except needed("jinja2").TemplateError as error:
        raise LanguageError(
            f"the chat template can't be read: {error}", "publish the bundle again"
        ) from error


def _refused(message: str) -> NoReturn:
    raise LanguageError(f"the chat template refuses: {message}", "use another base")
