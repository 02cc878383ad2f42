"""trainer/doctor: every planted fault is named, nothing is touched, and sound data are let be."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.trainer.doctor.planting import Garden, found
from trainer.doctor.diagnosis import diagnose
from trainer.doctor.finding import Finding, Grade, Harm, in_order
from trainer.doctor.page import lines, page, pieces, steps
from trainer.parts import PartRule
from trainer.progress import Progress


def snapshot(root):
    """Every file with its bytes and its time."""
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in root.rglob("*") if p.is_file()}


def test_sound_pictures_are_let_be(plates, kinds):
    """Of plates that differ in nothing but their defects there is nothing to mend or look at."""
    assert {one.grade for one in kinds(plates).values()} == {Grade.NOTE}


def test_unreadable_and_odd_files_are_told_apart(plates, kinds):
    """Cut off, empty and renamed files may be moved; what only needs saving anew never is."""
    cut = plates / "good" / "cut.jpg"
    cv2.imwrite(str(cut), cv2.imread(str(plates / "good" / "a.png")))
    cut.write_bytes(cut.read_bytes()[:900])
    (plates / "good" / "empty.png").touch()
    (plates / "spot" / "notes.jpg").write_text("hello")
    (plates / "spot" / "frame.tif").write_bytes(b"II*\0")
    cv2.imwrite(str(plates / "spot" / "deep.png"), np.full((90, 90), 40000, np.uint16))
    cv2.imwrite(str(plates / "spot" / "clear.png"), np.full((90, 90, 4), 99, np.uint8))
    told = kinds(plates)
    assert set(told["unreadable"].moves) == {"good/cut.jpg", "good/empty.png", "spot/notes.jpg"}
    assert {case.paths[0] for case in told["unsuited"].cases} == {
        "spot/deep.png",
        "spot/clear.png",
    }
    assert told["foreign"].cases[0].paths == ("spot/frame.tif",)
    assert not told["unsuited"].moves
    assert not told["foreign"].moves


def test_printing_colours_turned_frames_and_wrong_names(plates, kinds):
    """CMYK, an EXIF turn, an animation and a PNG called .jpg are named."""
    with Image.open(plates / "good" / "a.png") as image:
        image.convert("CMYK").save(plates / "good" / "cmyk.jpg")
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(plates / "good" / "turned.jpg", exif=exif)
        image.save(plates / "good" / "moving.png", save_all=True, append_images=[image.rotate(90)])
    (plates / "spot" / "a.png").rename(plates / "spot" / "a.jpg")
    told = kinds(plates)
    assert told["cmyk"].cases[0].paths == ("good/cmyk.jpg",)
    assert told["turned"].cases[0].paths == ("good/turned.jpg",)
    assert told["animated"].cases[0].paths == ("good/moving.png",)
    assert told["misnamed"].cases[0].paths == ("spot/a.jpg",)


def test_an_empty_class_and_no_good_class_are_findings(plates, kinds):
    """What training refuses to open, the doctor still looks at."""
    (plates / "dent").mkdir()
    (plates / "good").rename(plates / "intact")
    told = kinds(plates)
    assert told["strays"].grade == Grade.SERIOUS
    assert told["no_good_class"].grade == Grade.SERIOUS
    assert "--task types" in told["no_good_class"].remedy
    assert "no_good_class" not in kinds(plates, good="intact")


def test_copies_are_told_by_what_they_would_do(plates, kinds):
    """Byte for byte: across classes, across a given split, and within a class."""
    shutil.copy(plates / "good" / "a.png", plates / "spot" / "copy.png")
    shutil.copy(plates / "good" / "b.png", plates / "good" / "copy.png")
    told = kinds(plates)
    assert set(told["twins_across_classes"].moves) == {"good/a.png", "spot/copy.png"}
    assert told["twins"].moves == ("good/copy.png",)
    halves = plates.with_name("halves")
    shutil.copytree(plates, halves / "train")
    shutil.copytree(plates, halves / "test", ignore=lambda *_: ["copy.png"])
    told = kinds(halves)
    assert told["twins_across_splits"].grade == Grade.SERIOUS
    assert all(path.startswith("train/") for path in told["twins_across_splits"].moves)


def test_near_copies_are_seen_through_another_encoder(plates, kinds):
    """A picture saved again as JPEG is the same to the eye, in whichever class."""
    for name, label in (("a", "spot"), ("b", "good")):
        picture = cv2.imread(str(plates / "good" / f"{name}.png"))
        again = [cv2.IMWRITE_JPEG_QUALITY, 70]
        cv2.imwrite(str(plates / label / f"again_{name}.jpg"), picture, again)
    told = kinds(plates)
    assert told["near_twins_across_classes"].cases[0].paths == ("good/a.png", "spot/again_a.jpg")
    assert told["near_twins"].cases[0].paths == ("good/again_b.jpg", "good/b.png")


def test_a_class_given_away_by_its_encoder(plates, kinds):
    """One class saved by another program is serious, and told with accuracy, AUROC and p."""
    for path in list((plates / "spot").iterdir()):
        cv2.imwrite(str(path.with_suffix(".jpg")), cv2.imread(str(path)))
        path.unlink()
    one = kinds(plates)["betrayed_by_encoding"]
    assert one.grade == Grade.SERIOUS
    assert "p = 0.001" in one.effect
    assert "AUROC" in one.effect
    assert "24 of 24 such pictures are spot" in one.title


def test_a_class_given_away_by_size_and_border(plates, kinds):
    """Another frame size, and another light at the border, are told with their tests."""
    for path in (plates / "spot").iterdir():
        picture = cv2.imread(str(path))
        picture[:12] = picture[-12:] = 30
        cv2.imwrite(str(path), cv2.resize(picture, (170, 120)))
    told = kinds(plates)
    assert "p = 0.001" in told["betrayed_by_size"].effect
    assert "p = 0.001" in told["betrayed_by_border"].effect


def test_outliers_are_named_one_by_one(plates, kinds):
    """A blurred, a dark, a blank and an oddly shaped picture are each found, and only they."""
    read = lambda name: cv2.imread(str(plates / "good" / f"{name}.png"))  # noqa: E731
    for name, picture in {
        "blur": cv2.GaussianBlur(read("a"), (0, 0), 4),
        "dark": (read("b") * 0.2).astype(np.uint8),
        "none": np.full((120, 160, 3), 128, np.uint8),
        "wide": cv2.resize(read("c"), (480, 100)),
    }.items():
        cv2.imwrite(str(plates / "good" / f"{name}.png"), picture)
    told = kinds(plates)
    assert "good/blur.png" in {case.paths[0] for case in told["blurred"].cases}
    assert {case.paths[0] for case in told["exposed"].cases} == {"good/dark.png"}
    assert {case.paths[0] for case in told["blank"].cases} == {"good/none.png"}
    assert {case.paths[0] for case in told["shaped"].cases} == {"good/wide.png"}


def test_neighbours_in_numbering_are_told_from_chance(plates, kinds):
    """Frames of one part under neighbouring numbers are found, with the option that keeps them."""
    for label in ("good", "scratch", "spot"):
        for number, path in enumerate(sorted((plates / label).iterdir())):
            picture = cv2.imread(str(path))
            for shot in range(3):
                turned = np.clip(picture.astype(int) + 9 * shot, 0, 255).astype(np.uint8)
                turned = np.roll(turned, 6 * shot, 1)
                cv2.imwrite(str(path.with_name(f"n{1000 * number + 2 * shot}.png")), turned)
            path.unlink()
    one = kinds(plates)["neighbours"]
    assert one.grade == Grade.SERIOUS
    assert "--part-runs" in one.remedy
    assert "neighbours" not in kinds(plates, PartRule(runs=10))


def test_a_part_on_both_sides_of_a_split(plates, kinds):
    """With a rule for parts, a part that is learnt and examined is serious."""
    halves = plates.with_name("halves")
    for path in plates.rglob("*.png"):
        label, at = path.parent.name, ord(path.stem) - ord("a")
        half, part = ("train", at) if at < 12 else ("test", at - 11)  # part 1 to 11 in both
        (halves / half / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, halves / half / label / f"{label}{part}-{path.name}")
    one = kinds(halves, PartRule(regex=r"/([a-z]+[0-9]+)-"))["part_across_splits"]
    assert len(one.cases) == 3 * 11
    assert "part spot11" in {case.remark for case in one.cases}


def test_unreadable_files_are_findings_whatever_they_are_called(plates, kinds):
    """A proposed rule, one that was asked for and parts.csv name the parts of what can be read."""
    for label in ("good", "scratch", "spot"):
        for number, path in enumerate(sorted((plates / label).iterdir())):
            for shot in range(3):
                turned = np.roll(cv2.imread(str(path)), 6 * shot, 1)
                cv2.imwrite(str(path.with_name(f"n{1000 * number + 2 * shot}.png")), turned)
            path.unlink()
    (plates / "spot" / "notes.jpg").write_text("hello")
    (plates / "good" / "zero.jpg").touch()
    assert "--part-runs" in kinds(plates)["neighbours"].remedy
    for path in plates.glob("*/n????*.png"):
        path.unlink()
    named = [path.relative_to(plates).as_posix() for path in sorted(plates.rglob("*.png"))]
    for rule in (PartRule(runs=10), PartRule(regex=r"/n(\d+)")):
        assert len(kinds(plates, rule)["unreadable"].cases) == 2
    rows = [f"{path},{number}" for number, path in enumerate([*named, "spot/notes.jpg"])]
    (plates / "parts.csv").write_text("\n".join(["path,part", *rows, "good/zero.jpg,x"]))
    told = kinds(plates)
    assert len(told["unreadable"].cases) == 2
    assert "part_table" not in told


def test_a_table_of_parts_that_does_not_fit_is_a_finding(plates, kinds):
    """Lines without a picture, pictures without a line and a table that can't be read are named."""
    named = [path.relative_to(plates).as_posix() for path in sorted(plates.rglob("*.png"))]
    rows = [f"{path},{number}" for number, path in enumerate(named[1:])]
    (plates / "parts.csv").write_text("\n".join(["path,part", *rows, "good/gone.png,x"]))
    told = kinds(plates)["part_table"]
    assert told.grade == Grade.SERIOUS
    assert [case.paths[0] for case in told.cases] == [named[0], "good/gone.png"]
    for text in (b"file,part\n", b"path,part\n\xff,1\n"):
        (plates / "parts.csv").write_bytes(text)
        assert "parts.csv" in kinds(plates)["part_table"].remedy


