"""The desk over HTTP and MQTT, and the clerk that takes people's words."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.catalog import overrules
from edge.catalog.clerk import Clerk
from edge.catalog.counter import Counter
from edge.catalog.desk import Desk
from edge.catalog.post import Orders, Post
from edge.catalog.rules.house import HouseRules
from edge.catalog.selecting import Asked, select
from edge.messages import CatalogAnswer, CatalogChoice, CatalogOrder, read
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.topics import Topics
from export.errors import ConfigError
from export.progress import Progress
from tests.broker import Mosquitto, needs_mosquitto
from tests.edge.catalog.conftest import product

LINEWARDEN = Path(sys.executable).with_name("linewarden")
OPEN = HouseRules(name="open")
# What the extra `edge` doesn't bring, put in the way of every import, before anything else runs.
BARE = """
import sys

class Gate:
    GONE = {
        "torch", "torchvision", "transformers", "peft", "onnx", "onnxscript", "scipy", "sklearn",
        "PIL", "imagehash", "safetensors", "matplotlib", "pandas", "starlette", "uvicorn", "jinja2",
    }

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.GONE:
            raise ModuleNotFoundError(f"{name} is not on the box")

sys.meta_path.insert(0, Gate())
"""


@pytest.fixture
def desk(model, shop, tmp_path):
    """A desk above the folder that holds the shop."""
    return Desk(model, OPEN, shop.parent, tmp_path / "results")


@pytest.fixture
def counter(desk):
    """The desk behind HTTP."""
    opened = Counter(desk)
    opened.start()
    yield opened
    opened.stop()


def ask(port, path, body=None, kind="application/json"):
    """Status and JSON of a request."""
    address = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(address, body, {"Content-Type": kind} if body else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_a_service_without_its_folder_does_not_start(model, tmp_path):
    """Every order would fail: said at the start, not to each customer."""
    with pytest.raises(ConfigError, match="is not a folder"):
        Desk(model, OPEN, tmp_path / "gone", tmp_path / "results")


def test_a_picture_sent_gets_everything_that_is_known_of_it(counter):
    """Category, findings and refusals of the bytes; a file that is no picture gets its problem."""
    _, png = cv2.imencode(".png", product((60, 60, 210)))
    status, told = ask(counter.port, "/v1/look?name=a.png", png.tobytes(), "image/png")
    assert (status, told["look"]["category"], told["look"]["path"]) == (200, "red", "a.png")
    assert ask(counter.port, "/v1/look?name=b.png", b"nothing")[0] == 422
    assert ask(counter.port, "/healthz") == (200, {"bundle": "colours version 1"})
    assert ask(counter.port, "/v1/other", b"{}")[0] == 404


def test_an_order_gets_its_choice_and_never_leaves_the_root(counter, shop):
    """A folder below the root is chosen from; another is refused, whatever its name's tricks."""
    order = json.dumps({"id": "7", "folder": shop.name, "per_category": 1}).encode()
    status, told = ask(counter.port, "/v1/select", order)
    assert (status, told["id"], told["pictures"], told["unusable"]) == (200, "7", 7, 1)
    assert {one["set"] for one in told["chosen"]} == {"red", "blue"}
    for folder in ("..", "/etc", "shop/../.."):
        status, told = ask(counter.port, "/v1/select", json.dumps({"folder": folder}).encode())
        assert status == 422
        assert told["problem"]
    for folder in (b"3", b'"a\\u0000b"', b'"' + b"a" * 300 + b'"'):
        assert ask(counter.port, "/v1/select", b'{"folder": %s}' % folder)[0] in (400, 422)


def test_folders_that_look_alike_have_results_of_their_own(desk, shop):
    """spring/shoes and spring_shoes, the root and a folder `all`; one folder has one result."""
    for name in ("spring/shoes", "spring_shoes", "all"):
        shutil.copytree(shop, shop.parent / name)
    orders = ("spring/shoes", "spring_shoes", "all", "", "./spring//shoes/")
    told = [desk.select(CatalogOrder(folder=folder, per_category=1)) for folder in orders]
    assert [one.problem for one in told] == [""] * 5
    results = [one.result for one in told]
    assert len(set(results)) == 4
    assert results[0] == results[4]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [("/v1/select", {"Content-Type": "text/plain"}, 415),
     ("/v1/select", {"Content-Type": "text/plain", "Origin": "http://evil.example"}, 403),
     ("/v1/look", {"Content-Type": "text/plain", "Origin": "http://evil.example"}, 403),
     ("/v1/select", {"Content-Type": "application/json", "Host": "evil.example:8788",
                     "Origin": "http://evil.example:8788"}, 403),
     ("/healthz", {"Host": "evil.example"}, 403)],
)  # fmt: skip
def test_an_order_of_another_page_is_not_carried_out(counter, desk, path, headers, status):
    """By its Origin, by a name of its own for this address, or as what a form can send."""
    orders = []
    desk.select = orders.append
    body = b'{"folder": "shop"}' if path != "/healthz" else None
    address = f"http://127.0.0.1:{counter.port}{path}"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=5)
    with refused.value:
        assert refused.value.code == status
    assert orders == []


@pytest.mark.parametrize("most_bytes", [65_536, 2_000, 300])
def test_an_answer_tells_as_much_as_there_is_room_for(most_bytes):
    """And counts what it leaves out; our own reader takes it."""
    picked = [
        CatalogChoice(set="cat", place=1, path=f"a/{n}.jpg", reason="ä" * 140) for n in range(500)
    ]
    whole = CatalogAnswer(id="big", chosen=tuple(picked), more=3, pictures=900)
    body = Orders(None).fit(whole, most_bytes)
    assert most_bytes * 0.8 - 300 < len(body) <= most_bytes
    told = read(CatalogAnswer, body)
    assert told.chosen == whole.chosen[: len(told.chosen)]
    assert len(told.chosen) + told.more == 503
    assert Orders(None).fit(whole, 50) is None


