"""A TCP proxy that misbehaves on demand: cuts, tears a packet in two, or swallows everything.

Knows nothing of MQTT. One thread per direction and connection; loopback only.
"""

import contextlib
import socket
import threading


class Proxy:
    """Forwards a free loopback port to `target`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._open = threading.Event()
        self._open.set()
        self._tear = threading.Event()
        self._closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection, both ways, now."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def tear(self) -> None:
        """Let half of the next chunk through, then cut."""
        self._tear.set()

    def swallow(self) -> None:
        """From now on nothing gets through, yet nothing is closed."""
        self._open.clear()

    def heal(self) -> None:
        """Be a good proxy again; what was swallowed stays swallowed, so it must be cut."""
        self._tear.clear()
        if not self._open.is_set():
            self._open.set()
            self.cut()

    def close(self) -> None:
        """End."""
        self._closing = True
        self._listener.shutdown(socket.SHUT_RDWR)  # or accept() would wait on
        self._listener.close()
        self._open.set()
        self.cut()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), 2)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while chunk := source.recv(65_536):
                if not self._open.is_set():
                    continue
                if self._tear.is_set() and len(chunk) > 1:
                    self._tear.clear()
                    sink.sendall(chunk[: len(chunk) // 2])
                    break
                sink.sendall(chunk)
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()
