import pytest

from export.errors import DocumentError
from export.library import Library, make
from export.passage import MOST_CHARS, Passage, read_folder
from export.terms import codes, language, terms

MANUAL = """# Line 7

## 1 Safety

### 1.1 Emergency stop
Press the **red** [button](http://x.example). It says [stop].

- one
- two

### 4.5 E-204: air pressure low
The pusher has less than 4.5 bar.

| code | meaning |
|------|---------|
| E-204 | low |
"""


@pytest.fixture
def folder(tmp_path):
    """Manuals in two languages."""
    (tmp_path / "de").mkdir()
    (tmp_path / "line7.md").write_text(MANUAL)
    (tmp_path / "de" / "line7.md").write_text(
        "### 4.5 E-204: Luftdruck niedrig\nDer Druck ist klein.\n"
    )
    (tmp_path / "notes.txt").write_text("First note. It is short.\n\nSecond note.")
    return tmp_path


def test_documents_are_cut_at_their_headings(folder):
    """Numbers as written, languages by folder, marks of Markdown gone, brackets no citations."""
    found = {(one.language, one.id): one for one in read_folder(folder)}
    assert set(found) == {("en", "line7 1.1"), ("en", "line7 4.5"), ("de", "line7 4.5"),
                          ("en", "notes 1"), ("en", "notes 2")}  # fmt: skip
    stop = found["en", "line7 1.1"]
    assert stop.title == "Emergency stop"
    assert stop.text.startswith("Press the red button. It says (stop).")
    assert "E-204 ; low" in found["en", "line7 4.5"].text.replace("  ", " ")


def test_a_long_section_is_cut_and_its_pieces_numbered(tmp_path):
    """None is longer than MOST_CHARS, and no word is lost."""
    words = [f"word{n}" for n in range(900)]
    (tmp_path / "a.md").write_text("### 1 Long\n" + " ".join(words))
    found = read_folder(tmp_path)
    assert [one.id for one in found][:2] == ["a 1", "a 1-2"]
    assert all(len(one.text) <= MOST_CHARS for one in found)
    assert " ".join(one.text for one in found).split() == words


def test_documents_that_cannot_be_used_are_named(tmp_path):
    """None, not UTF-8, two sections of one number, a PDF that is none."""
    with pytest.raises(DocumentError, match="no documents"):
        read_folder(tmp_path)
    for name, body, why in (
        ("a.md", b"\xff\xfe", "UTF-8"),
        ("a.md", b"### 1 One\nx\n### 1 Two\ny\n", "'a 1'"),
        ("a.pdf", b"not a PDF", "PDF"),
    ):
        path = tmp_path / name
        path.write_bytes(body)
        with pytest.raises(DocumentError, match=why):
            read_folder(tmp_path)
        path.unlink()


def test_the_nearest_passage_is_found_in_the_questions_language(folder, tmp_path):
    """By its code or its words; an index on the disk finds the same."""
    passages = read_folder(folder)
    count = make(tmp_path / "documents.db", passages)
    for library in (Library.of(passages), Library(tmp_path / "documents.db")):
        assert len(library) == count == 5
        assert library.search("What about e204?", "en")[0].passage.id == "line7 4.5"
        assert library.search("Luftdruck niedrig", "de")[0].passage.language == "de"
        assert library.search("", "en") == []
        assert library.unknown(["E204", "E205"]) == ["E205"]
        assert library.get("de", "line7 4.5").title == "E-204: Luftdruck niedrig"
    with pytest.raises(DocumentError, match="exists"):
        make(tmp_path / "documents.db", passages)


def test_a_question_cannot_speak_fts5(folder):
    """Quotes, stars, operators: they are words or nothing."""
    library = Library.of(read_folder(folder))
    for text in (
        '"',
        "NEAR(a b)",
        "title:x OR *",
        "a AND NOT b",
        "') DROP TABLE passage;--",
        "\x00",
    ):
        library.search(text, "en")
    assert len(library) == 5


def test_what_is_no_index_is_refused(tmp_path):
    """Not a database, another version."""
    (tmp_path / "x.db").write_text("nonsense")
    with pytest.raises(DocumentError, match="no index"):
        Library(tmp_path / "x.db")


def test_terms_codes_and_languages():
    """Forms of a word are one term; codes are whole; two languages told apart."""
    assert terms("The belts slipped") == terms("belt slip")
    assert terms("E-204 e204 E 204")[:2] == ["e204", "e204"]
    assert codes("E-204, D-3310A and F4") == {"E204", "D3310A"}
    assert language("Wie viele Teile?") == "de"
    assert language("How many parts?") == "en"
    assert language("E-204", "de") == "de"
    assert Passage("a 1", "en", "T", "x").whole == "T. x"
