"""trainer/contest: data grows without moving what was settled; a challenger must prove itself."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from export import picture
from export.errors import DatasetError, LinewardenError, RunError
from export.preprocess import Input, Region
from export.sample import Image, Label, Sample, Why, Window, sample_id
from export.sample_folder import SampleFolder
from tests.edge.verdicts import verdict
from trainer import settled
from trainer.answers import answers
from trainer.calibrate import Budgets
from trainer.cli.export import export
from trainer.cli.retrain import retrain as command
from trainer.contest.changes import found, shown
from trainer.contest.grown import grow, shifted
from trainer.contest.judging import Error, Sight, paired
from trainer.contest.record import FILE, PAGE, read
from trainer.contest.retrain import retrain
from trainer.contest.ruling import Terms, rule
from trainer.history import digest_of
from trainer.material import Choices, gather
from trainer.progress import Progress
from trainer.recipe import named
from trainer.run import Run, SplitRow, write_csv
from trainer.split import Sample as Dealt
from trainer.split import deal
from trainer.teaching import Plan
from trainer.training import train

QUIET = Progress(None)
STATION = "acme/plant1"
WIDE = {Error.ESCAPE: 0.9, Error.OVERKILL: 0.9, Error.STOP: 0.9}


@pytest.fixture(scope="module", autouse=True)
def _few_threads():
    torch.set_num_threads(2)


def plate(rng, kind="good"):
    """An 80x96 plate; `spot` is dark, `ring` bright."""
    pixels = rng.integers(150, 190, (80, 96, 3), dtype=np.uint8)
    x, y = int(rng.integers(25, 70)), int(rng.integers(25, 55))
    if kind == "spot":
        cv2.circle(pixels, (x, y), 11, (10, 10, 10), -1)
    if kind == "ring":
        cv2.circle(pixels, (x, y), 14, (255, 255, 0), 4)
    return pixels


def draw(folder, count, seed=0, kinds=("good", "spot")):
    """A data set of plates."""
    rng = np.random.default_rng(seed)
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            picture.write(folder / kind / f"{seed}-{number:03}.png", plate(rng, kind))


@pytest.fixture(scope="module")
def champion(tmp_path_factory):
    """Trained on 48 plates, half of them with a spot."""
    home = tmp_path_factory.mktemp("champion")
    draw(home / "photos", 24)
    plan = Plan(
        data=home / "photos", arch="resnet18", weights="starter", seed=3, to=Input(64, 64),
        recipe=named("tune").model_copy(update={"epochs": 0, "bf16": False, "views": 1}),
        budgets=Budgets(novel=0.0), choices=Choices(),
    )  # fmt: skip
    return train(plan, home / "first", QUIET)


class Line:
    """A folder of samples as `linewarden collect` leaves it."""

    def __init__(self, folder):
        self.folder, self.seq = SampleFolder(folder), 0
        self.folder.make()
        (folder / ".collected.json").write_text(json.dumps({"station": STATION}))
        self.rng = np.random.default_rng(9)

    def add(self, kind, label=None, part="", region=None, pixels=None):
        """One more, labelled."""
        self.seq += 1
        told = verdict(1, self.seq, "top", part=part or f"top-1-{self.seq}")
        body = cv2.imencode(".png", plate(self.rng, kind) if pixels is None else pixels)[1]
        body = body.tobytes()
        self.folder.add(
            Sample(id=sample_id(*told.key), kept_at="-", why=(Why.FAIL,), verdict=told,
                   region=region,
                   image=Image(suffix="png", sha256=hashlib.sha256(body).hexdigest(),
                               bytes=len(body), width=96, height=80),
                   labels=(Label(label=label or kind, by="Bo", at="-"),)), body)  # fmt: skip


def table(root, name):
    """A CSV as {path: the other column}."""
    with (root / name).open(newline="") as file:
        return {row[0]: row[1] for row in list(csv.reader(file))[1:]}


def test_what_was_settled_stays_and_new_parts_do_not_straddle(champion, tmp_path):
    """Old pictures keep their split; the frames of a new part go to one; the deal is the same."""
    line = Line(tmp_path / "line")
    for number in range(12):
        for _ in range(3):
            line.add("spot" if number % 2 else "good", part=f"serial {number}")
    deals = []
    for name in ("a", "b"):
        growth = grow(champion, _photos(champion), [line.folder.root], tmp_path / name)
        assert growth.added == {"good": 18, "spot": 18}
        stays, parts = settled.read(growth.root), table(growth.root, "parts.csv")
        before = {row.path: row.split for row in champion.split()}
        assert stays == before
        samples = [Dealt(parts[p], p.split("/")[0], settled=stays.get(p)) for p in sorted(parts)]
        dealt = dict(zip(sorted(parts), deal(samples, 3), strict=True))
        assert all(dealt[path] == split for path, split in before.items())
        where = {}
        for path, split in dealt.items():
            assert where.setdefault(parts[path], split) == split
        new = {dealt[path] for path in parts if path not in before}
        assert "test" in new
        deals.append(dealt)
    assert deals[0] == deals[1]


def test_a_teacher_that_proves_to_be_of_the_test_is_left_out(tmp_path):
    """A table comes that names two settled parts as one: the test stays, the lesson goes."""
    draw(tmp_path / "data", 8)
    choices, to = Choices(), Input(32, 32)
    first = gather(tmp_path / "data", choices, to, 0, QUIET)
    splits = dict(zip(first.album.paths, first.splits, strict=True))
    settled.write(tmp_path / "data", splits)
    taught, examined = (
        next(p for p, s in splits.items() if s == split and p.startswith("spot"))
        for split in ("train", "test")
    )
    rows = [[path, "same" if path in (taught, examined) else path] for path in splits]
    write_csv(tmp_path / "data" / "parts.csv", ["path", "part"], rows)
    again = gather(tmp_path / "data", choices, to, 0, QUIET)
    assert set(splits) - set(again.album.paths) == {taught}
    assert dict(zip(again.album.paths, again.splits, strict=True)) == {
        path: split for path, split in splits.items() if path != taught
    }
    assert f"1 pictures left out that show parts of the test: '{taught}'" in again.dataset.notes


def _photos(run):
    """Where its pictures lie."""
    return Path(run.record.data.root)


def test_a_new_picture_of_a_frozen_part_goes_into_the_test():
    """Whatever the deal would like."""
    samples = [Dealt(f"p{n}", "good" if n % 2 else "dent") for n in range(40)]
    splits = deal(samples, 1)
    kept = [Dealt(s.part, s.label, settled=split) for s, split in zip(samples, splits, strict=True)]
    again = [Dealt(s.part, s.label) for s in samples]
    dealt = deal([*kept, *again], 5)
    assert dealt[:40] == splits
    assert dealt[40:] == splits


def test_a_picture_is_added_once(champion, tmp_path):
    """What the run has, and what is added twice, is known; one picture of two classes is not."""
    line = Line(tmp_path / "line")
    line.add("ring")
    line.add("ring")
    shutil.copytree(_photos(champion) / "good", tmp_path / "old" / "good")
    adds = [line.folder.root, line.folder.root, tmp_path / "old"]
    growth = grow(champion, _photos(champion), adds, tmp_path / "grown")
    assert growth.added == {"ring": 2}
    assert growth.known == 2 + 24
    with pytest.raises(DatasetError, match="there already"):
        grow(champion, _photos(champion), [tmp_path / "old"], tmp_path / "other")
    body = line.folder.picture(next(iter(line.folder))).read_bytes()
    (tmp_path / "wrong" / "good").mkdir(parents=True)
    (tmp_path / "wrong" / "good" / "x.png").write_bytes(body)
    with pytest.raises(DatasetError, match="same picture"):
        grow(champion, _photos(champion), [*adds, tmp_path / "wrong"], tmp_path / "third")


class Speaks(Line):
    """A line of which people say something else in time."""

    def says(self, number, label):
        """A further word on the sample of this number."""
        name = sorted(self.folder.ids())[number]
        self.folder.label(name, Label(label=label, by="Ed", at="-"))


def grown_run(champion, growth):
    """The champion as if it had been trained on the grown data: its split, dealt anew."""
    root, stays = growth.root, settled.read(growth.root)
    parts = table(root, "parts.csv")
    rows = [[p, p.split("/")[0], f"part {parts[p]}", stays.get(p, "test"), digest_of(root / p), ""]
            for p in sorted(parts)]  # fmt: skip
    folder = root.with_name(f"{root.name}.run")
    shutil.copytree(champion.folder, folder)
    write_csv(folder / "split.csv", ["path", "label", "part", "split", "sha256", "phash"], rows)
    (folder / "run.json").write_text(champion.record.model_dump_json())
    return Run.load(folder)


@pytest.mark.parametrize("region", [None, Window(x=0.3, y=0.2, width=0.5, height=0.5)])
def test_the_newest_word_on_what_was_learnt_counts(champion, tmp_path, region):
    """Relabelled in its split, or taken back and left out; also where it had been shifted."""
    line = Speaks(tmp_path / "line")
    to = champion.record.input.model_copy(update={"region": (0.2, 0.2, 0.5, 0.5)})
    champion = Run(champion.folder, champion.record.model_copy(update={"input": to}))
    for _ in range(3):
        line.add("ring", region=region)
    line.add("good")
    second = grown_run(champion, grow(champion, _photos(champion), [line.folder.root],
                                      tmp_path / "a"))  # fmt: skip
    with pytest.raises(DatasetError, match="there already"):
        grow(second, tmp_path / "a", [line.folder.root], tmp_path / "none")
    line.says(0, "spot")
    line.says(1, None)
    growth = grow(second, tmp_path / "a", [line.folder.root], tmp_path / "b")
    assert (growth.corrected, growth.withdrawn, growth.known) == (1, 1, 4)
    names = [name.replace("top-", "") for name in sorted(line.folder.ids())]
    labels = {n: [p.split("/")[0] for p in table(growth.root, "parts.csv") if p.endswith(f"{n}.png")
                  and "top" in p] for n in names}  # fmt: skip
    assert labels == {"1-1": ["spot"], "1-2": [], "1-3": ["ring"], "1-4": ["good"]}
    stays = settled.read(growth.root)
    assert {stays[p] for p in stays if "top" in p} == {"test"}
    assert "1 have another label now, 1 none" in growth.words


def test_a_data_set_that_says_otherwise_than_the_run_is_refused(champion, tmp_path):
    """It is nobody's newer word: a person must decide."""
    (tmp_path / "more" / "spot").mkdir(parents=True)
    source = next((_photos(champion) / "good").iterdir())
    shutil.copyfile(source, tmp_path / "more" / "spot" / source.name)
    with pytest.raises(DatasetError, match="same picture"):
        grow(champion, _photos(champion), [tmp_path / "more"], tmp_path / "grown")


