"""The Grafana dashboards, written from a table of panels so that a person can read what they ask.

`python -m deploy.dashboards` writes `containers/grafana/dashboards/box.json` (one box, Prometheus) and
`fleet/grafana/fleet.json` (many boxes, the archive's PostgreSQL).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BOX, FLEET = HERE / "containers/grafana/dashboards/box.json", HERE / "fleet/grafana/fleet.json"
PROMETHEUS = {"type": "prometheus", "uid": "linewarden-prometheus"}
POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "linewarden-archive"}
SCHEMA_VERSION = 39
COLUMNS, HEIGHT = 24, 8
OUTCOMES = {"pass": "green", "review": "yellow", "fail": "red"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: what it is called, what it asks, in which unit, how wide of 24."""

    title: str
    ask: str
    unit: str = "short"
    kind: str = "timeseries"
    legend: str = ""
    width: int = 12
    red_from: float | None = None


BOX_PANELS = (
    Panel("Ready: the broker answers", "linewarden_broker_connected", kind="stat", width=6),
    Panel("Alarms that stand", "sum(linewarden_alarm) or vector(0)", kind="stat", width=6, red_from=1),
    Panel("Verdicts that wait", "linewarden_outbox_depth", kind="stat", width=6, red_from=1000),
    Panel("Refused by the broker", "linewarden_outbox_quarantined", kind="stat", width=6, red_from=1),
    Panel("Verdicts a minute", "sum by (camera, outcome) (rate(linewarden_verdicts_total[1m])) * 60", "cpm", legend="{{camera}} {{outcome}}"),
    Panel("Share failed", 'sum by (camera) (rate(linewarden_verdicts_total{outcome="fail"}[15m])) / sum by (camera) (rate(linewarden_verdicts_total[15m]))', "percentunit", legend="{{camera}}"),
    Panel("Capture to verdict, p50 and p99", 'histogram_quantile(0.99, sum by (camera, le) (rate(linewarden_latency_seconds_bucket{stage="total"}[1m]))) ;; histogram_quantile(0.5, sum by (camera, le) (rate(linewarden_latency_seconds_bucket{stage="total"}[1m])))', "s", legend="p99 {{camera}} ;; p50 {{camera}}"),
    Panel("Age of the newest frame", "linewarden_frame_age_seconds", "s", legend="{{camera}}", red_from=5),
    Panel("Parts without a verdict, 5 minutes", "sum by (camera) (increase(linewarden_triggers_total[5m])) - sum by (camera) (increase(linewarden_verdicts_total[5m]))", legend="{{camera}}", red_from=5),
    Panel("Faults a minute", "sum by (camera, kind) (rate(linewarden_faults_total[5m])) * 60", "cpm", legend="{{camera}} {{kind}}"),
    Panel("Frames a second", "rate(linewarden_frames_total[1m])", "fps", legend="{{camera}}"),
    Panel("Size of the record", "linewarden_outbox_bytes", "bytes"),
)  # fmt: skip
FLEET_PANELS = (
    Panel("Boxes heard in 5 minutes", "SELECT count(DISTINCT box) FROM verdict WHERE arrived_at > now() - interval '5 minutes'", kind="stat", width=6),
    Panel("Verdicts a minute", "SELECT date_trunc('minute', captured_at) AS time, count(*) AS verdicts FROM verdict WHERE $__timeFilter(captured_at) GROUP BY 1 ORDER BY 1", "cpm", width=18),
    Panel("Share failed, by box", "SELECT date_trunc('hour', captured_at) AS time, box AS metric, avg((outcome = 'fail')::int) AS share FROM verdict WHERE $__timeFilter(captured_at) GROUP BY 1, 2 ORDER BY 1", "percentunit"),
    Panel("Capture to archive, p99 by box", "SELECT date_trunc('minute', captured_at) AS time, box AS metric, percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM arrived_at - captured_at)) AS p99 FROM verdict WHERE $__timeFilter(captured_at) GROUP BY 1, 2 ORDER BY 1", "s"),
    Panel("Boxes: last heard, what they judged", "SELECT box, max(arrived_at) AS last_heard, count(*) AS verdicts, round(100 * avg((outcome = 'fail')::int), 2) AS failed_percent, round(100 * avg((outcome = 'review')::int), 2) AS review_percent FROM verdict WHERE $__timeFilter(captured_at) GROUP BY box ORDER BY last_heard", kind="table", width=24),
    Panel("Why parts failed", "SELECT box, reason, count(*) AS parts FROM verdict WHERE outcome = 'fail' AND $__timeFilter(captured_at) GROUP BY box, reason ORDER BY parts DESC LIMIT 50", kind="table"),
    Panel("Bundles in use", "SELECT DISTINCT ON (box, camera) box, camera, body->'bundle'->>'name' AS bundle, body->'bundle'->>'version' AS version, body->'bundle'->>'digest' AS digest FROM verdict WHERE $__timeFilter(captured_at) ORDER BY box, camera, epoch DESC, seq DESC", kind="table"),
)  # fmt: skip


