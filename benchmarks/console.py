"""`make bench-console`: 5 million verdicts, and what each question of the console takes.

The verdicts are made up (30 days of four cameras, types and scores as on a line with 4 % rejects),
taken in by the intake itself. Each question is asked on a fresh connection for many different
arguments; the slowest hundredth counts, in processor time, since the machine is shared; the clock's
is noted. `--cold` drops the file from the system's cache before each, as after a start.
"""

import argparse
import hashlib
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection

from edge.outbox.packing import pack
from edge.store import schema, search, tally
from edge.store.feed import Bite
from edge.store.intake import Intake
from export.figures import Figure, save, table

VERDICTS, BITE, ASKED = 5_000_000, 5000, 60
DAYS, END_MS = 30, 1_790_000_000_000
CAMERAS = ("top", "side", "bottom", "inner")
TYPES = ("scratch", "dent", "chip", "stain", "missing_feature")
DIGEST = hashlib.sha256(b"a bundle").hexdigest()
DAY_MS = 86_400_000

Question = Callable[[Connection, random.Random], object]


def made_up(chance: random.Random, camera: str, seq: int, at_ms: int) -> bytes:
    """One verdict, in JSON, of a line with about 4 % rejects."""
    bad = chance.random() < 0.04
    score = chance.betavariate(6, 2) if bad else chance.betavariate(1, 60)
    kind = chance.choice(TYPES)
    rest = ", ".join(f'"{one}":{score * 0.05:.6f}' for one in TYPES if one != kind)
    outcome, reason = "pass", "score_below_pass_threshold"
    if score >= 0.6:
        outcome, reason = "fail", "score_above_fail_threshold"
    elif score >= 0.2:
        outcome, reason = "review", "score_in_review_band"
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="microseconds")
    body = (
        f'{{"schema_version":1,"camera":"{camera}","epoch":7,"seq":{seq},'
        f'"part":"SN{seq:08}-{camera}","outcome":"{outcome}","reason":"{reason}","detail":"",'
        f'"score":{score},"novelty":{chance.gammavariate(9, 0.1)},'
        '"thresholds":{"pass_below":0.2,"fail_above":0.6,"novel_above":3.0},'
        f'"probabilities":{{"good":{1 - score:.6f},"{kind}":{score * 0.8:.6f},{rest}}},'
        f'"bundle":{{"name":"bracket","version":4,"digest":"{DIGEST}"}},"frame":{seq},'
        f'"captured_at":"{at[:-6]}Z","decided_at":"{at[:-6]}Z",'
        '"latency_ms":{"queue":0.4,"preprocess":1.2,"score":34.4,"total":46.1},'
        '"health":{"frame_age_ms":3.1,"overwritten":12,"reconnects":0},'
        '"simulated":false,"replay":false}'
    )
    return body.encode()


