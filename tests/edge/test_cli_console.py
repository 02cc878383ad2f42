import sqlite3
from contextlib import closing

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from edge.cli.console import console
from edge.console.accounts.book import Book
from edge.store.feeder import Feeder
from export.errors import ConfigError
from export.sample import Label
from tests.edge.console.plant import FAILED, PASSWORD, Plant
from tests.edge.store.recorded import PLENTY


@pytest.fixture
def plant(tmp_path):
    """A box that has judged three parts and kept one picture, which is labelled."""
    made = Plant(tmp_path)
    told = made.record(("top", {}), ("top", FAILED), ("side", {}))
    name = made.keep(told[1])
    made.samples.label(name, Label(label="scratch", by="Ada", at="2026-11-24T06:00:00Z"))
    return made


def call(plant, *words):
    """(exit code, what is printed) of a command on this box; its errors come through."""
    result = CliRunner().invoke(
        console, [*words, "--config", str(plant.settings)], catch_exceptions=False
    )
    return result.exit_code, result.output


def test_a_code_makes_an_admin_or_gives_a_new_password(plant):
    """For whoever has the box's files, also when there is an admin already."""
    for password in (PASSWORD, "another long one"):
        code, out = call(plant, "code")
        assert code == 0
        book = Book(plant.appliance.console.folder, 60)
        book.redeem(out.strip(), "Ada", password)
        assert book.log_in("Ada", password, "here")
        book.close()


def test_verify_tells_whether_the_log_holds(plant):
    """Exit code 1 when it was tampered with, or lacks a head that was noted."""
    call(plant, "code")
    code, out = call(plant, "verify")
    assert code == 0
    head = out.split()[-1]
    assert call(plant, "verify", "--head", head)[0] == 0
    assert call(plant, "verify", "--head", "0" * 63 + "1")[0] == 1
    with closing(sqlite3.connect(plant.appliance.console.folder / "accounts.db")) as db:
        db.execute("DROP TRIGGER audit_is_never_changed")
        db.execute("UPDATE audit SET who = 'Eve'")
        db.commit()
    code, out = call(plant, "verify")
    assert code == 1
    assert "tampered with: entry 1 was changed" in out


def test_verdicts_are_written_as_parquet(plant, tmp_path):
    """All of them, or those of a span; a day that makes no sense is refused."""
    folder = plant.appliance.console.folder
    feeder = Feeder(
        folder / "verdicts.db", plant.appliance.store.folder / "outbox.db", PLENTY, lambda _: None
    )
    while feeder.step():
        pass
    feeder.stop()
    code, out = call(plant, "parquet", str(tmp_path / "all.parquet"))
    assert code == 0
    assert "3 verdicts in" in out
    assert pq.read_table(tmp_path / "all.parquet").num_rows == 3
    call(plant, "parquet", str(tmp_path / "none.parquet"), "--since", "2027-01-01")
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0
    with pytest.raises(ConfigError, match="no day or time"):
        call(plant, "parquet", str(tmp_path / "x.parquet"), "--until", "soon")


def test_labelled_samples_are_copied(plant, tmp_path):
    """A folder for each label."""
    code, out = call(plant, "samples", str(tmp_path / "photos"))
    assert (code, out.split()) == (0, ["1", "scratch"])
    assert len(list((tmp_path / "photos" / "scratch").iterdir())) == 1


@pytest.mark.parametrize(
    ("console_table", "why"),
    [
        ('host = "0.0.0.0"', "passwords would cross it in clear"),
        ('certificate = "a.pem"', "belong together"),
        ("kepp_days = 3", "did you mean 'keep_days'"),
    ],
)
def test_what_would_be_unsafe_or_unclear_is_refused(plant, console_table, why):
    """A network without TLS, half a certificate, a typo."""
    text = plant.settings.read_text().replace("port = 0", console_table)
    plant.settings.write_text(text)
    with pytest.raises(ConfigError, match=why):
        call(plant, "code")
