import re
from pathlib import Path
from typing import get_args

import pytest

from edge import config
from edge.config import Appliance, Section, load
from export.errors import ConfigError

PLAIN = """
[station]
prefix = "acme/plant1"
[trust]
keys = ["k.pub"]
[cameras.top]
source = { kind = "folder", path = "pictures" }
bundle = "bundle"
"""


@pytest.fixture
def write(tmp_path):
    """Writes a settings file and returns its path."""

    def written(text: str) -> Path:
        path = tmp_path / "appliance.toml"
        path.write_text(text)
        return path

    return written


def refused(path: Path, environ: dict[str, str] | None = None) -> str:
    """What the refusal of a settings file says."""
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    return str(caught.value)


def test_defaults_fill_what_is_left_out_and_paths_start_at_the_file(write, tmp_path):
    """A short file is enough, and its paths don't depend on where the command was started."""
    appliance = load(write(PLAIN), {}).appliance
    assert appliance.cameras["top"].bundle == tmp_path / "bundle"
    assert appliance.store.folder == tmp_path / "store"
    assert appliance.cameras["top"].trigger.kind == "every_frame"
    assert appliance.broker is None


def test_every_value_has_an_origin(write):
    """Default, file or environment: whoever reads the settings can tell where each came from."""
    loaded = load(write(PLAIN), {"LINEWARDEN__ENGINE__THREADS": "2", "OTHER": "x"})
    origins = {key: origin for key, _, origin in loaded.rows()}
    assert loaded.appliance.engine.threads == 2
    assert origins["engine.threads"] == "env"
    assert origins["engine.provider"] == "default"
    assert origins["store.folder"] == "default"
    assert origins["cameras.top.source.path"] == "file"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("prefix", "prefx", "key station.prefx: is not a setting; did you mean 'prefix'?"),
        ("prefix", "prefx", "key station.prefix: is missing"),
        ("[trust]", "[trsut]", "did you mean 'trust'?"),
        ("path =", "pth =", "key cameras.top.source.pth: is not a setting; did you mean 'path'?"),
        ('"folder"', '"foldr"', "key cameras.top.source: its kind must be one of 'device'"),
        ('"folder"', '"foldr"', "'video', 'folder', 'virtual', but is 'foldr'"),
        ('kind = "folder", ', "", "key cameras.top.source: has no kind"),
        ("acme/plant1", "/acme", "no '/' at its beginning or end"),
        ("acme/plant1", "acme/+", "key station.prefix: '+' can't be a topic level"),
        ('["k.pub"]', "[]", "key trust.keys: must have at least 1, but has 0"),
        ("[cameras.top]", '[cameras."a/b"]', "'a/b' can't be a topic level"),
        ("[trust]", "[broker]\nurl = 'http://x'\n[trust]", "key broker.url: must match"),
        ("[trust]", "[broker]\nurl = 'mqtt://x:99999'\n[trust]", "from 1 to 65535"),
        ("[trust]", "[assistant]\ntime_zone = 'Europe/Berlyn'\n[trust]", "is no time zone"),
        ("[trust]", "[assistant]\nshifts = {early='6-14'}\n[trust]", "assistant.shifts"),
        ("[trust]", "[engine]\nthreads = 0\n[trust]", "key engine.threads: must be greater"),
        ("[trust]", "[engine]\nprovider = 'gpu'\n[trust]", "must be 'cpu', 'cuda'"),
        ("bundle =", "deadline_ms = nan\nbundle =", "key cameras.top.deadline_ms: "),
        ("bundle =", "trigger = {kind='gate', lin=0.5}\nbundle =", "did you mean 'line'?"),
        (
            "bundle =",
            "region = {x=0.5, y=0.0, width=0.9, height=1.0}\nbundle =",
            "does not lie inside the frame",
        ),
        ("bundle =", "bundle", "is not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_key(write, before, after, said):
    """The sentence names the file, the dotted key, and what was meant or is allowed."""
    told = refused(write(PLAIN.replace(before, after)))
    assert said in told
    assert "appliance.toml" in told


def test_all_mistakes_are_told_at_once(write):
    """Nobody has to run a command five times to find five mistakes."""
    told = refused(write(PLAIN.replace("prefix", "prefx").replace("bundle =", "bundel =")))
    assert "station.prefx" in told
    assert "cameras.top.bundel" in told


def test_a_wrong_variable_is_named_as_a_variable(write):
    """A mistake in the environment isn't blamed on the file."""
    told = refused(write(PLAIN), {"LINEWARDEN__BROKR__URL": "mqtt://x"})
    assert "variable LINEWARDEN__BROKR" in told
    assert "did you mean 'broker'?" in told


def test_a_missing_file_tells_how_to_begin(tmp_path):
    """Whoever has no settings yet is told how to get some."""
    assert "linewarden config example" in refused(tmp_path / "none.toml")


@pytest.mark.parametrize("password", ["s3cret", "s3@cret", "s3/cret", "s3:cret"])
def test_a_password_in_an_address_is_not_shown(write, password):
    """What `config check` prints may be pasted into a ticket."""
    source = f'kind = "stream", url = "rtsp://eye:{password}@cam/1"'
    text = PLAIN.replace('kind = "folder", path = "pictures"', source)
    rows = load(write(text), {}).rows()
    shown = {key: value for key, value, _ in rows}["cameras.top.source.url"]
    assert shown == "rtsp://eye:***@cam/1"


def sections(kind=Section):
    """Every table of the settings."""
    for one in kind.__subclasses__():
        yield one
        yield from sections(one)


def test_the_example_is_valid_and_complete(write):
    """The printed example loads, and names every setting there is."""
    text = config.example()
    assert set(load(write(text), {}).appliance.cameras) == {"top"}
    settings = [one for one in sections() if one not in (Appliance, config.Loaded)]
    for section in settings:
        for name in section.model_fields:
            written = f"{name} = " in text or f".{name}]" in text
            assert written, f"{section.__name__}.{name} is not in the example"


def test_each_table_of_the_example_names_its_own_settings():
    """A key of the same name in another table explains nothing."""
    pieces = re.split(r"^(?:# )?\[(\w+)\]", config.example(), flags=re.MULTILINE)
    tables = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    for key, field in Appliance.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if kind in sections() and key in tables:
                text = tables[key]
                names = [n for n in kind.model_fields if f"{n} = " not in text]
                assert [n for n in names if f".{n}]" not in text] == [], key
