"""Passages: a plant's documents cut into the sections that an answer may cite.

Markdown is cut at its headings, text at blank lines, a PDF at its pages. A passage is called by its
document and its number, `line7 4.2`: the number that its heading writes, or else its place. What a
document says is data: nothing in it is followed. Knows nothing of questions or models.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from export.errors import DocumentError

MOST_BYTES = 8 * 1024**2
MOST_CHARS = 1500  # of one passage; more is cut at paragraphs
SUFFIXES = (".md", ".txt", ".pdf")
LANGUAGES = ("en", "de")

_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*\s*$")
_NUMBER = re.compile(r"(\d+(?:\.\d+)*[a-z]?)\.?\s+(.+)")
_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Passage:
    """One section of one document.

    Attributes:
        id: how answers cite it, e.g. `line7 4.2`.
        language: of LANGUAGES.
        title: its heading, without the number.
        text: what stands below it, in one piece.
    """

    id: str
    language: str
    title: str
    text: str

    @property
    def whole(self) -> str:
        """Title and text: what an answer's words must come from."""
        return f"{self.title}. {self.text}"


def read_folder(folder: Path) -> list[Passage]:
    """Every passage of every document in `folder` and below, in order of path.

    A document's language is the name of a folder above it (`en`, `de`), or else English.

    Raises:
        DocumentError: no documents, one that can't be read, or two passages of the same name.
    """
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]
    if not paths:
        raise DocumentError(
            f"{folder} holds no documents ({', '.join(SUFFIXES)})",
            "give the folder that the manuals lie in",
        )
    passages: list[Passage] = []
    seen: dict[tuple[str, str], Path] = {}
    for path in paths:
        above = path.relative_to(folder).parts[:-1]
        language = next((part for part in above if part in LANGUAGES), "en")
        for passage in read_document(path, language):
            key = (language, passage.id)
            if key in seen:
                raise DocumentError(
                    f"{path} has a section {passage.id!r}, and so has {seen[key]}",
                    "number each section once, or rename one of the files",
                )
            seen[key] = path
            passages.append(passage)
    return passages


def read_document(path: Path, language: str = "en") -> list[Passage]:
    """The passages of one document; raises DocumentError if it can't be read."""
    if not path.is_file() or path.is_symlink():
        raise DocumentError(f"{path} is no regular file", "give a .md, .txt or .pdf file")
    if path.stat().st_size > MOST_BYTES:
        raise DocumentError(
            f"{path} has {path.stat().st_size} bytes, at most {MOST_BYTES} are read",
            "split the document",
        )
    name = _NAME.sub("-", path.stem).strip("-") or "document"
    if path.suffix.lower() == ".pdf":
        sections = _of_pdf(path)
    elif path.suffix.lower() == ".md":
        sections = _of_markdown(_text(path))
    else:
        sections = _of_text(_text(path))
    return [
        Passage(f"{name} {number}", language, title, text)
        for number, title, text in _short(sections)
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(
            f"{path} can't be read as UTF-8: {error}", "save it as UTF-8"
        ) from error


_Section = tuple[str, str, str]


def _of_markdown(text: str) -> Iterator[_Section]:
    counts = [0] * 6
    number, title = "0", ""
    body: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            body.append(line)
            continue
        if told := _plain(body):
            yield number, title, told
        body = []
        level = len(heading[1])
        counts[level - 1] += 1
        counts[level:] = [0] * (6 - level)
        written = _NUMBER.fullmatch(heading[2])
        place = [str(count) for count in counts[1:level] if count] or [str(counts[0])]
        number = written[1] if written else ".".join(place)
        title = _inline(written[2] if written else heading[2])
    if told := _plain(body):
        yield number, title, told


def _plain(lines: list[str]) -> str:
    """Markdown's paragraphs and lists as running text, a paragraph a line."""
    paragraphs: list[str] = []
    fresh = True
    for raw in lines:
        line = re.sub(r"^\s*(?:[-*+]|>)\s+", "", raw).strip()
        if not line or set(line) <= set("-|: `"):
            fresh = True
            continue
        starts = fresh or re.match(r"\s*(?:[-*+]|\d+[.)])\s", raw) is not None
        told = _inline(line.strip("|").replace("|", ";"))
        if starts or not paragraphs:
            paragraphs.append(told)
        else:
            paragraphs[-1] += f" {told}"
        fresh = False
    return "\n".join(paragraphs)


def _inline(text: str) -> str:
    """Without emphasis, code marks and links' addresses; brackets would look like citations."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[*`]+", "", text).replace("[", "(").replace("]", ")").strip()


def _of_text(text: str) -> Iterator[_Section]:
    for place, block in enumerate(re.split(r"\n\s*\n", text), 1):
        told = _inline(" ".join(block.split()))
        if told:
            yield str(place), told.split(". ", 1)[0][:60], told


def _of_pdf(path: Path) -> Iterator[_Section]:
    try:
        from pypdf import PdfReader  # noqa: PLC0415 - only those who have PDFs need it
        from pypdf.errors import PyPdfError  # noqa: PLC0415
    except ImportError as error:
        raise DocumentError(
            f"{path} is a PDF, and pypdf is not installed", "pip install 'linewarden[assistant]'"
        ) from error
    try:
        for place, page in enumerate(PdfReader(path).pages, 1):
            told = _inline(" ".join(page.extract_text().split()))
            if told:
                yield f"p{place}", told.split(". ", 1)[0][:60], told
    except (OSError, PyPdfError, ValueError, KeyError, RecursionError) as error:
        raise DocumentError(f"{path} can't be read as PDF: {error}", "print it anew") from error


def _short(sections: Iterator[_Section]) -> Iterator[_Section]:
    """Sections of at most MOST_CHARS; the rest of a longer one as 4.2-2, 4.2-3 and so on."""
    for number, title, text in sections:
        pieces = [""]
        for paragraph in _bounded(text):
            if pieces[-1] and len(pieces[-1]) + len(paragraph) > MOST_CHARS:
                pieces.append("")
            pieces[-1] += f" {paragraph}" if pieces[-1] else paragraph
        for place, piece in enumerate(pieces, 1):
            yield number if place == 1 else f"{number}-{place}", title, piece


def _bounded(text: str) -> Iterator[str]:
    for paragraph in text.split("\n"):
        rest = paragraph
        while len(rest) > MOST_CHARS:
            cut = rest.rfind(" ", 0, MOST_CHARS)
            cut = cut if cut > 0 else MOST_CHARS
            yield rest[:cut]
            rest = rest[cut:].strip()
        if rest:
            yield rest
