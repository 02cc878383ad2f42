"""What became of hostile inputs: counts, extremes, and a copy of whatever broke something."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.fuzz.ward import CRASHED, HUNG, Meal


class Tally:
    """Of one subject; what breaks it is kept below `keep`, to be fed again."""

    def __init__(self, subject: str, keep: Path) -> None:
        self.meals: list[tuple[str, Meal]] = []
        self._subject, self._keep = subject, keep

    def note(
        self, kind: str, meal: Meal, broke: bool, files: Callable[[], Mapping[str, bytes]]
    ) -> None:
        """Count a meal; keep `files` if it broke something."""
        self.meals.append((kind, meal))
        if broke or meal.how in {CRASHED, HUNG}:
            folder = self._keep / self._subject / f"{len(self.meals) - 1:06}"
            for name, body in files().items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(body)
            why = f"{kind}\n{meal.how}\n{meal.cpu_s} s\n{meal.grown_bytes} bytes\n{meal.detail}\n"
            (folder / "why.txt").write_text(why)

    def count(self, how: str) -> int:
        """Inputs of which that became."""
        return sum(meal.how == how for _, meal in self.meals)

    @property
    def hangs(self) -> int:
        """Inputs after which the child had to be killed."""
        return self.count(HUNG)

    def over(self, cpu_s: float) -> int:
        """Inputs that took more processor time."""
        return sum(meal.cpu_s > cpu_s for _, meal in self.meals)

    def hungrier(self, grown_bytes: int) -> int:
        """Inputs for which memory grew by more."""
        return sum(meal.grown_bytes > grown_bytes for _, meal in self.meals)

    @property
    def slowest(self) -> float:
        """Seconds of processor time of the slowest."""
        return max((meal.cpu_s for _, meal in self.meals), default=0.0)

    @property
    def slowest_kind(self) -> str:
        """What that was."""
        return max(self.meals, key=lambda one: one[1].cpu_s, default=("", None))[0]

    @property
    def most_bytes(self) -> int:
        """By how much memory grew at most."""
        return max((meal.grown_bytes for _, meal in self.meals), default=0)

    @property
    def hungriest_kind(self) -> str:
        """With what."""
        return max(self.meals, key=lambda one: one[1].grown_bytes, default=("", None))[0]
