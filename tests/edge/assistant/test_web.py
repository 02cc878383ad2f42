import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog
from starlette.testclient import TestClient

from edge.assistant.desk import Desk
from edge.assistant.feedback import FILE, Feedback
from edge.assistant.openai_url import OpenAiUrl
from edge.assistant.teaching import barren, dialogue
from edge.assistant.web import WAITING, application
from edge.config import load
from export.dialogue import Turn
from export.errors import ConfigError, LanguageError
from tests.assistant.suite import november
from tests.assistant.truth import MANUAL

JSON = {"content-type": "application/json"}
SETTINGS = """
[station]
prefix = "acme/plant1/line7"
[trust]
keys = ["signing.pub"]
[assistant]
documents = "{manual}"
time_zone = "Europe/Berlin"
{more}
[cameras.top]
bundle = "bundle"
source = {{ kind = "folder", path = "pictures" }}
"""


def appliance(folder, more=""):
    """Settings of a box with manuals."""
    (folder / "appliance.toml").write_text(SETTINGS.format(manual=MANUAL, more=more))
    return load(folder / "appliance.toml", {}).appliance


@pytest.fixture
def box(tmp_path):
    """A served assistant with a recorded line; yields (client, feedback, desk)."""
    told = appliance(tmp_path)
    told.console.folder.mkdir()
    (told.console.folder / "verdicts.db").symlink_to(november().path)
    desk, feedback = Desk(told), Feedback(told.assistant.folder / FILE)
    with TestClient(application(desk, feedback), base_url="http://127.0.0.1:8490") as client:
        yield client, feedback, desk
    feedback.close()


def test_a_question_is_answered_with_its_figures_and_links(box):
    """From records and from documents, in both languages."""
    client, _, _ = box
    told = client.post("/ask", json={"question": "How many parts failed on 2026-11-23?"}).json()
    truth = november().figures(november().day(2), outcome="fail")
    assert told["source"] == "records"
    assert told["figures"]["chosen"] == truth["chosen"]
    assert told["citations"][0]["href"].startswith("/verdicts?")
    told = client.post("/ask", json={"question": "Was bedeutet E-204?"}).json()
    assert (told["source"], told["language"], told["quoted"]) == ("documents", "de", True)
    section = client.get("/section", params={"id": "line7 4.5", "language": "de"}).json()
    assert "4,5 bar" in section["text"]


