"""Plants known faults in a copy of a data set, so that a check can be held to them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SUFFIXES = {".jpg", ".png"}


@dataclass(frozen=True)
class Planted:
    """One fault: its kind, the paths any of which would show it, and findings that may name it."""

    kind: str
    paths: tuple[str, ...]
    by: frozenset[str]


class Garden:
    """A copy of class folders in which faults are planted, each on pictures of its own."""

    def __init__(self, source: Path, root: Path, seed: int) -> None:
        self.root, self.rng, self.used = root, np.random.default_rng(seed), set()
        self.planted: list[Planted] = []
        for folder in sorted(source.iterdir()):
            if folder.is_dir() and folder.name != "masks":
                shutil.copytree(folder, root / folder.name)

    def plant_all(self) -> list[Planted]:
        """Fifteen faults."""
        self.betrayed("uneven")
        for _ in range(3):
            self.wrong_label()
        for _ in range(3):
            self.copy_across_classes()
        for share in (0.4, 0.8):
            self.truncated(share)
        self.cmyk()
        self.renamed_text()
        self.empty()
        self.deep()
        self.transparent()
        self.turned()
        self.stray_tiff()
        return self.planted

    def classes(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir() if path.is_dir())

    def pick(self, label: str | None = None, *, jpeg: bool = False) -> Path:
        """An untouched picture, drawn from every class alike."""
        label = label or str(self.rng.choice(self.classes()))
        found = [
            path
            for path in sorted((self.root / label).iterdir())
            if path not in self.used and (not jpeg or path.suffix == ".jpg")
        ]
        if not found:
            return self.pick(jpeg=jpeg)
        path = found[int(self.rng.integers(len(found)))]
        self.used.add(path)
        return path

    def note(self, kind: str, *paths: Path, by: set[str]) -> None:
        names = tuple(path.relative_to(self.root).as_posix() for path in paths)
        self.planted.append(Planted(kind, names, frozenset(by)))
        self.used |= set(paths)

    def other(self, path: Path) -> str:
        return str(self.rng.choice([name for name in self.classes() if name != path.parent.name]))

    def betrayed(self, label: str) -> None:
        """A whole class saved as PNG."""
        changed = []
        for path in sorted((self.root / label).glob("*.jpg")):
            cv2.imwrite(str(path.with_suffix(".png")), cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
            path.unlink()
            changed.append(path.with_suffix(".png"))
        before = set(self.used)
        self.note("class given away by file format", *changed, by={"betrayed_by_encoding"})
        self.used = before

    def wrong_label(self) -> None:
        path = self.pick(jpeg=True)  # a PNG elsewhere would be told by its format
        target = self.root / self.other(path) / path.name
        shutil.move(path, target)
        self.note(f"wrong label, was {path.parent.name}", target, by={"doubtful_labels"})

    def copy_across_classes(self) -> None:
        path = self.pick(jpeg=True)
        target = self.root / self.other(path) / f"copy_of_{path.name}"
        shutil.copy(path, target)
        self.note("duplicate across classes", path, target, by={"twins_across_classes"})

    def truncated(self, share: float) -> None:
        path = self.pick(jpeg=True)
        data = path.read_bytes()
        path.write_bytes(data[: int(share * len(data))])
        self.note("truncated file", path, by={"unreadable"})

    def cmyk(self) -> None:
        path = self.pick(jpeg=True)
        with Image.open(path) as image:
            image.convert("CMYK").save(path, quality=95)
        self.note("CMYK JPEG", path, by={"cmyk"})

    def renamed_text(self) -> None:
        path = self.root / str(self.rng.choice(self.classes())) / "exp1_num_999999.jpg"
        path.write_text("measured on Tuesday\n")
        self.note("text renamed to .jpg", path, by={"unreadable"})

    def empty(self) -> None:
        path = self.pick(jpeg=True)
        path.write_bytes(b"")
        self.note("zero bytes", path, by={"unreadable"})

    def deep(self) -> None:
        path = self.pick(jpeg=True)
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.uint16) * 257
        path.unlink()
        cv2.imwrite(str(path.with_suffix(".png")), grey)
        self.note("16 bits", path.with_suffix(".png"), by={"unsuited"})

    def transparent(self) -> None:
        path = self.pick(jpeg=True)
        picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2BGRA)
        path.unlink()
        cv2.imwrite(str(path.with_suffix(".png")), picture)
        self.note("alpha channel", path.with_suffix(".png"), by={"unsuited"})

    def turned(self) -> None:
        path = self.pick(jpeg=True)
        with Image.open(path) as image:
            exif = image.getexif()
            exif[0x0112] = 6
            image.save(path, exif=exif, quality=95)
        self.note("turned by EXIF", path, by={"turned"})

    def stray_tiff(self) -> None:
        path = self.pick(jpeg=True)
        with Image.open(path) as image:
            image.save(path.with_suffix(".tif"))
        path.unlink()
        self.note("a type that isn't read", path.with_suffix(".tif"), by={"foreign"})


def found(planted: list[Planted], findings, most_doubts: int = 20) -> list[Planted]:
    """The faults that a finding of the right kind names; of doubtful labels the first count."""
    named: dict[str, set[str]] = {}
    for one in findings:
        cases = one.cases[:most_doubts] if one.kind == "doubtful_labels" else one.cases
        named.setdefault(one.kind, set()).update(path for case in cases for path in case.paths)
    return [
        fault
        for fault in planted
        if any(set(fault.paths) & named.get(kind, set()) for kind in fault.by)
    ]