def test_two_pictures_of_one_name_are_both_kept(champion, tmp_path):
    """A box whose record was begun anew: neither takes the other's place, nor its bytes."""
    lines = [Line(tmp_path / name) for name in "ab"]
    lines[1].rng = np.random.default_rng(10)
    for line in lines:
        line.add("ring")
    bodies = {line.folder.picture(next(iter(line.folder))).read_bytes() for line in lines}
    growth = grow(champion, _photos(champion), [line.folder.root for line in lines],
                  tmp_path / "grown")  # fmt: skip
    assert growth.added == {"ring": 2}
    assert {path.read_bytes() for path in (growth.root / "ring").iterdir()} == bodies
    assert {line.folder.picture(next(iter(line.folder))).read_bytes() for line in lines} == bodies
    assert len(bodies) == 2


@pytest.mark.parametrize("spoil", ["picture", "record"])
def test_a_collected_sample_that_was_spoilt_is_not_passed_over(champion, tmp_path, spoil):
    """Another picture under its name, or a record that can't be read: its label would be lost."""
    line = Line(tmp_path / "line")
    line.add("ring")
    line.add("good")
    sample = next(iter(line.folder))
    if spoil == "picture":
        shutil.copyfile(next((_photos(champion) / "good").iterdir()), line.folder.picture(sample))
    else:
        (line.folder.root / ".records" / f"{sample.id}.json").write_text("{")
    with pytest.raises(LinewardenError):
        grow(champion, _photos(champion), [line.folder.root], tmp_path / "grown")
    assert not (tmp_path / "grown").exists()