def bites(count: int, seed: int) -> Iterator[Bite]:
    """`count` verdicts, spread over DAYS as two shifts a day would."""
    chance = random.Random(seed)
    step = DAYS * DAY_MS * 2 / 3 / count
    rows: list[tuple[int, bytes]] = []
    for n in range(1, count + 1):
        worked = n * step
        day, within = divmod(worked, DAY_MS * 2 / 3)
        at_ms = END_MS - DAYS * DAY_MS + int(day * DAY_MS + within)
        camera = CAMERAS[n % len(CAMERAS)]
        body = made_up(chance, camera, (n - 1) // len(CAMERAS) + 1, at_ms)
        rows.append((n, pack(body)))
        if len(rows) == BITE:
            yield Bite(7, rows)
            rows = []
    if rows:
        yield Bite(7, rows)


def fill(path: Path, count: int, seed: int) -> float:
    """Make the store; returns seconds per verdict of taking it in, making it left out."""
    schema.prepare(path)
    intake = Intake(path)
    took, done, started = 0.0, 0, time.monotonic()
    for bite in bites(count, seed):
        begun = time.process_time()
        intake.take(bite)
        took += time.process_time() - begun
        done += len(bite.rows)
        if done % 100_000 < BITE:
            left = (time.monotonic() - started) / done * (count - done)
            print(f"\r{done:,} of {count:,} verdicts, {left:.0f} s left ", end="", flush=True)
    print()
    intake.close()
    return took / count


def span(chance: random.Random, days: int) -> tally.Span:
    """Any stretch of so many days within the record."""
    begin = END_MS - DAYS * DAY_MS + chance.randrange((DAYS - days) * DAY_MS + 1)
    return tally.Span(begin, begin + days * DAY_MS)


def somewhere(chance: random.Random) -> search.Place:
    """A page far back."""
    return search.Place(END_MS - chance.randrange(DAYS * DAY_MS), 2**60)


QUESTIONS: dict[str, Question] = {
    "the newest page": lambda db, _: search.find(db, search.Search()),
    "any page": lambda db, chance: search.find(db, search.Search(), somewhere(chance)),
    "one verdict by its key": lambda db, chance: search.one(
        db, chance.choice(CAMERAS), 7, chance.randrange(1, VERDICTS // 4)
    ),
    "a part's name": lambda db, chance: search.find(
        db, search.Search(part=f"SN{chance.randrange(VERDICTS // 4):08}")
    ),
    "how a part's name begins, few": lambda db, chance: search.find(
        db, search.Search(part=f"SN{chance.randrange(VERDICTS // 4):08}"[:8])
    ),
    "how a part's name begins, all": lambda db, _: search.find(db, search.Search(part="SN")),
    "rejects of one type and camera": lambda db, chance: search.find(
        db, search.Search(kinds=(chance.choice(TYPES),), cameras=(chance.choice(CAMERAS),))
    ),
    "rejects of a day": lambda db, chance: search.find(
        db,
        search.Search(
            outcomes=("fail", "review"),
            since_ms=(day := span(chance, 1)).since_ms,
            until_ms=day.until_ms,
        ),
    ),
    "scores between": lambda db, chance: search.find(
        db, search.Search(percent_from=(low := chance.randrange(95)), percent_to=low + 5)
    ),
    "all filters at once": lambda db, chance: search.find(
        db,
        search.Search(
            cameras=(chance.choice(CAMERAS),), outcomes=("fail",), kinds=(chance.choice(TYPES),),
            percent_from=90, since_ms=(week := span(chance, 7)).since_ms, until_ms=week.until_ms,
        ),
    ),
    "what there isn't": lambda db, _: search.find(
        db, search.Search(outcomes=("pass",), percent_from=50)
    ),
    "counts of a day": lambda db, chance: tally.by_mark(db, span(chance, 1)),
    "counts of 30 days": lambda db, chance: tally.by_mark(db, span(chance, 30)),
    "p-chart of a week, by hours": lambda db, chance: tally.by_time(db, span(chance, 7), 4),
    "p-chart of 30 days, one camera": lambda db, chance: tally.by_time(
        db, span(chance, 30), 4, chance.choice(CAMERAS)
    ),
    "what the store holds": lambda db, _: tally.contents(db),
    "the last verdicts": lambda db, _: [search.newest(db, 20), search.last_of(db, "top")],
}  # fmt: skip


def forgotten(path: Path) -> None:
    """Drop the file from the system's cache."""
    handle = os.open(path, os.O_RDONLY)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(handle)


def ask(
    path: Path, question: Question, seed: int, *, cold: bool
) -> tuple[list[float], list[float]]:
    """(processor, clock) milliseconds, for ASKED arguments, each on a fresh connection."""
    worked: list[float] = []
    waited: list[float] = []
    for number in range(ASKED):
        if cold:
            forgotten(path)
        chance = random.Random(1000 * seed + number)
        processor, clock = time.process_time(), time.perf_counter()
        db = schema.reader(path)
        question(db, chance)
        worked.append(1000 * (time.process_time() - processor))
        waited.append(1000 * (time.perf_counter() - clock))
        db.close()
    return worked, waited


def measure(path: Path, seed: int, *, cold: bool) -> list[Figure]:
    """A figure for every question; with a cold cache it is the clock's median, without a target."""
    figures: list[Figure] = []
    for name, question in QUESTIONS.items():
        worked, waited = ask(path, question, seed, cold=cold)
        slowest = statistics.quantiles(worked, n=100)[98]
        usual = statistics.median(waited)
        if cold:
            figures.append(Figure(f"{name}, cold, clock", usual, "ms"))
            continue
        by_clock = (
            f"by the clock: median {usual:.1f}, p99 {statistics.quantiles(waited, n=100)[98]:.0f}"
        )
        figures.append(Figure(name, slowest, "ms", "< 100", by_clock))
    return figures


def main() -> None:
    """Fill a store, ask it, print the table, write results/console.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verdicts", type=int, default=VERDICTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cold", action="store_true", help="also with nothing in the cache")
    parser.add_argument("--store", type=Path, help="keep the store here, or use the one there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linewarden-bench-") as folder:
        path = asked.store or Path(folder) / "verdicts.db"
        figures: list[Figure] = []
        if not path.exists():
            each_s = fill(path, asked.verdicts, asked.seed)
            figures.append(Figure("taking a verdict in, processor", 1e6 * each_s, "µs"))
        figures.append(Figure("verdicts", asked.verdicts, ""))
        figures.append(Figure("the store's file", path.stat().st_size / 1e9, "GB"))
        figures += measure(path, asked.seed, cold=False)
        if asked.cold:
            figures += measure(path, asked.seed, cold=True)
        free = shutil.disk_usage(path.parent).free / 1e9
    print(f"\n{table(figures)}\n\n{save('console', figures, seed=asked.seed)} ({free:.0f} GB free)")
    if slipped := [figure.name for figure in figures if figure.holds is False]:
        raise SystemExit(f"bench-console: a target slipped: {', '.join(slipped)}")


if __name__ == "__main__":
    main()