def test_masks_without_a_picture_and_on_good_parts(plates, kinds):
    """A mask that lost its picture is serious; one on a good part wants a look."""
    (plates / "masks" / "good").mkdir(parents=True)
    cv2.imwrite(str(plates / "masks" / "good" / "a.png"), np.full((120, 160), 255, np.uint8))
    assert kinds(plates)["masks_on_good"].cases[0].paths == ("good/a.png",)
    cv2.imwrite(str(plates / "masks" / "good" / "gone.png"), np.full((120, 160), 255, np.uint8))
    assert kinds(plates)["lost_masks"].grade == Grade.SERIOUS


def test_findings_stand_in_order_of_harm():
    """Serious comes before the rest, and then what harms the model most."""

    def one(kind, grade, harm):
        return Finding(kind, grade, harm, "t", "e", "r")

    given = [
        one("note", Grade.NOTE, Harm.REFUSED),
        one("taught", Grade.SERIOUS, Harm.MISTAUGHT),
        one("refused", Grade.SERIOUS, Harm.REFUSED),
    ]
    assert [f.kind for f in in_order(given)] == ["refused", "taught", "note"]
    with pytest.raises(ValueError, match="what to do"):
        Finding("mute", Grade.NOTE, Harm.NONE, "t", "e", "")


