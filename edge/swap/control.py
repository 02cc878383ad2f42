"""The control socket: how `linewarden bundle …` on this box speaks to the box that runs.

A Unix socket in the store's folder, for its owner alone (mode 0600): who may write there may
command the box anyway. One JSON object asks; lines of JSON answer, progress first, the outcome
last. Knows no bundle: it is given what each word does.
"""

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import structlog

from export import errors
from export.errors import AbsentError, LinewardenError, StoreError

NAME = "control.sock"
ASK_BYTES = 65_536
ANSWER_S = 600.0  # a large model's trial may take minutes
AT_ONCE = 4

Fields = dict[str, Any]
Act = Callable[[Fields, Callable[[str], None]], Fields]


class Control:
    """Answers until `stop`.

    Args:
        folder: of the socket.
        acts: {word: what it does with the fields of a request, telling its progress}.

    Raises:
        StoreError: the socket can't be made.
    """

    def __init__(self, folder: Path, acts: Mapping[str, Act]) -> None:
        self._acts, self._path = dict(acts), folder / NAME
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)  # of a box that was killed; the record is ours alone
            before = os.umask(0o177)
            try:
                with _short(self._path) as address:
                    self._door.bind(address)
            finally:
                os.umask(before)
            self._door.listen(AT_ONCE)
        except OSError as error:
            self._door.close()
            raise StoreError(
                f"{self._path} can't be made: {error.strerror}", "check the store's folder"
            ) from error
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Start answering."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)  # wakes accept
        if self._thread.is_alive():
            self._thread.join(1.0)
        self._door.close()
        self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        while True:
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            if not self._room.acquire(blocking=False):
                line.close()
                continue
            threading.Thread(target=self._serve, args=(line,), name="control", daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        try:
            with line, line.makefile("rwb") as talk:
                line.settimeout(ANSWER_S)

                def say(**fields: Any) -> None:
                    talk.write(json.dumps(fields, ensure_ascii=False).encode() + b"\n")
                    talk.flush()

                self._answer(talk.readline(ASK_BYTES), say)
        except OSError:
            return  # whoever asked has gone
        except Exception:  # noqa: BLE001 - outermost line of the request's thread
            structlog.get_logger("control").exception("no answer")
        finally:
            self._room.release()

    def _answer(self, body: bytes, say: Callable[..., None]) -> None:
        try:
            asked: Any = json.loads(body)
            act = self._acts[asked.pop("do")]
        except (ValueError, KeyError, AttributeError, TypeError):
            words = ", ".join(sorted(self._acts))
            say(refused="LinewardenError", problem="that is no request", remedy=f"do: {words}")
            return
        try:
            say(done=act(asked, lambda step: say(step=step)))
        except LinewardenError as error:
            say(refused=type(error).__name__, problem=error.problem, remedy=error.remedy)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            say(refused="LinewardenError", problem=f"a field is wrong: {error!r}", remedy="")


def ask(
    folder: Path, word: str, say: Callable[[str], None] = lambda _: None, **fields: Any
) -> Fields:
    """Ask the box whose store is at `folder`; returns what it answers.

    Raises:
        AbsentError: no box runs there.
        LinewardenError: as the box refused it, of the same kind.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as line:
        line.settimeout(ANSWER_S)
        try:
            with _short(folder / NAME) as address:
                line.connect(address)
        except OSError as error:
            raise AbsentError(
                f"no box answers at {folder / NAME}: {error.strerror}",
                "start it with `linewarden run`, and ask as the same user on the same machine",
            ) from error
        line.sendall(json.dumps({"do": word, **fields}).encode() + b"\n")
        with line.makefile("rb") as answers:
            for body in answers:
                told: Fields = json.loads(body)
                if "step" in told:
                    say(told["step"])
                elif "refused" in told:
                    kind = getattr(errors, told["refused"], LinewardenError)
                    raise kind(told["problem"], told["remedy"])
                else:
                    return told["done"]
    raise StoreError("the box ended before it answered", "see its log")


@contextlib.contextmanager
def _short(path: Path) -> Generator[str]:
    """An address for a path of any length: unix(7) takes 108 bytes and no more."""
    folder = os.open(path.parent, os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
