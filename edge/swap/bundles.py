"""The bundles of a running box: shelf, exchange, shadow and control socket, put together."""

from collections.abc import Callable, Mapping
from pathlib import Path

from edge.alarm import Alarms
from edge.config import Appliance
from edge.flagged.recent import Judged
from edge.inspection.inspector import Inspector
from edge.swap.control import Control
from edge.swap.desk import words
from edge.swap.exchange import Exchange, Seat
from edge.swap.probation import Terms
from edge.swap.sequential import Rule
from edge.swap.shadow import Shadow
from edge.swap.standing import Standing, shelf
from export.sample_folder import SampleFolder
from export.signature import load_public
from export.verdict import Verdict


class Bundles:
    """What the daemon holds.

    Args:
        appliance: the settings.
        inspectors: who judges, by camera.
        begun: what each camera began with; those of the settings if left out.
        arm: makes (camera, bundle's folder) an inspector.
        install: makes an inspector the judge of a camera's next parts.
        alarms: the box's book.
        busy: whether a part waits on the bench.
        disagreed: told of a part on which champion and challenger disagree.
        terms: of probation.

    Raises:
        StoreError: the control socket can't be made.
    """

    def __init__(
        self,
        appliance: Appliance,
        inspectors: Mapping[str, Inspector],
        begun: Mapping[str, Standing],
        *,
        arm: Callable[[str, Path], Inspector],
        install: Callable[[str, Inspector], None],
        alarms: Alarms,
        busy: Callable[[], bool] = lambda: False,
        disagreed: Callable[[Judged], None] = lambda _: None,
        terms: Terms | None = None,
    ) -> None:
        kept = shelf(appliance)
        keys = [load_public(path) for path in appliance.trust.keys]
        self.exchange = Exchange(kept, keys, arm, install, alarms, terms=terms)
        for name, camera in appliance.cameras.items():
            seat = Seat(camera.bundle, camera.deadline_ms, inspectors[name])
            self.exchange.seat(name, seat, begun.get(name, Standing(camera.bundle)))
        rule = Rule(**appliance.shadow.model_dump())
        samples = appliance.samples
        self.shadow = Shadow(
            kept, self.exchange, rule, arm=arm, busy=busy, disagreed=disagreed,
            samples=SampleFolder(samples.folder) if samples.keep_gb else None,
        )  # fmt: skip
        self._control = Control(appliance.store.folder, words(self.exchange, kept, self.shadow))

    def start(self) -> None:
        """Start watching those on probation, judging in the shadow, and answering."""
        self.exchange.start()
        self.shadow.start()
        self._control.start()

    def stop(self) -> None:
        """Stop all; probation and shadow go on at the next start."""
        self._control.stop()
        self.shadow.stop()
        self.exchange.stop()

    def judged(self, verdict: Verdict) -> None:
        """A verdict was given; quick."""
        self.exchange.judged(verdict)
