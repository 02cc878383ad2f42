"""`linewarden why`: judge a kept part again, and see that the verdict is the same, and where."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from export.errors import LinewardenError

if TYPE_CHECKING:
    from edge.inspection.again import Again
    from edge.inspection.inspector import Inspector
    from export.sample import Sample
    from export.sample_folder import SampleFolder
    from export.verdict import Verdict

MOST_OTHERS = 5  # of a name's samples, told by their ids


def why(
    part: Annotated[
        str, typer.Argument(metavar="PART", help="A part's name, or CAMERA-EPOCH-SEQ.")
    ],
    *,
    config: Annotated[Path, typer.Option(help="The settings file.")] = Path("appliance.toml"),
    store: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Samples [default: as in --config].")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(metavar="BUNDLE", help="Judge with it [default: the camera's].")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The annotated picture [default: PART.why.png here]."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Judge a kept part's picture again with its bundle and settings, and compare the verdicts.

    Prints both, says what has changed since, and writes a picture that shows where the evidence is.
    A part has a picture if it was flagged: it failed, needs review, is novel, was drawn or pressed.

    Exit code 0: the same (to the byte; within 0.001 where it says that something has changed). 1:
    another verdict, or it can't be told any more. 2: no such sample, or settings that are wrong.

    For example:

    linewarden why top-1795381200-118

    linewarden why bolt-0815 --config appliance.toml --save bolt-0815.png
    """
    import cv2

    from edge.config import load
    from edge.daemon import armed
    from edge.inspection.again import judge_again
    from edge.inspection.computer import computer
    from export.sample_folder import SampleFolder
    from export.verdict import Outcome

    cv2.setNumThreads(1)
    appliance = load(config).appliance
    folder = SampleFolder(store or appliance.samples.folder)
    sample = find(folder, part)
    camera = sample.verdict.camera
    if camera not in appliance.cameras:
        raise LinewardenError(
            f"{config} has no camera {camera!r}, whose part this is",
            "give the settings that the box ran with",
        )
    section = appliance.cameras[camera]
    chosen = section.model_copy(update={"bundle": bundle or section.bundle})
    judged_by = sample.verdict.bundle
    engine = appliance.engine.model_copy(
        update={"variant": judged_by.variant if judged_by else "fp32"}
    )
    alone = appliance.model_copy(update={"cameras": {camera: chosen}, "engine": engine})
    inspector = armed(alone)[camera]
    here = computer(appliance.engine.provider, appliance.engine.threads)
    safe = Outcome(section.fail_safe)
    again = judge_again(sample, folder.picture(sample), inspector, here, safe)
    typer.echo(as_object(again) if as_json else told(again))
    if drawn := draw(again, inspector, save or Path(f"{sample.id}.why.png")):
        typer.echo(f"picture   {drawn}", err=as_json)
    if not again.holds:
        raise typer.Exit(1)


def find(folder: "SampleFolder", part: str) -> "Sample":
    """The sample with this id, or the newest of those of the part of this name.

    Several cameras may have seen one part, or a name may have been given again: that is said. By
    capture, not by record: one that was labelled has a newer record than the part after it.
    """
    from export.errors import SampleError

    if not folder.root.is_dir():
        raise SampleError(f"{folder.root} is not a folder of samples", "give --store FOLDER")
    names = folder.ids()
    if part in names:
        return folder.read(part)
    so_named = [sample for sample in folder if sample.verdict.part == part]
    if so_named:
        several = len({sample.verdict.camera for sample in so_named}) > 1
        newest, *others = sorted(so_named, key=lambda one: _age(one, several), reverse=True)
        if others:
            told = ", ".join(one.id for one in others[:MOST_OTHERS])
            typer.echo(f"also      {len(others)} more of that name, the newest: {told}", err=True)
        return newest
    raise SampleError(
        f"no picture of part {part!r} is in {folder.root}: it was not kept, or gave way to others",
        "only flagged parts have one; raise [samples] audit_rate or keep_gb to keep more",
    )


def _age(sample: "Sample", several: bool) -> tuple[int, str, int]:
    """In which order parts were seen: by seq, or by the wall clock among `several` cameras."""
    _, epoch, seq = sample.verdict.key
    return epoch, sample.verdict.captured_at if several else "", seq


def told(again: "Again") -> str:
    """For people."""
    sample, verdict = again.sample, again.sample.verdict
    lines = [
        f"part      {verdict.part}  ({sample.id}, frame {verdict.frame}, {verdict.captured_at})",
        f"kept      {', '.join(sample.why)}; labelled {sample.label or 'by nobody yet'}",
        f"then      {_line(again.before)}",
    ]
    if verdict.fused is not None:
        lines.append(f"frames    {_frames(verdict)}")
    if again.judgement is not None:
        lines.append(f"now       {_line(again.now)}")
    if sample.late is not None:
        score = "no score" if sample.late.score is None else f"score {sample.late.score:.4f}"
        after = f"{sample.late.after_ms:.0f} ms after capture"
        lines.append(f"late      {sample.late.outcome} with {score} came {after}")
    lines += [f"changed   {one}" for one in again.changed]
    return "\n".join([*lines, f"answer    {answer(again)}"])


def answer(again: "Again") -> str:
    """The comparison in one sentence."""
    if again.gone:
        return f"can't be told: {again.gone}"
    if again.same:
        return f"the same verdict, byte for byte ({len(again.before)} bytes)"
    apart = "" if again.difference is None else f"; largest difference {again.difference:.2g}"
    if again.holds:
        return f"the same outcome, within the tolerance{apart}"
    return f"ANOTHER verdict{apart}"


def _frames(verdict: "Verdict") -> str:
    """Which frames were judged as one; only the one that decided was kept."""
    assert verdict.fused is not None
    told = (
        f"{view.frame} {view.reason if view.score is None else f'score {view.score:.4f}'}"
        for view in verdict.fused.views
    )
    return f"{', '.join(told)}; {verdict.frame} decided, and its picture is what was kept"


def _line(body: bytes) -> str:
    import json

    fields = json.loads(body)
    score = "-" if fields["score"] is None else repr(fields["score"])
    return f"{fields['outcome']} ({fields['reason']}), score {score}"


def as_object(again: "Again") -> str:
    """For machines."""
    import json

    fields = {
        "sample": again.sample.id,
        "same": again.same,
        "holds": again.holds,
        "difference": again.difference,
        "changed": list(again.changed),
        "gone": again.gone,
        "then": json.loads(again.before),
        "now": json.loads(again.now) if again.now else None,
    }
    return json.dumps(fields)


def draw(again: "Again", inspector: "Inspector", path: Path) -> Path | None:
    """Write the annotated picture, if there is one to annotate."""
    from edge.inspection.again import in_window
    from edge.inspection.annotate import annotate
    from export import picture

    if again.pixels is None or again.judgement is None:
        return None
    region = in_window(inspector, again.sample).input.region
    picture.write(path, annotate(again.pixels, again.judgement, region))
    return path
