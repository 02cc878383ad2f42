"""Masks that belong to no picture, and masks that mark a defect on a good part."""

from pathlib import Path

from export.errors import DatasetError
from trainer import masks
from trainer.dataset import Dataset, counted, walk
from trainer.doctor.finding import Case, Finding, Grade, Harm
from trainer.doctor.subject import Subject
from trainer.run import GOOD


def marks(subject: Subject) -> list[Finding]:
    """Findings about masks by their names; their pixels are read in training, not here."""
    classes = (GOOD, *sorted({p.label for p in subject.pictures} - {GOOD}))
    dataset = Dataset(subject.root, "classes", classes, subject.pictures)
    try:
        found = masks.find(dataset)
    except DatasetError as error:
        return [
            Finding(
                kind="lost_masks",
                grade=Grade.SERIOUS,
                harm=Harm.REFUSED,
                title=error.problem,
                effect="Training refuses: a mask without its picture often means that the picture "
                "was moved to another class or renamed.",
                remedy=error.remedy,
            )
        ]
    label = {one.path: one.label for one in subject.pictures}
    odd = [path for path in found if label[path] == GOOD]
    if not odd:
        return []
    return [
        Finding(
            kind="masks_on_good",
            grade=Grade.LOOK,
            harm=Harm.MISTAUGHT,
            title=f"{counted(len(odd), 'good picture')} with a mask",
            effect="If the mask marks anything, training refuses: a good part shows no defect.",
            remedy="Move the picture to the class of its defect, or remove the mask.",
            cases=tuple(Case((path,)) for path in odd),
        )
    ]


def masks_of(root: Path) -> dict[str, Path]:
    """The masks by their picture's path, as far as they can be told."""
    pictures = tuple(walk(root).pictures)
    return masks.match(Dataset(root, "classes", (), pictures))[0]
