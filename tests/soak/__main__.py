"""The soak: the real box at full load for half an hour; does it grow?

`make soak`, or `python -m tests.soak --minutes 30 --seed 7`: `linewarden run` with two virtual
lines, camera watch, kept samples under a quota that evicts, a real mosquitto, `linewarden watch`
as a consumer, and a counter that uses none of our code. Memory, handles and threads are sampled
every 5 s; results/soak.json, soak.csv and soak.png tell.

What half an hour can say: whether memory grows by more than about 10 MiB/h. So it is called flat
if its slope after the warm-up isn't significantly above 1 MiB/h, and the interval ends below 10.
"""

import argparse
import csv
import random
import sys
import tempfile
from pathlib import Path

from export.figures import Figure, save, table
from tests.soak.plant import Plant, Sample
from tests.soak.slope import slope
from trainer.progress import Progress

EVERY_S = 5.0
WARM_UP = 1 / 6  # of the run
FLAT_PER_HOUR, CERTAIN_PER_HOUR = 1.0, 10.0
FOLDER = Path("results")


def run(
    minutes: float, seed: int, folder: Path, progress: Progress, samples: list[Sample]
) -> Plant:
    """The whole run, sampled into `samples`; returns the plant, stopped."""
    with Plant(folder, seed, minutes) as plant:
        steps = round(60 * minutes / EVERY_S)
        with progress.phase("soak", steps) as advance:
            for _ in range(steps):
                plant.rest(EVERY_S)
                samples.append(plant.sample())
                advance(1, f", {samples[-1].box_mib:.1f} MiB, {samples[-1].verdicts} verdicts")
        plant.finish()
    return plant


def figures(plant: Plant, samples: list[Sample]) -> list[Figure]:
    """What it came to, without the warm-up."""
    late = samples[int(WARM_UP * len(samples)) :]
    times, box = [one.at_s for one in late], slope(*_series(late, "box_mib"))
    captures, consumer = (slope(*_series(late, f"{name}_mib")) for name in ("captures", "consumer"))
    hours = (times[-1] - times[0]) / 3600
    rate = (late[-1].verdicts - late[0].verdicts) / (3600 * hours)
    handles, threads = ([getattr(one, name) for one in late] for name in ("handles", "threads"))
    return [
        Figure("after the warm-up", 60 * hours, "min"),
        Figure("verdicts at an independent counter", plant.counter.verdicts, ""),
        Figure("verdicts per second", rate, "/s", "", f"{plant.offered_per_s:g} offered"),
        Figure("seq missing or twice at the counter", plant.counter.wrong, "", "== 0"),
        Figure("verdicts not at our consumer", plant.unheard, "", "== 0"),
        Figure("box, memory at the end", late[-1].box_mib, "MiB", "", "without files, captures"),
        Figure("box, memory's growth", box.per_hour, "MiB/h", "", _interval(box)),
        Figure("its growth, lower end", box.low, "MiB/h", f"<= {FLAT_PER_HOUR}", "flat"),
        Figure("its growth, upper end", box.high, "MiB/h", f"<= {CERTAIN_PER_HOUR}", "surely"),
        Figure("2 captures, memory at the end", late[-1].captures_mib, "MiB"),
        Figure("2 captures, memory's growth", captures.per_hour, "MiB/h", "", _interval(captures)),
        Figure("their growth, lower end", captures.low, "MiB/h", f"<= {FLAT_PER_HOUR}", "flat"),
        Figure("consumer, memory's growth", consumer.per_hour, "MiB/h", "", _interval(consumer)),
        Figure("handles, most less fewest", max(handles) - min(handles), "", "<= 10"),
        Figure("handles, growth", _grown(handles), "", "<= 2", "last third less first, medians"),
        Figure("threads, growth", _grown(threads), "", "<= 0", f"{threads[-1]} at the end"),
        Figure("restarts of a capture", plant.restarts, "", "== 0"),
        Figure("samples kept", plant.kept, "", "", f"{plant.kept_mib:.0f} MiB, quota 64"),
        Figure("exit code of the box", plant.exit_code, "", "== 0"),
    ]


def _series(samples: list[Sample], name: str):
    return [one.at_s for one in samples], [getattr(one, name) for one in samples]


def _interval(found) -> str:
    return f"95 % interval {found.low:.2f} to {found.high:.2f}"


def _grown(values: list[int]) -> float:
    third = max(1, len(values) // 3)
    return float(_median(values[-third:]) - _median(values[:third]))


def _median(values: list[int]) -> float:
    ordered = sorted(values)
    return (ordered[len(ordered) // 2] + ordered[(len(ordered) - 1) // 2]) / 2


def write(samples: list[Sample], folder: Path = FOLDER) -> None:
    """soak.csv and soak.png."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "soak.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(Sample._fields)
        rows.writerows(samples)
    figure, axes = plt.subplots(5, 1, sharex=True, figsize=(9, 11), layout="constrained")
    minutes = [one.at_s / 60 for one in samples]
    names = ("box_mib", "captures_mib", "consumer_mib", "handles", "verdicts")
    for axis, name in zip(axes, names, strict=True):
        axis.plot(minutes, [getattr(one, name) for one in samples], linewidth=1)
        axis.axvspan(0, WARM_UP * minutes[-1], alpha=0.1)
        axis.set_ylabel(name.replace("_mib", ", MiB"))
        axis.grid(visible=True, alpha=0.3)
    axes[-1].set_xlabel("minutes (shaded: warm-up)")
    figure.savefig(folder / "soak.png", dpi=110)
    plt.close(figure)


def main() -> None:
    """Run it and say so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            plant = run(asked.minutes, asked.seed, Path(folder), Progress(), samples)
        finally:
            if samples:
                write(samples)
        found = figures(plant, samples)
    print(table(found))
    print(f"written to {save('soak', found, seed=asked.seed)}, soak.csv and soak.png")
    sys.exit(any(figure.holds is False for figure in found))


if __name__ == "__main__":
    main()
