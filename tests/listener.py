"""An independent MQTT listener: paho as it comes, none of our own code, remembering everything."""

import json
import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


class Listener:
    """Subscribes to `topics` on loopback `port` and keeps what comes, with the time of arrival."""

    def __init__(self, port, *topics, user="", password="", tls=None):
        self.messages = []  # (topic, payload bytes, retain, monotonic seconds)
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.reconnect_delay_set(0.05, 0.2)
        if user:
            self._client.username_pw_set(user, password)
        if tls:
            self._client.tls_set_context(tls)
        self._client.on_connect = lambda client, *_: client.subscribe([(t, 1) for t in topics])
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect_async("127.0.0.1", port, keepalive=5)

    def _on_message(self, _client, _data, message):
        self.messages.append((message.topic, message.payload, message.retain, time.monotonic()))

    def start(self, wait=True):
        self._client.loop_start()
        assert not wait or self._subscribed.wait(10), "the broker did not take the subscription"
        return self

    def publish(self, topic, payload, **more):
        return self._client.publish(topic, payload, qos=1, **more)

    def stop(self):
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def bodies(self, ending):
        """The JSON bodies received on topics that end like this, in order of arrival."""
        return [json.loads(m[1]) for m in list(self.messages) if m[0].endswith(ending)]

    def wait_for(self, condition, timeout=10.0):
        """Wait until `condition(self)` holds; returns whether it does."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if condition(self):
                return True
            time.sleep(0.01)
        return bool(condition(self))