def test_a_run_of_other_data_is_not_taken_for_the_challenger(champion, tmp_path, monkeypatch):
    """Its data was removed and grown anew with more: what it learnt before is no answer."""
    line = Line(tmp_path / "line")
    line.add("ring")
    growth = grow(champion, _photos(champion), [line.folder.root], tmp_path / "second.data")
    run = grown_run(champion, growth)
    told = run.record.data.model_copy(update={"root": str(growth.root)})
    record = run.record.model_copy(update={"data": told})
    (run.folder / "run.json").write_text(record.model_dump_json())
    run.folder.rename(tmp_path / "second")
    monkeypatch.setattr("trainer.contest.retrain.ruled", lambda *_: "ruled")
    assert retrain(champion, [line.folder.root], tmp_path / "second", QUIET) == "ruled"
    shutil.rmtree(growth.root)
    line.add("ring")
    with pytest.raises(RunError, match="other data"):
        retrain(champion, [line.folder.root], tmp_path / "second", QUIET)


def test_a_changed_picture_is_no_ground_to_compare_on(champion, tmp_path):
    """One of the champion's that was overwritten, or taken away."""
    photos = tmp_path / "photos"
    shutil.copytree(_photos(champion), photos)
    line = Line(tmp_path / "line")
    line.add("ring")
    path = next((photos / "good").iterdir())
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(RunError, match="changed"):
        grow(champion, photos, [line.folder.root], tmp_path / "grown")
    assert not (tmp_path / "grown").exists()