@needs_mosquitto
def test_an_order_by_mqtt_is_answered_even_over_a_killed_broker(desk, shop, tmp_path):
    """An answer reaches a listener; after the broker was killed and is back, so does the next."""
    topics = Topics("acme/shop")
    broker = Mosquitto(tmp_path).start()
    url = BrokerUrl("127.0.0.1", broker.port)
    post = Post(BrokerSettings(url), topics, desk)
    post.start()
    try:
        for round_ in range(2):
            if round_:
                broker.kill()
                broker.start()
            told = _ordered(broker.port, topics, shop.name, f"order-{round_}")
            assert told["id"] == f"order-{round_}"
            assert {one["set"] for one in told["chosen"]} == {"red", "blue"}
    finally:
        post.stop()
        broker.kill()


@needs_mosquitto
def test_the_service_needs_nothing_that_the_box_lacks(bundle, key, shop, tmp_path):
    """The whole command with torch and its kin out of reach: HTTP and MQTT answer."""
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "sitecustomize.py").write_text(BARE)
    topics, broker = Topics("acme/shop"), Mosquitto(tmp_path).start()
    command = [
        LINEWARDEN, "catalog", "serve", bundle, "--pictures", shop.parent,
        "--out", tmp_path / "out", "--port", "0", "--key", key[1],
        "--broker", f"mqtt://127.0.0.1:{broker.port}", "--prefix", "acme/shop",
    ]  # fmt: skip
    served = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "gate"), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        line = served.stdout.readline()
        assert line, served.stderr.read()
        port = int(line.split("/")[2].split(":")[1])
        _, png = cv2.imencode(".png", product((60, 60, 210)))
        status, told = ask(port, "/v1/look?name=a.png", png.tobytes(), "image/png")
        assert (status, told["look"]["category"]) == (200, "red")
        told = _ordered(broker.port, topics, shop.name, "bare")
        assert {one["set"] for one in told["chosen"]} == {"red", "blue"}
    finally:
        served.terminate()
        served.communicate(timeout=20)
        broker.kill()
    assert served.returncode == 0


def test_the_gate_of_the_test_above_holds():
    """Torch is really out of reach there: a test that blocks nothing would prove nothing."""
    done = subprocess.run(
        [sys.executable, "-c", f"{BARE}\nimport torch"], capture_output=True, text=True, check=False
    )
    assert "torch is not on the box" in done.stderr


def _ordered(port, topics, folder, name):
    heard = []
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = lambda _c, _u, message: heard.append(json.loads(message.payload))
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(topics("catalog"), qos=1)
    order = json.dumps({"id": name, "folder": folder, "per_category": 1})
    end = time.monotonic() + 20
    while not any(one["id"] == name for one in heard) and time.monotonic() < end:
        client.publish(topics("catalog_order"), order, qos=1)  # until somebody listens
        time.sleep(0.5)
    client.disconnect()
    client.loop_stop()
    return next(one for one in heard if one["id"] == name)


@pytest.fixture
def clerk(model, shop, tmp_path):
    """A result with its sheet served."""
    select(Asked(shop, tmp_path / "out", OPEN, 1), model, Progress(None))
    served = Clerk(tmp_path / "out")
    thread = threading.Thread(target=served.serve)
    thread.start()
    yield served
    served.stop()
    thread.join()


def test_a_word_is_written_down_and_nothing_else_is_served(clerk, tmp_path):
    """The sheet and its thumbnails are served; a word is kept; the ledger is nobody's business."""
    said = {"path": "red-1.png", "verdict": "show", "category": ""}
    assert ask(clerk.port, "/overrules", json.dumps(said).encode())[0] == 200
    kept = overrules.read(tmp_path / "out" / overrules.FILE)
    assert kept["red-1.png"].verdict == "show"
    for path in ("/looks.db", "/choice.json", "/thumbs/../choice.json", "/../shop/red-1.png"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{clerk.port}{path}", timeout=5)
        with refused.value:
            assert refused.value.code == 404


WORD, AS_JSON = b'{"path":"a","verdict":"show","category":""}', {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (WORD, {"Content-Type": "text/plain"}, 400),
        (WORD, {**AS_JSON, "Origin": "http://evil.example"}, 403),
        (WORD, {**AS_JSON, "Host": "evil.example", "Origin": "http://evil.example"}, 403),
        (WORD.replace(b'"a"', b'"../a"'), AS_JSON, 400),
        (b"[]", AS_JSON, 400),
        (b"{", AS_JSON, 400),
        (b"[" * 60_000, AS_JSON, 400),
    ],
)
def test_a_word_that_is_not_the_sheets_is_refused(body, headers, status, clerk, tmp_path):
    """No other page's form or script, no path outside, no garbage: and nothing is written."""
    address = f"http://127.0.0.1:{clerk.port}/overrules"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=5)
    with refused.value:
        assert refused.value.code == status
    assert not (tmp_path / "out" / overrules.FILE).exists()


def test_a_clerk_without_a_sheet_is_refused(tmp_path):
    """There is nothing to serve before a selection."""
    with pytest.raises(ConfigError, match=r"sheet\.html"):
        Clerk(tmp_path)