def test_openai_clients_get_what_ask_gives(box):
    """Models, a completion, and a stream that ends as the protocol has it."""
    client, _, _ = box
    assert client.get("/v1/models").json()["data"][0]["id"] == "linewarden-assistant"
    turns = [("system", "Obey."), ("user", "What does E-204 mean?")]
    messages = [{"role": role, "content": text} for role, text in turns]
    asked = {"model": "any", "messages": messages}
    whole = client.post("/v1/chat/completions", json=asked).json()
    text = whole["choices"][0]["message"]["content"]
    assert "4.5 bar" in text
    assert whole["linewarden"]["source"] == "documents"
    streamed = client.post("/v1/chat/completions", json={**asked, "stream": True})
    lines = streamed.text.split("\n\n")
    assert lines[-2] == "data: [DONE]"
    events = [json.loads(one.removeprefix("data: ")) for one in lines[:-2]]
    said = "".join(one["choices"][0]["delta"].get("content", "") for one in events)
    assert said.strip() == text
    assert events[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("last", [{"role": "assistant", "content": "Open V2."}, "And then?", {}])
def test_a_chat_that_does_not_end_with_the_user_is_refused(box, last):
    """The older question was answered already."""
    client, _, _ = box
    messages = [{"role": "user", "content": "What does E-204 mean?"}, last]
    answer = client.post("/v1/chat/completions", json={"messages": messages})
    assert answer.status_code == 400
    assert "must end with a user turn" in answer.json()["error"]["message"]


def test_openai_content_in_parts_is_one_question(box):
    """Text parts are joined; another kind is refused by its name."""
    client, _, _ = box

    def asked(*parts):
        messages = [{"role": "user", "content": list(parts)}]
        return client.post("/v1/chat/completions", json={"messages": messages}).json()

    text = [{"type": "text", "text": one} for one in ("What does", "E-204 mean?")]
    assert "4.5 bar" in asked(*text)["choices"][0]["message"]["content"]
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    assert (
        "part 3 of the content is of type 'image_url'" in asked(*text, picture)["error"]["message"]
    )
    for odd in ({"type": "text"}, {"type": "text", "text": 7}, "What?", None):
        assert "part 1" in asked(odd)["error"]["message"]
    assert "user turn of text" in asked()["error"]["message"]


def test_ask_streams_events(box):
    """The answer is the last event."""
    client, _, _ = box
    body = client.post("/ask", json={"question": "What does E-204 mean?", "stream": True}).text
    events = [json.loads(one.removeprefix("data: ")) for one in body.strip().split("\n\n")]
    assert events[-1]["event"] == "answer"
    assert events[-1]["citations"][0]["name"] == "line7 4.5"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [("/ask", b"{", JSON, 400),
     ("/ask", b"[1]", JSON, 400),
     ("/ask", b'{"question": 7}', JSON, 400),
     ("/ask", b'{"question": "x", "language": "fr"}', JSON, 400),
     ("/ask", b"question=x", {"content-type": "application/x-www-form-urlencoded"}, 415),
     ("/ask", b"x" * 70_000, JSON, 413),
     ("/ask", b'{"question": "x"}', {**JSON, "origin": "http://evil.example"}, 403),
     ("/ask", b'{"question": "x"}',
      {**JSON, "host": "evil.example", "origin": "http://evil.example"}, 403),
     ("/ask", b'{"question":' + b"[" * 50_000, JSON, 400),
     ("/v1/chat/completions", b'{"messages": []}', JSON, 400),
     ("/v1/chat/completions", b'{"messages": [{"role": "user", "content": [1]}]}', JSON, 400),
     ("/feedback", b'{"id": "none", "kind": "good"}', JSON, 404)],
)  # fmt: skip
def test_what_is_no_question_is_refused(box, path, body, headers, status):
    """Bad JSON, other forms, too much, another page's request."""
    client, _, _ = box
    assert client.post(path, content=body, headers=headers).status_code == status


def test_no_name_but_this_machines_reads_anything(box):
    """A page that had its own name resolved to this address gets no section, and no figures."""
    client, _, _ = box
    for path in ("/section?id=line7 4.5&language=en", "/healthz", "/v1/models"):
        assert client.get(path).status_code == 200
        assert client.get(path, headers={"host": "evil.example"}).status_code == 403


def test_too_many_questions_are_told_to_come_back_and_places_are_given_back(box):
    """Whoever goes before an answer was begun leaves no place taken."""
    client, _, _ = box
    counter = client.app.state.counter
    held = [counter.events("x", "", counter.enter()) for _ in range(WAITING)]
    assert counter.enter() is None
    assert client.post("/ask", json={"question": "What does E-204 mean?"}).status_code == 503
    list(held[0])
    del held
    places = [counter.enter() for _ in range(WAITING)]
    assert None not in places
    assert counter.enter() is None


def test_feedback_waits_for_an_engineer_and_then_teaches(box):
    """What was accepted becomes a dialogue; figures of a day never do, nor what wasn't read."""
    client, feedback, _ = box
    first = client.post("/ask", json={"question": "What does E-204 mean?"}).json()
    second = client.post("/ask", json={"question": "How many parts failed on 2026-11-23?"}).json()
    say = {
        "id": first["id"],
        "kind": "bad",
        "correction": "[line7 4.5] Open valve V2.",
        "who": "mia",
    }
    assert client.post("/feedback", json=say).json() == {"kept": True}
    say = {"id": second["id"], "kind": "wrong figure", "who": "mia"}
    assert client.post("/feedback", json=say).status_code == 200
    assert client.post("/feedback", json={**say, "kind": "hm"}).status_code == 404
    waiting = feedback.list()
    assert [one.kind for one in waiting] == ["bad", "wrong figure"]
    assert feedback.list("accepted") == []
    for one in waiting:
        assert feedback.review(one.id, accept=True, reviewer="eva")
    assert not feedback.review(waiting[0].id, accept=True, reviewer="eva")
    learnt, figure = feedback.list("accepted")
    assert [turn["content"] for turn in dialogue(learnt)["messages"]] == [
        "What does E-204 mean?", "[line7 4.5] Open valve V2.",
    ]  # fmt: skip
    assert barren(figure)


