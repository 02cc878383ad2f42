"""Where pictures came from and who labelled them, as far as a data set's folder knows it."""

from collections import defaultdict
from pathlib import Path

from export.sample_folder import RECORDS, SampleFolder
from trainer.exchange.folder import collect

UNKNOWN = "nobody on record"


def origins_and_labels(root: Path) -> tuple[list[str], list[str]]:
    """For each picture that is known of: where it came from, and who gave the label that stands.

    Raises:
        DatasetError: the folder is no data set.
    """
    known = [one for one in collect(root) if one.said]
    labelled = [one.said[-1].by or UNKNOWN for one in known]
    origins: list[str] = []
    if (root / RECORDS).is_dir():
        kept: dict[str, str] = defaultdict(str)
        samples = SampleFolder(root)
        for sample in samples:
            bundle = sample.verdict.bundle
            judged = f", judged by {bundle.name} {bundle.version}" if bundle else ""
            kept[sample.id] = f"camera {sample.verdict.camera}{judged}"
        origins = list(kept.values())
    return origins, labelled
