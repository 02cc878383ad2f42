"""`bundle show` and `verify` on an assistant's bundle: understood, and refused if changed."""

import pytest
from typer.testing import CliRunner

from export import library, signature, stamp
from export.assistant_bundle import (
    CONTEXT,
    DOCUMENTS,
    TOOLS,
    AssistantDescription,
    LanguageBase,
    write_assistant,
)
from export.bundle import open_bundle
from export.command import application
from export.dialogue import FORM
from export.errors import BundleError
from export.passage import Passage


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a key and the bundle `as`."""
    monkeypatch.chdir(tmp_path)
    key, _ = signature.load_or_make(tmp_path / ".linewarden/signing.key")
    library.make(tmp_path / "documents.db", [Passage("line7 4.5", "en", "Air", "Open V2.")])
    told = AssistantDescription(
        name="press", version=3, created_at=stamp.now(), sections=1, linewarden="0",
        base=LanguageBase(name="llama", adapter=False, form=FORM),
    )  # fmt: skip
    contents = {DOCUMENTS: tmp_path / "documents.db", CONTEXT: b"context", TOOLS: b"[]"}
    write_assistant(tmp_path / "as", told, contents, key)
    return tmp_path


def bundle(*words):
    """Run `linewarden bundle …`."""
    return CliRunner().invoke(application(), ["bundle", *words])


def test_an_assistants_bundle_is_shown_and_verified(folder):
    """With what is in it and each check that it passed."""
    shown = bundle("show", "as").output
    assert shown.startswith("press version 3")
    assert "1 section\n" in shown
    assert '"kind": "assistant"' in bundle("show", "as", "--json").output
    verified = bundle("verify", "as")
    assert verified.exit_code == 0
    assert verified.output.count("ok  ") == 4
    assert "golden" in verified.output


def test_a_changed_one_is_refused(folder):
    """By the file that was changed."""
    (folder / "as" / CONTEXT).write_bytes(b"contexT")
    refused = bundle("verify", "as")
    assert refused.exit_code == 1
    assert CONTEXT in refused.output


def test_it_judges_no_parts_and_that_is_said(folder):
    """Nobody is sent to update Linewarden for it."""
    with pytest.raises(BundleError, match="judges no parts"):
        open_bundle(folder / "as", [signature.load_public(signature.PUBLIC_KEY)])
