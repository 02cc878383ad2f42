"""Verdicts as a Parquet file, for whoever works with them elsewhere (pandas, DuckDB, Spark).

One row a verdict, its fields as columns, in the order in which they were taken in; written in
groups of rows, so that 5 million need no more memory than a thousand. Needs pyarrow.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.parquet as pq  # pyright: ignore[reportMissingTypeStubs]

from edge.outbox.packing import unpack
from edge.store.tally import Span
from export.errors import StoreError
from export.verdict import Verdict

GROUP = 20_000
_arrow: Any = cast("Any", pa)  # untyped; contained here
_parquet: Any = cast("Any", pq)

_TEXT = ("camera", "part", "outcome", "reason", "kind", "detail")
_WHOLE = ("epoch", "seq", "frame")
_REAL = (
    "score", "novelty", "pass_below", "fail_above", "novel_above",
    "queue_ms", "preprocess_ms", "score_ms", "total_ms",
)  # fmt: skip


def columns() -> Any:
    """The file's schema."""
    text, whole, real = _arrow.string(), _arrow.int64(), _arrow.float64()
    return _arrow.schema(
        [(name, text) for name in _TEXT]
        + [(name, whole) for name in _WHOLE]
        + [("captured_at", _arrow.timestamp("ms", "UTC")), ("decided_at", text)]
        + [(name, real) for name in _REAL]
        + [
            ("probabilities", _arrow.map_(text, real)),
            ("bundle_name", text),
            ("bundle_version", whole),
            ("bundle_digest", text),
            ("conditions", _arrow.list_(text)),
            ("simulated", _arrow.bool_()),
        ]
    )


def write(
    db: sqlite3.Connection,
    path: Path,
    span: Span,
    progress: Callable[[int], None] = lambda _rows: None,
) -> int:
    """Write every verdict captured in the span to `path`; returns how many.

    The file stands under its name only once it is whole. Raises StoreError if it can't be written.
    """
    part = path.with_name(f".{path.name}.part")
    rows = 0
    try:
        with _parquet.ParquetWriter(part, columns(), compression="zstd") as writer:
            for group in _groups(db, span):
                writer.write_table(_arrow.Table.from_pylist(group, schema=columns()))
                rows += len(group)
                progress(rows)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(
            f"{path} can't be written: {error}", "check its folder, rights and room"
        ) from error
    return rows


def _groups(db: sqlite3.Connection, span: Span) -> Iterator[list[dict[str, object]]]:
    after = 0
    while True:
        rows = db.execute(
            "SELECT v.id, v.at_ms, m.kind, v.body FROM verdict v JOIN mark m ON m.id = v.mark"
            " WHERE v.id > ? AND v.at_ms >= ? AND v.at_ms < ? ORDER BY v.id LIMIT ?",
            (after, span.since_ms, span.until_ms, GROUP),
        ).fetchall()
        if not rows:
            return
        after = rows[-1][0]
        yield [_row(at_ms, kind, body) for _, at_ms, kind, body in rows]


def _row(at_ms: int, kind: str, body: bytes) -> dict[str, object]:
    verdict = Verdict.from_json(unpack(body))
    limits, bundle = verdict.thresholds, verdict.bundle
    return {
        **verdict.model_dump(
            include={
                "camera", "part", "detail", "epoch", "seq", "frame",
                "decided_at", "score", "novelty", "simulated",
            }
        ),
        "outcome": verdict.outcome.value,
        "reason": verdict.reason.value,
        "kind": kind,
        "captured_at": at_ms,
        "pass_below": limits.pass_below if limits else None,
        "fail_above": limits.fail_above if limits else None,
        "novel_above": limits.novel_above if limits else None,
        **{f"{stage}_ms": took for stage, took in verdict.latency_ms.model_dump().items()},
        "probabilities": list(verdict.probabilities.items()),
        "bundle_name": bundle.name if bundle else None,
        "bundle_version": bundle.version if bundle else None,
        "bundle_digest": bundle.digest if bundle else None,
        "conditions": list(verdict.health.conditions),
    }  # fmt: skip
