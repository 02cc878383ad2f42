import threading
import time

import pytest
import uvicorn

from edge.assistant.desk import Desk
from edge.assistant.feedback import FILE, Feedback
from edge.assistant.web import application
from edge.config import load
from edge.console.accounts.roles import Role
from tests.assistant.truth import MANUAL
from tests.broker import free_port
from tests.edge.console.plant import FAILED, HOSTILE, Plant


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    """A console whose assistant runs, in a server of its own."""
    folder = tmp_path_factory.mktemp("plant")
    plant = Plant(folder)
    port = free_port()
    plant.settings.write_text(
        plant.settings.read_text() + f'[assistant]\nport = {port}\ndocuments = "{MANUAL}"\n'
    )
    plant.appliance = load(plant.settings, {}).appliance
    told = plant.record(("top", {"part": HOSTILE, **FAILED}), ("top", {"part": "bolt-1", **FAILED}))
    with plant.open() as opened:
        feedback = Feedback(plant.appliance.assistant.folder / FILE)
        served = uvicorn.Server(
            uvicorn.Config(
                application(Desk(plant.appliance), feedback), port=port, log_level="error"
            )
        )
        thread = threading.Thread(target=served.run, daemon=True)
        thread.start()
        while not served.started:
            time.sleep(0.01)
        opened.told, opened.feedback = told, feedback
        yield opened
        served.should_exit = True
        thread.join()
        feedback.close()


def test_a_viewer_asks_and_follows_the_link_to_the_verdict(console):
    """The answer names the part's verdict, and its page is there."""
    page = console.post("/assistant", {"question": "Why did part bolt-1 fail?"}, Role.VIEWER)
    assert page.status_code == 200
    assert "score above the fail threshold" in page.text
    camera, epoch, seq = console.told[1].key
    href = f"/verdict?camera={camera}&amp;epoch={epoch}&amp;seq={seq}"
    assert href in page.text
    assert console.get(href.replace("&amp;", "&"), Role.VIEWER).status_code == 200


def test_a_section_is_quoted_and_can_be_read_whole(console):
    """In German too."""
    page = console.post("/assistant?lang=de", {"question": "Was bedeutet E-204?"}, Role.VIEWER)
    assert "Zitat aus den Dokumenten" in page.text
    assert "/assistant/section?id=line7+4.5" in page.text
    whole = console.get(
        "/assistant/section", Role.VIEWER, params={"id": "line7 4.5", "language": "de"}
    )
    assert "Ventil V2" in whole.text
    assert console.get("/assistant/section", params={"id": HOSTILE}).status_code == 404


def test_feedback_is_an_operators_and_keeps_who(console):
    """A viewer may not; an operator's word waits for an engineer."""
    page = console.post("/assistant", {"question": "What does E-204 mean?"}, Role.OPERATOR).text
    name = page.partition('name="id" value="')[2][:16]
    form = {"id": name, "kind": "good", "correction": ""}
    assert console.post("/assistant/feedback", form, Role.VIEWER).status_code == 403
    assert console.post("/assistant/feedback", form, Role.OPERATOR).status_code == 200
    assert [(one.who, one.kind) for one in console.feedback.list()] == [("the operator", "good")]
    assert (
        console.post("/assistant/feedback", {**form, "id": "x"}, Role.OPERATOR).status_code == 404
    )


def test_hostile_words_stay_words(console):
    """A script as a question, or as the name of a part that the answer tells of."""
    for question in (
        HOSTILE,
        "When was the last failed part?",
        f"What happened to part {HOSTILE}?",
    ):
        page = console.post("/assistant", {"question": question}, Role.VIEWER)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    for question in ("", "x" * 501):
        assert console.post("/assistant", {"question": question}).status_code == 400


def test_without_an_assistant_the_console_says_so(tmp_path):
    """And nothing else of it suffers."""
    plant = Plant(tmp_path)
    plant.settings.write_text(plant.settings.read_text() + f"[assistant]\nport = {free_port()}\n")
    plant.appliance = load(plant.settings, {}).appliance
    with plant.open() as console:
        page = console.post("/assistant", {"question": "How many parts failed today?"})
        assert page.status_code == 200
        assert "not running" in page.text
        assert console.get("/").status_code == 200
