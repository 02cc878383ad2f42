"""One MQTT 5 connection, driven by the thread that owns it: paho as a pipe and no more.

paho's own thread, queue and reconnecting are not used: its queue is lost with the process, its
thread may die in silence, and what is published before the broker has answered arrives out of
order. A pipe is opened once; when it breaks it raises `PipeClosed` and a new one is made.
"""

import os
import select
import socket
import ssl
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge import clock
from edge.mqtt.address import BrokerSettings
from export.errors import ConfigError

MAX_INCOMING_BYTES = 131_072
PROTOCOL_ERROR = 0x82
_ANY_SIZE = 268_435_455
_ANY_NUMBER = 65_535
_SECOND = 1_000_000_000
_CORK = getattr(socket, "TCP_CORK", socket.TCP_NODELAY)  # tcp(7), Linux only
_QUICKACK = getattr(socket, "TCP_QUICKACK", socket.TCP_NODELAY)  # the same


class PipeClosed(Exception):  # noqa: N818 - an event, not an error of ours
    """The connection is gone. `code` is the broker's MQTT 5 reason, or None if it gave none."""

    def __init__(self, why: str, code: int | None = None) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Publication:
    """What to publish; at least once, unless `qos` is 0."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 1

    @property
    def packet_bytes(self) -> int:
        """An upper bound of the PUBLISH packet's length."""
        return len(self.payload) + len(self.topic.encode()) + 10


