"""The assistant over HTTP, for this box: /ask, /feedback, /section, and OpenAI's chat protocol.

Bound to loopback; the console stands before it for people elsewhere. A browser's page of another
origin is refused (edge/callers.py). Words stream as far as they have evidence; what turns out
unproven is withdrawn.
"""

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from edge import clock
from edge.assistant.answer import Answer
from edge.assistant.clerk import Withdrawn, Word
from edge.assistant.desk import Desk
from edge.assistant.feedback import Feedback
from edge.callers import Callers

MOST_BYTES = 65_536
WAITING = 8  # questions that may wait; more are answered 503
MODEL = "linewarden-assistant"


class Place:
    """A place in the queue: given back once, when it is left or nobody holds it any more.

    A client may go before its answer was begun; then nothing but this notices.
    """

    def __init__(self, places: threading.BoundedSemaphore) -> None:
        self._places: threading.BoundedSemaphore | None = places

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        places, self._places = self._places, None
        if places is not None:
            places.release()

    def __del__(self) -> None:
        self.__exit__()


class Counter:
    """Where questions are handed in, and feedback on answers."""

    def __init__(self, desk: Desk, feedback: Feedback) -> None:
        self.desk, self.feedback = desk, feedback
        self._places = threading.BoundedSemaphore(WAITING)

    def enter(self) -> "Place | None":
        """A place in the queue, or None if it is full."""
        return Place(self._places) if self._places.acquire(blocking=False) else None

    def events(self, question: str, language: str, place: "Place") -> Iterator[dict[str, Any]]:
        """`word`, `withdrawn` and at last `answer`, each with what it tells.

        `place` is held for as long as anybody holds these events, begun or not.
        """
        with place:
            self.desk.refresh()
            for step in self.desk.clerk.steps(question, language):
                if isinstance(step, Word):
                    yield {"event": "word", "text": step.text}
                elif isinstance(step, Withdrawn):
                    yield {"event": "withdrawn"}
                else:
                    yield {"event": "answer", **self.named(question, step)}

    def named(self, question: str, answer: Answer) -> dict[str, Any]:
        """The answer with a name that feedback can call it by."""
        name = secrets.token_hex(8)
        self.feedback.remember(name, question, answer)
        return {"id": name, **answer.as_dict()}


class Doorkeeper:
    """Turns away what another page's browser was made to send."""

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self._app, self._callers = app, callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, let in or not."""
        if scope["type"] == "http":
            headers = Request(scope).headers
            why = self._callers.refusal(headers.get("host", ""), headers.get("origin"))
            if why:
                await _error(403, why)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def application(desk: Desk, feedback: Feedback, callers: Callers | None = None) -> Starlette:
    """The application around a desk; called by this machine's own names unless told otherwise."""
    app = Starlette(
        middleware=[Middleware(Doorkeeper, callers=callers or Callers("127.0.0.1"))],
        routes=[
            Route("/ask", _ask, methods=["POST"]),
            Route("/feedback", _feedback, methods=["POST"]),
            Route("/section", _section, methods=["GET"]),
            Route("/healthz", _health, methods=["GET"]),
            Route("/v1/models", _models, methods=["GET"]),
            Route("/v1/chat/completions", _chat, methods=["POST"]),
        ],
    )
    app.state.counter = Counter(desk, feedback)
    return app


async def _body(request: Request) -> dict[str, Any] | Response:
    """The JSON object that was sent, or the refusal."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return _error(415, "send JSON")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return _error(413, "too much was sent")
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        return _error(400, "this is not JSON")
    return cast("dict[str, Any]", told) if isinstance(told, dict) else _error(400, "send an object")


def _error(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": {"message": why, "type": "invalid_request_error"}}, status)


async def _ask(request: Request) -> Response:
    told = await _body(request)
    if isinstance(told, Response):
        return told
    question, language = told.get("question"), told.get("language", "")
    if not isinstance(question, str) or language not in ("", "en", "de"):
        return _error(400, 'send {"question": "…", "language": "en" or "de" or ""}')
    return _answered(request, question, language, _event if told.get("stream") else None)


def _answered(
    request: Request, question: str, language: str, wire: Callable[[dict[str, Any]], str] | None
) -> Response:
    counter: Counter = request.app.state.counter
    if (place := counter.enter()) is None:
        return _error(503, "too many questions wait: ask again in a moment")
    events = counter.events(question, language, place)
    if wire is not None:
        return StreamingResponse(
            (wire(one) for one in events), media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )  # fmt: skip
    return _Last(events)


class _Last(Response):
    """The last event of several, made in a thread."""

    def __init__(self, events: Iterator[dict[str, Any]]) -> None:
        super().__init__()
        self._events = events

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Wait for the answer and send it."""
        from anyio import to_thread  # noqa: PLC0415 - starlette's own

        last = await to_thread.run_sync(lambda: list(self._events)[-1])
        last.pop("event")
        await JSONResponse(last)(scope, receive, send)


