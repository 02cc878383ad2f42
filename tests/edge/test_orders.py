import json
import threading

import pytest
from paho.mqtt.publish import single

from edge.daemon import Daemon, armed
from export.sample import Why
from export.sample_folder import SampleFolder
from tests.broker import Mosquitto, needs_mosquitto
from tests.edge.box import DARK, PREFIX, Box, folder_camera
from tests.listener import Listener

NO_AUDIT = "\n[samples]\naudit_rate = 0.0\nleave_free_gb = 0.0\n"


@needs_mosquitto
@pytest.mark.broker
def test_the_plant_orders_parts_and_presses_for_their_pictures(tmp_path):
    """Part ids travel from cmd/trigger to verdict and sample; an order that was retained is old."""
    box = Box(tmp_path)
    box.pictures([DARK] * 5)
    with Mosquitto(tmp_path) as broker, Listener(broker.port, f"{PREFIX}/#") as listener:
        trigger = 'trigger = { kind = "command" }'
        box.write(folder_camera(more=trigger) + NO_AUDIT, broker.url)

        def order(topic, retain=False, **fields):
            body = json.dumps(fields)
            single(f"{PREFIX}/cmd/{topic}", body, 1, retain, port=broker.port)

        order("trigger", retain=True, camera="top", part="stale")
        daemon, stop = Daemon(box.appliance(), armed(box.appliance())), threading.Event()
        told = {"forever": True, "tick": lambda: None}
        thread = threading.Thread(target=daemon.run, args=(stop,), kwargs=told)
        thread.start()
        try:
            assert listener.wait_for(lambda one: one.bodies("/health"), 10)
            for part in ("bolt-1", "bolt-2"):
                order("trigger", camera="top", part=part)
            assert listener.wait_for(lambda one: len(one.bodies("/verdicts")) == 2)
            order("flag", camera="top", part="bolt-1")
            order("flag", camera="nowhere")
            order("trigger", camera="top", part=12)
            assert listener.wait_for(lambda one: daemon.broker.rejected == 2)
            assert listener.wait_for(lambda one: one.bodies("/health")[-1]["rejected"] == 2)
        finally:
            stop.set()
            thread.join()
        verdicts = [(one["part"], one["outcome"]) for one in listener.bodies("/verdicts")]
        assert verdicts == [("bolt-1", "pass"), ("bolt-2", "pass")]
    (kept,) = SampleFolder(tmp_path / "samples")
    assert (kept.verdict.part, kept.why) == ("bolt-1", (Why.OPERATOR,))