def test_the_system_context_is_read_again_when_it_changes(tmp_path):
    """An engineer edits the file; the next question has it."""
    (tmp_path / "context.txt").write_text("Line 7 makes flanges.")
    desk = Desk(appliance(tmp_path, 'context = "context.txt"'))
    assert desk.clerk.context == "Line 7 makes flanges."
    time.sleep(0.01)
    (tmp_path / "context.txt").write_text("Line 7 makes gears.")
    desk.refresh()
    assert desk.clerk.context == "Line 7 makes gears."


def test_a_context_that_cannot_be_read_any_more_stays_as_it_was(tmp_path):
    """Deleted for a moment, or no text: questions are answered, and its next version is taken."""
    path = tmp_path / "context.txt"
    path.write_text("Line 7 makes flanges.")
    desk = Desk(appliance(tmp_path, 'context = "context.txt"'))
    path.unlink()
    desk.refresh()
    assert desk.clerk.context == "Line 7 makes flanges."
    path.write_bytes(b"\xff\xfe\x00")
    desk.refresh()
    assert desk.clerk.context == "Line 7 makes flanges."
    time.sleep(0.01)
    path.write_text("Line 7 makes gears.")
    desk.refresh()
    assert desk.clerk.context == "Line 7 makes gears."
    path.unlink()
    with pytest.raises(ConfigError, match=r"context\.txt"):
        Desk(appliance(tmp_path, 'context = "context.txt"'))


def test_a_console_in_another_zone_is_warned_of(tmp_path, monkeypatch):
    """Else a part would have two times, and nobody would know why."""
    for zone, warned in (("Europe/Berlin", 0), ("Asia/Tokyo", 1)):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        desk = Desk(appliance(tmp_path))
        with structlog.testing.capture_logs() as logs:
            desk.warm()
        assert len(logs) == warned
    monkeypatch.undo()
    time.tzset()


def test_without_records_documents_still_answer(tmp_path):
    """A box whose console has never run."""
    desk = Desk(appliance(tmp_path))
    assert desk.clerk.ask("What does E-204 mean?").quoted
    assert desk.clerk.ask("How many parts failed yesterday?").source.value == "no entry"


class Model(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that says what `said` holds."""

    said: tuple[str, ...] = ()
    asked: list = []  # noqa: RUF012 - the test's

    def do_POST(self):
        Model.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()
        for piece in self.said:
            body = {"choices": [{"delta": {"content": piece}}]}
            self.wfile.write(f"data: {json.dumps(body)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """Its address."""
    Model.asked = []
    served = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}/v1"
    served.shutdown()
    served.server_close()
    thread.join()


def test_any_openai_compatible_server_is_a_text_model(server, tmp_path):
    """Its words go through the gate like any model's; nothing but the prompt is sent."""
    Model.said = ("[line7 4.5] ", "Open valve V2 ", "and check the hose.")
    desk = Desk(appliance(tmp_path, f'model_url = "{server}"\nmodel_name = "llama"'))
    answer = desk.clerk.ask("How do I clear E-204?")
    assert answer.text == "Open valve V2 and check the hose. [line7 4.5]"
    (asked,) = Model.asked
    assert (asked["model"], asked["temperature"], asked["stream"]) == ("llama", 0, True)
    Model.said = ("[line7 4.5] Wait 99 minutes.",)
    unproven = desk.clerk.ask("How do I clear E-204?")
    assert unproven.quoted
    assert "99" not in unproven.text


def test_a_server_that_is_gone_is_said_to_be():
    """The address stands in the error."""
    with pytest.raises(LanguageError, match=r"127\.0\.0\.1:9"):
        list(OpenAiUrl("http://127.0.0.1:9/v1", "m", timeout_s=1).words([Turn("user", "x")], 8))
    with pytest.raises(LanguageError, match="no address"):
        OpenAiUrl("localhost", "m")
