"""Roboflow inference's HTTP server and anomalib's inferencer beside this box, by turns.

Same ResNet-18 weights, same frames of 1280x1024 in memory, one thread for the model each. Ours ends
with the verdict on disk and acknowledged by an MQTT broker; theirs with the answer in hand. What is
unlike: the server is sent a JPEG (quality 95) in JSON, as its own client does; anomalib shrinks in
the graph. It runs OpenVINO, so it stands beside ours on OpenVINO too, not on ONNX Runtime alone.
Without `make bench-peers` it says so.
"""

import base64
import http.client
import json
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np
import torch

from benchmarks import verdicts
from benchmarks.peers import graphs
from benchmarks.rig import frames
from export.figures import Figure
from export.preprocess import Pixels
from trainer.backbone import Network

HOMES = Path("work/peers")
HERE = Path(__file__).parent
ROUNDS, PER_ROUND, CLIENTS = 5, 12, 2
READY_S = 180.0
HEADERS = {"Content-Type": "application/json"}


class Roboflow:
    """Its server, spoken to over HTTP."""

    name = "Roboflow inference, HTTP"
    beside = ("cpu",)  # providers of ours

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)

    def ready(self) -> None:
        """Wait until it answers."""
        limit_s = time.monotonic() + READY_S
        while time.monotonic() < limit_s:
            with suppress(OSError), socket.create_connection(self._address, 5):
                return
            time.sleep(0.5)
        raise TimeoutError(f"{self.name} does not listen within {READY_S:g} s")

    def ask(self, picture: Pixels) -> float:
        """One frame's score."""
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
        assert done
        image = {"type": "base64", "value": base64.b64encode(data).decode()}
        body = json.dumps({"model_id": "linewarden/1", "api_key": "none", "image": image}).encode()
        with closing(http.client.HTTPConnection(*self._address, timeout=60)) as line:
            line.request("POST", "/infer/classification", body, HEADERS)
            answer = line.getresponse()
            told = json.load(answer)
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{self.name} answered {answer.status}: {told}")
        found = {one["class"]: one["confidence"] for one in told["predictions"]}
        return found.get("spot", 1 - found.get("good", 1.0))

    def one_by_one(self, pictures: list[Pixels]) -> float:
        """Seconds from a frame in memory to its answer."""
        started = time.perf_counter()
        for picture in pictures:
            self.ask(picture)
        return (time.perf_counter() - started) / len(pictures)

    def in_a_stream(self, pictures: list[Pixels]) -> float:
        """Seconds per answer with several clients at once."""
        with ThreadPoolExecutor(CLIENTS) as clients:
            started = time.perf_counter()
            list(clients.map(self.ask, pictures))
            return (time.perf_counter() - started) / len(pictures)


class Anomalib:
    """Its inferencer, in a process of its own that times itself."""

    name = "anomalib OpenVINOInferencer"
    beside = ("cpu", "openvino")

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def one_by_one(self, pictures: list[Pixels]) -> float:
        """Seconds from a frame in memory to its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(len(pictures), file=self._process.stdin, flush=True)
        return statistics.mean(json.loads(self._process.stdout.readline())["seconds"])

    in_a_stream = one_by_one  # it judges one at a time


@contextmanager
def roboflow(folder: Path, network: Network) -> Iterator[Roboflow]:
    """The server at work on our weights."""
    graphs.for_roboflow(network, folder / "cache/linewarden/1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [HOMES / "inference/bin/python", HERE / "roboflow_server.py", folder / "cache", port]
    with _run(command) as process:
        peer = Roboflow(port)
        peer.ready()
        yield peer
        assert process.poll() is None


@contextmanager
def anomalib(folder: Path, network: Network, pictures: list[Pixels]) -> Iterator[Anomalib]:
    """The inferencer at work on our weights."""
    graphs.for_anomalib(network, folder / "anomalib.onnx", *pictures[0].shape[:2])
    np.save(folder / "frames.npy", np.stack(pictures))
    worker = (HERE / "anomalib_worker.py").resolve()
    home = (HOMES / "anomalib/bin/python").absolute()
    command = [home, worker, folder / "anomalib.onnx", folder / "frames.npy"]
    with _run(command, folder) as process:
        yield Anomalib(process)


@contextmanager
def _run(command: list[object], folder: Path | None = None) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, cwd=folder,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for end in (process.stdin, process.stdout):
            if end:
                end.close()


def measure(folder: Path) -> list[Figure]:
    """The figures; of those peers that are installed."""
    here = [name for name in ("inference", "anomalib") if (HOMES / name / ".installed").exists()]
    if not here:
        print("  no peers: make bench-peers installs them (14 GB)", flush=True)
        return []
    torch.manual_seed(0)
    network, pictures = Network("resnet18", 2).eval(), frames(PER_ROUND)
    with ExitStack() as stack:
        peers: list[Roboflow | Anomalib] = []
        if "inference" in here:
            peers.append(stack.enter_context(roboflow(folder, network)))
        if "anomalib" in here:
            peers.append(stack.enter_context(anomalib(folder, network, pictures)))
        ours: dict[str, Ours] = {}
        for provider in sorted({one for peer in peers for one in peer.beside}):
            home = folder / provider
            home.mkdir()
            at = stack.enter_context(verdicts.box(home, pictures, provider))
            ours[provider] = Ours(at, pictures)
        return compare(ours, peers, pictures)


class Ours:
    """A box of ours, asked as they are."""

    def __init__(self, at: verdicts.Box, pictures: list[Pixels]) -> None:
        self.single: list[float] = []
        self.stream: list[float] = []
        self._at, self._pictures, self._done = at, pictures, 0

    def turn(self) -> None:
        """One by one, then in a stream."""
        at, pictures = self._at, self._pictures
        self.single.append(statistics.mean(verdicts.one_by_one(at, pictures, self._done)))
        self.stream.append(verdicts.in_a_stream(at, pictures, self._done + len(pictures)))
        self._done += 2 * len(pictures)


def compare(
    ours: dict[str, Ours], peers: list[Roboflow | Anomalib], pictures: list[Pixels]
) -> list[Figure]:
    """Rounds by turns; the first is to warm up."""
    single: dict[str, list[float]] = {peer.name: [] for peer in peers}
    stream: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for _ in range(ROUNDS + 1):
        for own in ours.values():
            own.turn()
        for peer in peers:
            single[peer.name].append(peer.one_by_one(pictures))
            stream[peer.name].append(peer.in_a_stream(pictures))
    figures: list[Figure] = []
    for peer in peers:
        took = f"{1000 * statistics.median(single[peer.name][1:]):.1f} ms a frame"
        for provider in peer.beside:
            own, on = ours[provider], "" if provider == "cpu" else f" on {provider}"
            slower = statistics.median(_ratios(single[peer.name], own.single))
            fewer = statistics.median(_ratios(stream[peer.name], own.stream))
            figures += [
                Figure(f"{peer.name}: its latency to ours{on}", slower, "", "", took),
                Figure(f"{peer.name}: our throughput{on} to its", fewer, ""),
            ]
    return figures


def _ratios(theirs: list[float], ours: list[float]) -> list[float]:
    return [one / own for one, own in zip(theirs, ours, strict=True)][1:]
