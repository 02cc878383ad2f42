"""`make demo`: a line from nothing, with the sums at the end.

Makes a data set on the virtual line, fine-tunes a pre-trained ResNet-18, exports a signed bundle,
starts a broker and the box, judges 200 fresh parts whose truth is known, and adds up what an
independent subscriber received. Offline, on a CPU. Leaves everything in work/demo/.
"""

import argparse
import shutil
import time
from pathlib import Path

import numpy as np

from demo import story
from demo.score import Score, score
from demo.sheet import contact_sheet
from edge.virtual_line import FRAMES_PER_PITCH
from edge.virtual_line.truth import read_truth
from export.figures import Figure, save, table
from trainer.rates import Rate

PROMISED = 0.03  # escapes and overkill on the virtual line


def percent(name: str, rate: Rate, target: str = "") -> Figure:
    """A rate as a figure in percent, with its exact 95 % interval."""
    low, high = rate.interval()
    note = f"{rate.k} of {rate.n}, 95 % interval {100 * low:.1f} to {100 * high:.1f} %"
    return Figure(name, 100 * rate.value, "%", target, note)


def figures(
    plan: story.Plan, scored: Score, subscriber: story.Subscriber, seconds: dict[str, float]
) -> list[Figure]:
    """What the demo measured, with what it promises."""
    total_ms = [verdict["latency_ms"]["total"] for _, verdict in scored.judged]
    model_ms = [verdict["latency_ms"]["score"] for _, verdict in scored.judged]
    limit, each = f"< {100 * PROMISED:g}", f"== {plan.parts}"
    return [
        Figure("parts", plan.parts, ""),
        Figure("verdicts at an independent subscriber", len(subscriber.verdicts), "", each),
        Figure("parts with exactly one verdict", len(scored.judged), "", each),
        percent("escapes (defective parts passed)", scored.escapes(), limit),
        percent("overkill (good parts failed)", scored.overkill(), limit),
        percent("sent to review", scored.reviews()),
        Figure("capture to verdict, median", float(np.median(total_ms)), "ms"),
        Figure("capture to verdict, p99", float(np.percentile(total_ms, 99)), "ms"),
        Figure("of that the model, median", float(np.median(model_ms)), "ms"),
        *(Figure(name, value, "s") for name, value in seconds.items()),
        Figure("all together", sum(seconds.values()), "s", "< 360"),
    ]  # fmt: skip


def confusion(scored: Score) -> str:
    """Class against outcome, as text."""
    lines = [f"{'':18}{'pass':>7}{'review':>8}{'fail':>7}"]
    for label, row in scored.confusion().items():
        lines.append(f"{label:18}{row['pass']:>7}{row['review']:>8}{row['fail']:>7}")
    return "\n".join(lines)


def main() -> None:
    """Tell the story."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("work/demo"))
    parser.add_argument(
        "--parts", type=int, default=story.Plan.__dataclass_fields__["parts"].default
    )
    parser.add_argument("--seed", type=int, default=story.Plan.__dataclass_fields__["seed"].default)
    asked = parser.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    asked.folder.mkdir(parents=True)
    plan = story.Plan(asked.folder, seed=asked.seed, parts=asked.parts)

    seconds = {"data set": story.make_data(plan)}
    seconds["training"] = story.train(plan)
    seconds["export and verify"] = story.export(plan)
    seconds["the line"], subscriber = story.judge(plan)

    story.say("5. The sums, against the truth that only the virtual line knew")
    started = time.perf_counter()
    truth = read_truth(plan.folder / "truth.csv")
    scored = score(truth, subscriber.verdicts.values(), reach=FRAMES_PER_PITCH // 2)
    sheet = plan.folder / "contact_sheet.png"
    contact_sheet(scored, plan.line(), plan.folder / "bundle", plan.folder / "signing.pub", sheet)
    seconds["contact sheet"] = time.perf_counter() - started

    measured = figures(plan, scored, subscriber, seconds)
    print(f"\n{confusion(scored)}\n\n{table(measured)}\n")
    print(f"figures  {save('demo', measured, seed=plan.seed)}\npictures {sheet}")
    slipped = [figure.name for figure in measured if figure.holds is False]
    if slipped:
        raise SystemExit(f"demo: a promise did not hold: {', '.join(slipped)}")


if __name__ == "__main__":
    main()