@pytest.mark.parametrize("by", [(0.1, 0.0), (-0.2, 0.05), (0.0, -0.1), (0.15, 0.12)])
def test_a_part_that_moved_is_seen_where_its_judge_saw_it(by):
    """The region of the shifted picture is the moved region of the picture, pixel for pixel."""
    frame = np.random.default_rng(1).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    region = Region(0.25, 0.2, 0.5, 0.5)
    moved = region.moved(*by)
    there = region.cut(shifted(frame, (moved.x - region.x, moved.y - region.y)))
    assert np.array_equal(there, moved.cut(frame))


def test_another_region_is_refused(champion, tmp_path):
    """A camera that looked at another part of the frame."""
    line = Line(tmp_path / "line")
    line.add("ring", region=Window(x=0.1, y=0.1, width=0.5, height=0.5))
    with pytest.raises(DatasetError, match="region"):
        grow(champion, _photos(champion), [line.folder.root], tmp_path / "grown")


def sights(n=200, defect=100, *, missed=(0, 0), failed=(0, 0), reviewed=(0, 0)):
    """Champion and challenger on `n` parts, with so many escapes, overkills and reviews each."""
    rows = tuple(SplitRow(path=f"{i}", label="dent" if i < defect else "good", part=f"{i}",
                          split="test") for i in range(n))  # fmt: skip
    made = []
    for side in (0, 1):
        outcomes = np.array(["fail"] * defect + ["pass"] * (n - defect))
        outcomes[: missed[side]] = "pass"
        outcomes[defect : defect + failed[side]] = "fail"
        outcomes[n - reviewed[side] :] = "review" if reviewed[side] else outcomes[n:]
        made.append(Sight(rows, outcomes, np.zeros(n)))
    return made


@pytest.mark.parametrize(
    ("wrong", "promoted", "why"),
    [
        ({}, True, ""),
        ({"missed": (20, 2)}, True, ""),
        ({"missed": (2, 12)}, False, "escapes"),
        ({"failed": (0, 9)}, False, "overkill"),
        ({"reviewed": (3, 60)}, False, "stops"),
    ],
)
def test_the_ruling_promotes_what_is_not_worse(wrong, promoted, why):
    """Escapes, overkill and the load on people each refuse by themselves."""
    champion, challenger = sights(**wrong)
    ruling = rule(champion, challenger, np.zeros(200, bool), Terms())
    assert ruling.promoted is promoted, ruling.reasons
    assert promoted or any(why in reason for reason in ruling.reasons)


def test_a_type_that_is_lost_is_not_made_up_for_by_another():
    """As many escapes as before, on the whole; but now every chip is among them."""
    before, after = sights(400, 200, missed=(20, 10))
    rows = [row.model_copy(update={"label": "chip"}) if i < 10 else row
            for i, row in enumerate(before.rows)]  # fmt: skip
    before.outcomes[:10] = "fail"
    champion, challenger = (Sight(tuple(rows), one.outcomes, one.scores) for one in (before, after))
    for new in (np.zeros(400, bool), np.arange(400) >= 390):
        ruling = rule(champion, challenger, new, Terms())
        refused = [one for one in ruling.findings if not one.holds]
        assert [one.kind for one in refused] == ["chip"]
        assert "10 by the challenger; significantly worse" in ruling.reasons[0]


def test_too_few_parts_promote_nobody():
    """Even without one error: and the reason says how many would do."""
    champion, challenger = sights(40, 20)
    ruling = rule(champion, challenger, np.zeros(40, bool), Terms())
    assert not ruling.promoted
    assert "59 without one new error" in ruling.reasons[0]