@dataclass(frozen=True, slots=True)
class Ack:
    """The broker's answer to a publication; `failure` says why it was refused, or is empty."""

    mid: int
    code: int
    failure: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker bears: bytes of one packet, publications in flight, retained ones."""

    packet_bytes: int = _ANY_SIZE
    in_flight: int = _ANY_NUMBER
    retain: bool = True


class Bell:
    """Wakes a thread that waits in `Pipe.step`; may be rung from any thread, never blocks."""

    def __init__(self) -> None:
        self._hear, self._ring = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._lock = threading.Lock()
        self._closed = False

    def ring(self) -> None:
        """Wake the listener, now or when it next listens; nothing once closed."""
        with self._lock:
            if self._closed:
                return
            try:
                os.write(self._ring, b"!")
            except BlockingIOError:
                return  # it has rung often enough to be heard

    def fileno(self) -> int:
        """For select()."""
        return self._hear

    def wait(self, timeout_s: float) -> None:
        """Wait for a ring, at most so long."""
        select.select([self._hear], [], [], timeout_s)

    def hush(self) -> bool:
        """Forget past rings; returns whether there were any."""
        try:
            return bool(os.read(self._hear, 65_536))
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Free the descriptors; closing again does nothing."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._hear)
                os.close(self._ring)


class Pipe:
    """One connection, from `open` to `close`, for one thread.

    Attributes:
        acks: answers not yet looked at; the owner empties it.
        messages: (topic, payload) received and not yet looked at; the owner empties it. A topic
            that isn't UTF-8 reads as "".
        refused: subscriptions that the broker would not have, in words.
        granted: how many it has taken.
        limits: what the broker said in its CONNACK.
    """

    def __init__(
        self, settings: BrokerSettings, client_id: str, will: Publication | None = None
    ) -> None:
        self.acks: deque[Ack] = deque()
        self.messages: deque[tuple[str, bytes]] = deque()
        self.refused: list[str] = []
        self.granted = 0
        self.limits = Limits()
        self._settings = settings
        self._accepted = False
        self._closed: PipeClosed | None = None
        self._client = self._make(client_id, will)

    def open(self) -> None:
        """Connect and wait for the broker's CONNACK; raises PipeClosed if it doesn't come.

        Certificates are read now: one that is just being exchanged is a reason to come again.
        """
        url = self._settings.url
        self._trust()
        properties = Properties(PacketTypes.CONNECT)
        properties.MaximumPacketSize = MAX_INCOMING_BYTES
        try:
            self._client.connect(
                url.host,
                url.port,
                self._settings.keepalive_s,
                clean_start=True,
                properties=properties,
            )
        except (OSError, ValueError) as error:
            raise PipeClosed(f"{url} can't be reached: {error}") from error
        try:
            answered = self._answered()
        except PipeClosed as error:
            raise self._unanswered(error) from error
        if not answered:
            raise PipeClosed(f"{url} does not answer")

    def _answered(self) -> bool:
        """Wait until the broker accepts us; False if it says nothing in time."""
        self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end_ns = clock.monotonic_ns() + int(self._settings.connect_s * _SECOND)
        while not self._accepted and clock.monotonic_ns() <= end_ns:
            self.step(0.1)
        return self._accepted

    def _unanswered(self, error: PipeClosed) -> PipeClosed:
        """What it means that the broker hung up before it answered: over TLS, mostly who we are."""
        if error.code is not None:
            return error
        why = f"{self._settings.url} ended the connection before it answered"
        if not self._settings.url.tls:
            return PipeClosed(f"{why}; does it speak TLS there (mqtts://)?")
        if self._settings.certificate is None:
            return PipeClosed(f"{why}; it may ask for a certificate, and none was given")
        said = f"it may refuse the certificate {self._settings.certificate}"
        return PipeClosed(f"{why}; {said}: revoked, expired, or by another authority")

    def step(self, timeout_s: float, bell: Bell | None = None) -> None:
        """Wait up to `timeout_s` for the network or the bell, and do what is to be done.

        Raises PipeClosed when the connection is gone.
        """
        sock = self._socket()
        waits = [sock] if bell is None else [sock, bell]
        writes = [sock] if self._client.want_write() else []
        pending = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        readable, writable, _ = select.select(waits, writes, [], 0 if pending else timeout_s)
        if sock in readable or pending:
            self._check(self._client.loop_read())
            _hurry(sock)
        if writable:
            self._check(self._client.loop_write())
        self._check(self._client.loop_misc())

    @contextmanager
    def together(self) -> Generator[None]:
        """What is published inside leaves in full segments: one waking of the broker for many."""
        sock = self._socket()
        sock.setsockopt(socket.IPPROTO_TCP, _CORK, 1)
        try:
            yield
        finally:
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, _CORK, 0)

    def publish(self, publication: Publication) -> int:
        """Send; returns the packet's id, which its Ack will carry (also of QoS 0: sent)."""
        self._socket()
        retain = publication.retain and self.limits.retain
        told = (publication.topic, publication.payload, publication.qos)
        info = self._client.publish(*told, retain=retain)
        self._check(info.rc)
        return info.mid

    def subscribe(self, topic: str, *, retained: bool) -> None:
        """Ask for `topic` at QoS 1; `retained`: also for what the broker keeps of before."""
        self._socket()
        handling = (
            SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE
            if retained
            else SubscribeOptions.RETAIN_DO_NOT_SEND
        )
        options = SubscribeOptions(qos=1, retainHandling=handling)
        result, _ = self._client.subscribe(topic, options=options)
        self._check(result)

    def close(self, *, goodbye: bool = False) -> None:
        """Drop the connection; with `goodbye` as MQTT has it, so that the will is not sent."""
        sock = self._client.socket()
        if sock is None:
            return
        try:
            if goodbye:
                self._client.disconnect()
                while self._client.want_write() and self._closed is None:
                    self.step(0.5)
        except PipeClosed:
            pass  # gone before it was said
        finally:
            sock.close()

    def _make(self, client_id: str, will: Publication | None) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5
        )
        client.connect_timeout = self._settings.connect_s
        client.max_inflight_messages_set(0)
        if self._settings.user:
            client.username_pw_set(self._settings.user, self._settings.password or None)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        return client

    def _trust(self) -> None:
        if not self._settings.url.tls:
            return
        try:
            context = self._settings.tls()
        except ConfigError as error:
            raise PipeClosed(str(error)) from error
        self._client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType]

    def _socket(self) -> socket.socket:
        if self._closed is not None:
            raise self._closed
        sock = self._client.socket()
        if sock is None:
            raise PipeClosed("the connection is closed")
        return sock  # pyright: ignore[reportReturnType] - TCP or TLS, never paho's WebSocket

    def _check(self, result: MQTTErrorCode) -> None:
        if self._closed is not None:
            raise self._closed
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise PipeClosed(f"connection lost: {result.name}")

    def _on_connect(
        self,
        _client: Client,
        _data: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            why = f"{self._settings.url} refuses the connection: {reason}"
            self._closed = PipeClosed(why, reason.value)
            return
        self.limits = Limits(
            getattr(properties, "MaximumPacketSize", _ANY_SIZE),
            getattr(properties, "ReceiveMaximum", _ANY_NUMBER),
            bool(getattr(properties, "RetainAvailable", 1)),
        )
        self._accepted = True

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._closed is None:
            if flags.is_disconnect_packet_from_server:
                self._closed = PipeClosed(f"the broker ended it: {reason}", reason.value)
            elif reason.value == PROTOCOL_ERROR:
                # mosquitto 2.0 answers what is over its message_size_limit with a PUBACK of reason
                # 0x95, which MQTT 5.0 (3.4.2.1) doesn't allow there; paho closes on it
                self._closed = PipeClosed("the broker sent what MQTT doesn't allow", reason.value)
            else:
                self._closed = PipeClosed("connection lost")

    def _on_publish(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _more: object
    ) -> None:
        self.acks.append(Ack(mid, reason.value, str(reason) if reason.is_failure else ""))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self.messages.append((topic, bytes(message.payload)))

    def _on_subscribe(
        self,
        _client: Client,
        _data: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        for reason in reasons:
            self.granted += not reason.is_failure
            if reason.is_failure:
                self.refused.append(f"the broker refuses a subscription: {reason}")


def _hurry(sock: socket.socket) -> None:
    """Acknowledge at once what comes next: the kernel forgets it, so it is asked after each read.

    A broker that leaves Nagle's algorithm on, as mosquitto does by default, sends its second answer
    when the first was acknowledged, for which the kernel takes 40 ms when nothing else is to send.
    """
    with suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
