"""The documentation can't lie: generated pages equal the code, and named things exist."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from docs import generate
from edge.topics import TABLE
from export.verdict import Reason

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def pages():
    """What the generator would write now."""
    return generate.pages()


@pytest.mark.parametrize("name", sorted(path.name for path in generate.FOLDER.glob("*.*")))
def test_a_generated_page_equals_the_code(pages, name):
    """Every topic, key, flag and field stands in the reference as the code has it (`make docs`)."""
    assert (generate.FOLDER / name).read_text() == pages[name]


def test_no_generated_page_is_missing(pages):
    """What the generator writes is committed."""
    assert {path.name for path in generate.FOLDER.glob("*.*")} == set(pages)


def test_every_topic_stands_in_the_asyncapi_document(pages):
    """The AsyncAPI document and the table of topics speak of the same channels."""
    assert set(json.loads(pages["asyncapi.json"])["channels"]) == {topic.name for topic in TABLE}


def test_every_reason_is_explained():
    """Each reason a verdict can give is named in the documentation."""
    text = (ROOT / "docs" / "mqtt.md").read_text()
    assert [reason for reason in Reason if f"`{reason}`" not in text] == []


def test_every_command_the_readme_shows_exists(pages):
    """A `linewarden …` line in the README starts with a real command."""
    shown = set(re.findall(r"linewarden ([a-z]+)", README))
    known = set(re.findall(r"^## linewarden ([a-z]+)$", pages["commands.md"], re.MULTILINE))
    assert shown <= known
    assert {"train", "export", "run", "watch", "inspect"} <= shown


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]
)
def test_links_lead_somewhere(page):
    """A relative link in the documentation names a file that exists."""
    text = (ROOT / page).read_text()
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_the_asyncapi_document_satisfies_its_parser(tmp_path):
    """The AsyncAPI project's own parser finds no error (needs node and its parser)."""
    parser = ROOT / "node_modules" / "@asyncapi" / "parser"
    if not parser.exists() or not shutil.which("node"):
        pytest.skip("needs node and `npm install --no-save @asyncapi/parser`")
    script = (
        "const {Parser} = require('@asyncapi/parser'); const fs = require('fs');"
        "const text = fs.readFileSync(process.argv[1], 'utf8');"
        "new Parser().parse(text).then(({document, diagnostics}) => {"
        "const bad = diagnostics.filter(d => d.severity === 0);"
        "if (!document || bad.length) { console.error(JSON.stringify(bad)); process.exit(1); }});"
    )
    done = subprocess.run(
        ["node", "-e", script, str(generate.FOLDER / "asyncapi.json")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