def dashboard(
    uid: str, title: str, panels: tuple[Panel, ...], source: dict[str, str]
) -> dict[str, Any]:
    """A dashboard in Grafana's JSON model."""
    drawn: list[dict[str, Any]] = []
    x = y = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        place = {"x": x, "y": y, "w": panel.width, "h": HEIGHT}
        drawn.append({"id": number, "gridPos": place, **picture(panel, source)})
        x += panel.width
    return {
        "uid": uid, "title": title, "tags": ["linewarden"], "schemaVersion": SCHEMA_VERSION, "editable": False,
        "refresh": "10s", "time": {"from": "now-1h", "to": "now"}, "timezone": "browser", "panels": drawn,
    }  # fmt: skip


def picture(panel: Panel, source: dict[str, str]) -> dict[str, Any]:
    """A panel in Grafana's JSON model."""
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red_from is not None:
        steps.append({"color": "red", "value": panel.red_from})
    colours = [
        {"matcher": {"id": "byRegexp", "options": f".*{outcome}$"},
         "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]}
        for outcome, colour in OUTCOMES.items()
    ]  # fmt: skip
    return {
        "type": panel.kind, "title": panel.title, "datasource": source,
        "targets": [target(ask, legend, panel, source, letter) for ask, legend, letter in asked(panel)],
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": colours if panel.kind == "timeseries" else [],
        },
        "options": {},
    }  # fmt: skip


def asked(panel: Panel) -> list[tuple[str, str, str]]:
    """(question, legend, letter) of each line of a panel."""
    questions, legends = panel.ask.split(" ;; "), panel.legend.split(" ;; ")
    return [
        (ask, legends[min(i, len(legends) - 1)], "ABCDEF"[i]) for i, ask in enumerate(questions)
    ]


def target(
    ask: str, legend: str, panel: Panel, source: dict[str, str], letter: str
) -> dict[str, Any]:
    """One question as its datasource takes it."""
    if source is PROMETHEUS:
        return {
            "refId": letter,
            "expr": ask,
            "legendFormat": legend or "__auto",
            "datasource": source,
        }
    form = "time_series" if panel.kind == "timeseries" else "table"
    return {"refId": letter, "rawSql": ask, "rawQuery": True, "format": form, "datasource": source}


def written() -> dict[Path, str]:
    """{path: text} of both dashboards."""
    box = dashboard("linewarden-box", "Linewarden: a box", BOX_PANELS, PROMETHEUS)
    fleet = dashboard("linewarden-fleet", "Linewarden: all boxes", FLEET_PANELS, POSTGRES)
    return {path: json.dumps(one, indent=1) + "\n" for path, one in ((BOX, box), (FLEET, fleet))}


if __name__ == "__main__":
    for at, text in written().items():
        at.write_text(text, encoding="utf-8")
