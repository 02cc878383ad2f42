"""`make bench-assistant BUNDLE=… KEY=… EXAM=…`: the assistant over its text model, and the line.

The bundle carries a text model (`linewarden assistant publish --with-model`). The bare runtime gets
the very prompts that the assistant would put; question by question both take turns, each in its own
process, one thread. A word counts from where it could be shown: behind the citation. Then the line
judges with the assistant answering without pause, and without it (benchmarks/beside.py).
"""

import argparse
import http.client
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.beside import beside, process, write_settings
from benchmarks.rig import make_bundle
from demo.broker import free_port
from edge.assistant.bundled_model import BundledModel
from edge.assistant.clerk import MOST_TOKENS
from export.assistant_bundle import CONTEXT, DOCUMENTS, AssistantBundle, open_assistant
from export.dialogue import prompt, uncited
from export.figures import Figure, save, table
from export.library import Library
from export.signature import load_public
from trainer.assistant.exam import Question, read_exam

QUESTIONS = 30


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: its words, seconds to the first of them, and to its end."""

    words: list[str]
    first_s: float
    whole_s: float


def bare(model: BundledModel, library: Library, context: str, asked: Question) -> Told:
    """The runtime alone, given what the clerk would put to it."""
    found = [hit.passage for hit in library.search(asked.question, asked.language)]
    turns = prompt(asked.question, found, context)
    said, first_s, began = "", 0.0, time.perf_counter()
    for piece in model.words(turns, MOST_TOKENS):
        said += piece
        if not first_s and uncited(said.partition("]")[2]):
            first_s = time.perf_counter() - began
    return Told(uncited(said).split(), first_s, time.perf_counter() - began)


def served(port: int, asked: Question) -> Told:
    """The same question at the assistant's door; no words if it had no entry."""
    first_s, began, last = 0.0, time.perf_counter(), dict[str, Any]()
    for event in events(port, asked):
        last = event
        if event["event"] == "word" and not first_s:
            first_s = time.perf_counter() - began
    from_documents = last.get("source") == "documents"
    words = uncited(last["text"]).split() if from_documents else []
    return Told(words, first_s, time.perf_counter() - began)


def events(port: int, asked: Question) -> Iterator[dict[str, Any]]:
    """What the assistant sends while it answers."""
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    body = {"question": asked.question, "language": asked.language, "stream": True}
    wire.request("POST", "/ask", json.dumps(body), {"content-type": "application/json"})
    answer = wire.getresponse()
    while line := answer.readline():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])
    wire.close()


@contextmanager
def at_the_desk(settings: Path, port: int) -> Iterator[psutil.Process]:
    """The assistant, once it has loaded its model and answers."""
    with process("assistant", "serve", "--config", str(settings)) as assistant:
        for _ in range(1200):
            try:
                wire = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                wire.request("GET", "/healthz")
                wire.getresponse()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit("the assistant does not answer")
        yield assistant


@contextmanager
def asked_on(settings: Path, port: int, exam: list[Question]) -> Iterator[psutil.Process]:
    """The assistant, asked without pause."""
    with at_the_desk(settings, port) as assistant:
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                for one in exam:
                    if stop.is_set():
                        return
                    served(port, one)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        yield assistant
        stop.set()
        thread.join(120)


def measure(bundle: AssistantBundle, key: Path, exam: list[Question], folder: Path) -> list[Figure]:
    """Speed by turns, memory, and the line's latency."""
    make_bundle(folder)
    port = free_port()
    section = f"[assistant]\nport = {port}\nbundle = {json.dumps(str(bundle.path.resolve()))}"
    settings = write_settings(folder, section, ("signing.pub", str(key.resolve())))
    with at_the_desk(settings, port) as assistant:
        figures = by_turns(bundle, exam, port)
        most = Path(f"/proc/{assistant.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
    figures.append(
        Figure("the assistant's memory, at most", int(most) / 1024, "MiB", "", "resident")
    )
    line = beside(
        settings, lambda: asked_on(settings, port, exam), "with the assistant answering", "<= 1.1"
    )
    return [*figures, *line]


def by_turns(bundle: AssistantBundle, exam: list[Question], port: int) -> list[Figure]:
    """First word and words per second, of the answers that are the same words on both sides."""
    model = BundledModel(bundle, threads=1)
    model.load()
    library, context = Library(bundle.path / DOCUMENTS), bundle.text(CONTEXT)
    pairs: list[tuple[Told, Told]] = []
    for number, one in enumerate(exam, 1):
        print(f"\rquestion {number} of {len(exam)} ", end="", flush=True)
        pairs.append((bare(model, library, context, one), served(port, one)))
    print()
    same = [(a, b) for a, b in pairs if b.words and a.words == b.words]
    if len(same) < len(exam) / 3:
        raise SystemExit(f"only {len(same)} of {len(exam)} answers were proven: tune the model")
    first = statistics.median(b.first_s / a.first_s for a, b in same)
    rate = statistics.median(a.whole_s / b.whole_s for a, b in same)
    shown = [len(b.words) / b.whole_s for _, b in same]
    note = f"{len(same)} answers of {len(exam)} questions"
    return [
        Figure(
            "question to first word", statistics.median(b.first_s for _, b in same), "s", "", note
        ),
        Figure("its ratio to the bare runtime", first, "", "<= 1.3"),
        Figure("words per second, question to end", statistics.median(shown), "/s"),
        Figure("their share of the bare runtime's", rate, "", ">= 0.8"),
    ]


def main() -> None:
    """Measure, print the table, write results/assistant.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, help="of kind assistant, with a text model")
    parser.add_argument("key", type=Path, help="the public key of whoever signed it")
    parser.add_argument("exam", type=Path, help="heldout.jsonl")
    asked = parser.parse_args()
    bundle = open_assistant(asked.bundle, [load_public(asked.key)])
    exam = [one for one in read_exam(asked.exam) if one.answerable and not one.given][:QUESTIONS]
    with tempfile.TemporaryDirectory(prefix="linewarden-bench-") as folder:
        figures = measure(bundle, asked.key, exam, Path(folder))
    print(f"\n{table(figures)}\n\n{save('assistant', figures, seed=0)}")
    if slipped := [figure.name for figure in figures if figure.holds is False]:
        raise SystemExit(f"bench-assistant: a target slipped: {', '.join(slipped)}")


if __name__ == "__main__":
    main()
