"""`make bench`: measures, prints the table, writes results/bench.json."""

import tempfile
from pathlib import Path

from benchmarks import checking, learning, program, sidelights, verdicts
from export.figures import save, table


def main() -> None:
    """Run every measurement, one after the other."""
    measured = []
    for measurement in (verdicts, sidelights, program, learning, checking):
        print(f"measuring {measurement.__name__} …", flush=True)
        with tempfile.TemporaryDirectory(prefix="linewarden-bench-") as folder:
            measured += measurement.measure(Path(folder))
    print(f"\n{table(measured)}\n\n{save('bench', measured, seed=1)}")
    if slipped := [figure.name for figure in measured if figure.holds is False]:
        raise SystemExit(f"bench: a target slipped: {', '.join(slipped)}")


if __name__ == "__main__":
    main()
