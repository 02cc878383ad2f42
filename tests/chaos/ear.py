"""A subscriber straight on the socket: MQTT 5 read and acknowledged by the bufferful.

Cheap enough (some 10 µs a message) to hear a backlog drain on the processors that drain it, and
none of our code nor the library's that the box speaks through. Loopback, one thread, reconnects.
"""

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ = 1, 2, 3, 4, 8, 9, 12
KEEPALIVE_S = 30
CHUNK = 262_144


class Ear:
    """Hears `filters` (with their QoS) at the broker on `port`, and calls `hear(topic, payload)`.

    Attributes:
        listening: set while the broker has our subscription.
    """

    def __init__(
        self, port: int, filters: Sequence[tuple[str, int]], hear: Callable[[str, bytes], None]
    ) -> None:
        self.listening = threading.Event()
        self._port, self._filters, self._hear = port, filters, hear
        self._end = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Listen from now on, through any number of broken connections."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._end.set()
        if (sock := self._socket) is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._port), 2) as self._socket,
            ):
                self._listen(self._socket)
            self.listening.clear()
            self._end.wait(0.02)

    def _listen(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(KEEPALIVE_S / 2)
        sock.sendall(_connect(f"ear-{os.getpid()}-{id(self):x}"))
        sock.sendall(_subscribe(self._filters))
        rest, alive_s = b"", time.monotonic()
        while not self._end.is_set():
            try:
                chunk = sock.recv(CHUNK)
            except TimeoutError:
                chunk = None
            if chunk == b"":
                return
            if time.monotonic() - alive_s > KEEPALIVE_S / 2:
                sock.sendall(bytes((PINGREQ << 4, 0)))
                alive_s = time.monotonic()
            if chunk:
                rest, answers = self._take(rest + chunk)
                if answers:
                    sock.sendall(answers)

    def _take(self, data: bytes) -> tuple[bytes, bytes]:
        """What is left of `data`, and what is to be answered."""
        answers, end = bytearray(), 0
        for head, start, end in _packets(data):
            kind = head >> 4
            if kind == PUBLISH:
                answers += self._published(head, data[start:end])
            elif kind == SUBACK:
                self.listening.set()
            elif kind not in (CONNACK, 13):
                raise ConnectionError(f"packet of kind {kind}")
        return data[end:], bytes(answers)

    def _published(self, head: int, body: bytes) -> bytes:
        (length,) = struct.unpack_from(">H", body)
        at, answer = 2 + length, b""
        topic = body[2:at].decode()
        if head & 0b0110:
            answer = bytes((PUBACK << 4, 2)) + body[at : at + 2]
            at += 2
        more, at = _number(body, at)
        self._hear(topic, body[at + more :])
        return answer


def _packets(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(first byte, start, end) of each whole packet's body in `data` (MQTT 5.0, 2.1)."""
    at = 0
    while len(data) - at >= 2:
        try:
            length, start = _number(data, at + 1)
        except IndexError:
            return
        if start + length > len(data):
            return
        yield data[at], start, start + length
        at = start + length


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A Variable Byte Integer (MQTT 5.0, 1.5.5) at `at`, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _string(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def _packet(head: int, body: bytes) -> bytes:
    assert len(body) < 16_384
    length = len(body)
    size = bytes((length,)) if length < 128 else bytes((length & 127 | 128, length >> 7))
    return bytes((head,)) + size + body


def _connect(name: str) -> bytes:
    clean_start = 2
    body = _string("MQTT") + bytes((5, clean_start)) + struct.pack(">H", KEEPALIVE_S) + b"\0"
    return _packet(CONNECT << 4, body + _string(name))


def _subscribe(filters: Sequence[tuple[str, int]]) -> bytes:
    wanted = b"".join(_string(text) + bytes((qos,)) for text, qos in filters)
    return _packet(SUBSCRIBE << 4 | 2, b"\0\1\0" + wanted)
