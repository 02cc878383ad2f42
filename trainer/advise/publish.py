"""What a study leaves for people and programs: advice.json, advice.html, lines for the terminal."""

import json
import math
from pathlib import Path

from export import stamp
from export.errors import RunError
from trainer.advise.answer import WORTHWHILE, advise
from trainer.advise.latency import latency_ms
from trainer.advise.page import page
from trainer.advise.study import Study
from trainer.advise.words import headline, paragraphs, table
from trainer.progress import Progress
from trainer.teaching import versions


def tell(
    study: Study, folder: Path, worthwhile: float = WORTHWHILE, progress: Progress | None = None
) -> list[str]:
    """Write both files into `folder`; returns the answer as lines, the headline first."""
    progress = progress or Progress(None)
    advice = advise(study, worthwhile)
    classes = {sample.label for sample in study.samples}
    with progress.phase("edge latency", 1) as advance:
        latency = latency_ms(study.plan.arch, len(classes), study.plan.to)
        advance()
    record = {
        "answer": headline(advice),
        "also": paragraphs(advice, study),
        **advice.record(),
        "worthwhile": worthwhile,
        "latency_ms": latency,
        "pictures": len(study.samples),
        "parts": len({sample.part for sample in study.samples}),
        "plan": json.loads(study.plan.words("")),
        "made_at": stamp.now(),
        "versions": versions(),
    }
    try:
        text = json.dumps(_finite(record), indent=1, ensure_ascii=False, default=str)
        (folder / "advice.json").write_text(text + "\n", encoding="utf-8")
        (folder / "advice.html").write_text(
            page(advice, study, worthwhile, latency), encoding="utf-8"
        )
    except OSError as error:
        raise RunError(
            f"{str(folder)!r} can't be written: {error.strerror}", "see to it"
        ) from error
    edge = [] if latency is None else [f"Edge latency: {latency:.0f} ms per part, one thread."]
    told = [headline(advice), "", *paragraphs(advice, study), *edge, "", *table(advice)]
    return [*told, "", f"The page: {folder / 'advice.html'}"]


def _finite(value: object) -> object:
    """The same with null for numbers that JSON can't hold."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