def _event(told: dict[str, Any]) -> str:
    return f"data: {json.dumps(told, ensure_ascii=False)}\n\n"


async def _feedback(request: Request) -> Response:
    told = await _body(request)
    if isinstance(told, Response):
        return told
    words = [told.get(key, "") for key in ("id", "kind", "correction", "who")]
    if not all(isinstance(one, str) for one in words):
        return _error(400, "id, kind, correction and who are texts")
    counter: Counter = request.app.state.counter
    if not counter.feedback.say(*words):
        return _error(404, "there is no such answer (any more), or no such kind of feedback")
    return JSONResponse({"kept": True})


async def _section(request: Request) -> Response:
    counter: Counter = request.app.state.counter
    found = counter.desk.library.get(
        request.query_params.get("language", "en"), request.query_params.get("id", "")
    )
    if found is None:
        return _error(404, "there is no such section")
    return JSONResponse(
        {"id": found.id, "language": found.language, "title": found.title, "text": found.text}
    )


async def _health(request: Request) -> Response:
    counter: Counter = request.app.state.counter
    model = counter.desk.clerk.model
    return JSONResponse(
        {"ready": True, "model": model.name if model else "", "sections": len(counter.desk.library)}
    )


async def _models(_request: Request) -> Response:
    return JSONResponse(
        {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "linewarden"}]}
    )


async def _chat(request: Request) -> Response:
    """OpenAI's chat protocol: the last turn is the question; answers are as from /ask."""
    told = await _body(request)
    if isinstance(told, Response):
        return told
    question = _last_question(told.get("messages"))
    if isinstance(question, Response):
        return question
    name, made = f"chatcmpl-{secrets.token_hex(8)}", clock.wall_ns() // 1_000_000_000
    counter: Counter = request.app.state.counter
    if (place := counter.enter()) is None:
        return _error(503, "too many questions wait: ask again in a moment")
    events = counter.events(question, "", place)
    if told.get("stream"):
        return StreamingResponse(_chunks(events, name, made), media_type="text/event-stream")
    return _Whole(events, name, made)


def _last_question(messages: Any) -> str | Response:
    """The text of the last turn, or the refusal: it must be the user's."""
    turns = cast("list[Any]", messages) if isinstance(messages, list) else []
    last = cast("dict[str, Any]", turns[-1]) if turns and isinstance(turns[-1], dict) else {}
    content = last.get("content") if last.get("role") == "user" else None
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content:
        return _error(400, "messages must end with a user turn of text")
    return _joined(cast("list[Any]", content))


def _joined(parts: list[Any]) -> str | Response:
    """The text of a turn that was sent in parts, or the refusal of one that is no text."""
    texts: list[str] = []
    for place, part in enumerate(parts, 1):
        told = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
        kind, text = told.get("type"), told.get("text")
        if kind != "text":
            return _error(400, f"part {place} of the content is of type {kind!r}: send text alone")
        if not isinstance(text, str):
            return _error(400, f"part {place} of the content has no text")
        texts.append(text)
    return "\n".join(texts)


def _chunks(events: Iterator[dict[str, Any]], name: str, made: int) -> Iterator[str]:
    """OpenAI's chunks: it has no way to withdraw, so only a whole, admitted answer is sent."""
    for one in events:
        if one["event"] != "answer":
            continue
        for piece in one["text"].split(" "):
            yield _chunk(name, made, {"content": f"{piece} "}, None)
        yield _chunk(name, made, {}, "stop", {"linewarden": _without_event(one)})
    yield "data: [DONE]\n\n"


def _chunk(
    name: str,
    made: int,
    delta: dict[str, str],
    reason: str | None,
    more: dict[str, Any] | None = None,
) -> str:
    body = {
        "id": name, "object": "chat.completion.chunk", "created": made, "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **(more or {}),
    }  # fmt: skip
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _without_event(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key != "event"}


class _Whole(_Last):
    """The whole answer as OpenAI's protocol has it."""

    def __init__(self, events: Iterator[dict[str, Any]], name: str, made: int) -> None:
        super().__init__(_completed(events, name, made))


def _completed(events: Iterator[dict[str, Any]], name: str, made: int) -> Iterator[dict[str, Any]]:
    last = list(events)[-1]
    message = {"role": "assistant", "content": last["text"]}
    yield {
        "event": "", "id": name, "object": "chat.completion", "created": made, "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "linewarden": _without_event(last),
    }  # fmt: skip