def test_captions_break_at_joints_and_options_nowhere():
    """A suffix and a command-line option are never torn; nothing of the text is lost."""
    for path in ("good/exp5_num_964.jpg", "a" * 40 + ".jpeg", "crack/no suffix", ".x/-.png"):
        cut, end = steps(path)
        assert "".join(cut) + end == path
        assert len(end) <= 18
    assert steps("good/exp5_num_964.jpg") == (["good/", "exp5_", "num_"], "964.jpg")
    assert pieces("see --no-near-duplicates, -- or --apply.")[1::2] == [
        "--no-near-duplicates",
        "--apply",
    ]


def test_the_page_needs_nothing_else(plates):
    """The page names every finding, shows pictures, asks no network, and survives odd names."""
    shutil.copy(plates / "good" / "a.png", plates / "spot" / "<b>\n&.png")
    diagnosis = diagnose(plates, None, PartRule(), Progress(None), ask_labels=False)
    html = page(diagnosis)
    assert all(str(len(f.cases)) for f in diagnosis.findings)
    assert "data:image/jpeg;base64," in html
    assert "http" not in html
    assert "<b>\n&.png" not in html
    assert json.loads(json.dumps(diagnosis.record()))["serious"] == diagnosis.serious == 1
    assert lines(diagnosis)[0].startswith("Don't train on these 73 pictures yet")


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_planted_faults_in_magnetic_tiles(tmp_path, real_data, seed):
    """Of fifteen faults at least thirteen are named (labels among the first 20), none touched."""
    garden = Garden(real_data / "magnetic_tile", tmp_path, seed)
    planted = garden.plant_all()
    before = snapshot(tmp_path)
    diagnosis = diagnose(tmp_path, None, PartRule(), Progress(None))
    missed = [fault for fault in planted if fault not in found(planted, diagnosis.findings)]
    assert len(planted) == 15
    assert len(missed) <= 2, missed
    assert snapshot(tmp_path) == before
    assert diagnosis.serious


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_traps_of_x_sdd(real_data, kinds):
    """What its README warns of is found: PNG is one class; nine pairs in red_iron are copies."""
    told = kinds(real_data / "x_sdd")
    assert "PNG: 142 of 142 such pictures are finishing_roll" in told["betrayed_by_encoding"].title
    pairs = told["twins"].cases
    assert len(pairs) == 9
    assert {Path(path).parent.name for case in pairs for path in case.paths} == {"red_iron"}
    assert ("red_iron/2079.jpg", "red_iron/2083.jpg") in {case.paths for case in pairs}