def test_new_parts_refuse_one_that_is_worse_on_them():
    """All well on the frozen test, and significantly worse on what has come since."""
    champion, challenger = sights(300, 150, missed=(0, 6))
    new = np.zeros(300, bool)
    new[:10] = True
    ruling = rule(champion, challenger, new, Terms(margins=dict.fromkeys(Error, 0.15)))
    assert [one.where for one in ruling.findings if not one.holds] == ["new parts"]


def test_errors_are_counted_by_part():
    """A part of three pictures escapes once, if one of them passes."""
    rows = tuple(SplitRow(path=f"{i}", label="dent", part=f"{i // 3}", split="test")
                 for i in range(9))  # fmt: skip
    one = Sight(rows, np.array(["pass", "pass", "fail"] + ["fail"] * 6), np.zeros(9))
    other = Sight(rows, np.array(["fail"] * 8 + ["pass"]), np.zeros(9))
    counts = paired(one, other, Error.ESCAPE)
    assert (counts.n, counts.champion, counts.challenger) == (3, 1, 1)
    assert (counts.worse, counts.better) == (1, 1)


@pytest.fixture(scope="module")
def contest(champion, tmp_path_factory):
    """Retrained by command, with a type that the champion never saw."""
    home = tmp_path_factory.mktemp("contest")
    line = Line(home / "line")
    for _ in range(12):
        line.add("ring")
        line.add("good")
    app = Typer()
    app.command()(command)
    words = [str(champion.folder), "--add", str(home / "line"), "--out", str(home / "second")]
    wide = [w for n in ("escape", "overkill", "stop") for w in (f"--{n}-margin", "0.9")]
    done = CliRunner().invoke(app, [*words, *wide], catch_exceptions=False)
    again = CliRunner().invoke(app, words, catch_exceptions=False)
    return home / "second", done, again


@pytest.mark.slow
def test_a_challenger_learns_the_new_type_by_the_champions_recipe(champion, contest):
    """Same architecture, recipe, seed and budgets; the new class beside the old ones."""
    run = Run.load(contest[0])
    assert run.record.classes == ("good", "ring", "spot")
    assert run.record.recipe == champion.record.recipe | {"kept": run.record.recipe["kept"]}
    assert run.record.seed == champion.record.seed
    assert run.record.input == champion.record.input
    before = {row.path: row.split for row in champion.split()}
    after = {row.path: row.split for row in run.split()}
    assert all(after[path] == split for path, split in before.items())


@pytest.mark.slow
def test_the_exit_code_tells_refused_from_promoted(contest):
    """0 and 3; the second call trains nothing anew, and rules by the usual margins."""
    _, done, again = contest
    assert done.exit_code == 0, done.output
    assert "promoted" in done.output
    assert again.exit_code == 3, again.output
    assert "REFUSED" in again.output


@pytest.mark.slow
def test_the_page_shows_what_has_changed(contest):
    """Self-contained: pictures inside, no script, nothing from elsewhere."""
    text = (contest[0] / PAGE).read_text()
    assert "<script" not in text
    assert 'src="http' not in text
    assert "ring" in text
    assert "Tango" in text
    told = read(contest[0])
    assert told is not None
    assert not told.promoted
    assert {one.error for one in told.tests} == set(Error)


def test_a_change_is_shown_with_both_heatmaps(champion):
    """What got worse first; plain, as the champion and as the challenger see it."""
    rows = tuple(row for row in champion.split() if row.split == "test")
    before, after = (np.full(len(rows), "pass", "U8") for _ in "ab")
    bad = [i for i, row in enumerate(rows) if row.label == "spot"]
    before[bad[0]], after[bad[1]] = "fail", "review"
    one, other = (Sight(rows, told, np.zeros(len(rows))) for told in (before, after))
    changes = found(one, other, [False] * len(rows))
    assert [(c.better, c.outcomes) for c in changes] == [
        (False, ("fail", "pass")), (True, ("pass", "review")),
    ]  # fmt: skip
    said = answers(champion)
    drawn = shown(changes, 24, _photos(champion), Input(64, 64), (said, said))
    assert [len(c.pictures) for c in drawn] == [3, 3]
    assert all(url.startswith("data:image/jpeg;base64,") for c in drawn for url in c.pictures)


@pytest.mark.slow
def test_a_refused_challenger_is_not_exported_by_accident(contest, tmp_path):
    """Unless somebody says so."""
    app = Typer()
    app.command()(export)
    words = [str(contest[0]), "--out", str(tmp_path / "b"), "--key", str(tmp_path / "k")]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, RunError)
    assert "refused" in done.exception.problem
    assert (contest[0] / FILE).exists()
