r"""`make bench-catalog`: 10,000 pictures in one go, killed once, against the bare model's loop.

    linewarden train grocery --task catalog --arch resnet18 --weights starter --size 128 \
        --epochs 0 --out runs/shop
    linewarden export runs/shop --out bundles/shop
    python -m benchmarks.catalog.throughput grocery/train bundles/shop --count 10000

For a model of the target's weight: `--arch vgg16 --weights FILE --size 224`. The key is the one
that export made, .linewarden/signing.pub, or --key. PICTURES are multiplied by augmentation until
there are enough, in the folder for temporary files: some 40 kB each. The bare loop takes frames
that are in memory already, in the same batches, with the same threads. The command is killed with
-9 when it has looked at a third, and started again.
"""

import argparse
import os
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import psutil

from benchmarks.program import LINEWARDEN, memory_mib
from edge.catalog.looking import BATCH
from edge.catalog.model import CatalogModel
from export import picture
from export.figures import Figure, save, table
from export.preprocess import shrink
from export.signature import load_public

SEED, THREADS, BARE_S = 0, 2, 30.0


def multiply(source: Path, folder: Path, count: int) -> None:
    """Write `count` pictures: those of `source`, mirrored, cropped and lit otherwise."""
    random = np.random.default_rng(SEED)
    files = sorted(p for p in source.rglob("*") if p.suffix.lower() in picture.SUFFIXES)
    for number in range(count):
        pixels = picture.read(files[number % len(files)])
        rows, columns = pixels.shape[:2]
        top, left = (int(random.uniform(0, 0.15) * side) for side in (rows, columns))
        bottom, right = (int(random.uniform(0.85, 1) * side) for side in (rows, columns))
        pixels = pixels[top:bottom, left:right]
        if random.random() < 0.5:
            pixels = pixels[:, ::-1]
        light = random.uniform(0.75, 1.2)
        pixels = np.clip(pixels * light + random.uniform(-10, 10), 0, 255).astype(np.uint8)
        target = folder / f"{number // 1000:02d}" / f"{number:05d}.jpg"
        target.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(target), pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])


def bare(folder: Path, bundle: Path, key: Path) -> float:
    """Pictures a second of the model alone."""
    model = CatalogModel(bundle, [load_public(key)], threads=THREADS)
    files = sorted(folder.rglob("*.jpg"))[: 8 * BATCH]
    frames = np.stack([shrink(picture.read(path), model.bundle.input) for path in files])
    model.tell(frames[:BATCH])
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < BARE_S:
        at = done % len(frames)
        done += len(model.tell(frames[at : at + BATCH]).presentation)
    return done / (time.perf_counter() - began)


def looked(base: Path) -> int:
    """How many looks a ledger holds."""
    if not base.exists():
        return 0
    try:
        opened = sqlite3.connect(f"file:{base}?mode=ro", uri=True)
        count = int(opened.execute("SELECT count(*) FROM looks").fetchone()[0])
        opened.close()
    except sqlite3.Error:
        return 0
    return count


def run(command: list[object], out: Path, until: int | None) -> tuple[float, float, float]:
    """Start it, and kill it when it has looked at `until`.

    Returns:
        Seconds, pictures a second between the first look and the last, most MiB.
    """
    before = looked(out / "looks.db")
    began = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    most, first_s, last_s, last = 0.0, 0.0, 0.0, before
    while process.poll() is None:
        time.sleep(0.2)
        try:
            most = max(most, memory_mib(psutil.Process(process.pid)))
        except psutil.Error:
            break
        now = looked(out / "looks.db")
        if now > last:
            first_s = first_s or time.perf_counter()
            last, last_s = now, time.perf_counter()
        if until is not None and now >= until:
            os.kill(process.pid, signal.SIGKILL)
    process.wait()
    took = time.perf_counter() - began
    return took, (last - before) / max(last_s - first_s, 1e-9), most


def main() -> None:
    """Measure, print the table, write results/catalog.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", type=Path, default=Path(".linewarden/signing.pub"))
    parser.add_argument("--count", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linewarden-catalog-") as scratch:
        folder, out = Path(scratch) / "pictures", Path(scratch) / "result"
        folder.mkdir()
        multiply(asked.pictures, folder, asked.count)
        alone = bare(folder, asked.bundle, asked.key)
        command = [
            LINEWARDEN, "catalog", "select", asked.bundle, folder, "--out", out, "--key", asked.key,
            "--threads", THREADS,
        ]  # fmt: skip
        run(command, out, asked.count // 3)
        kept = looked(out / "looks.db")
        took, speed, most = run(command, out, None)
        whole = looked(out / "looks.db")
    figures = [
        Figure("pictures", float(asked.count), ""),
        Figure("looked at when killed", float(kept), ""),
        Figure("looked at in the end", float(whole), "", f"== {asked.count}"),
        Figure("bare model", alone, "/s"),
        Figure("catalog select, looking", speed, "/s"),
        Figure("its share of the bare model's", speed / alone, "", ">= 0.8"),
        Figure("second start to result", took, "s"),
        Figure("most memory", most, "MiB"),
    ]
    print(f"{table(figures)}\n\n{save('catalog', figures, seed=SEED)}")
    if slipped := [one.name for one in figures if one.holds is False]:
        raise SystemExit(f"bench-catalog: a target slipped: {', '.join(slipped)}")


if __name__ == "__main__":
    main()
