"""`linewarden threshold`: decide a bundle's thresholds anew, without training, and sign again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from export.errors import LinewardenError

if TYPE_CHECKING:
    from export.bundle import Bundle
    from export.manifest import Costs
    from trainer.calibrate import Budgets
    from trainer.thresholds.decision import Decision
    from trainer.thresholds.tradeoff import Row


def threshold(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle's folder.")],
    *,
    escape_budget: Annotated[
        float | None, typer.Option(help="Share of defective parts that may pass [the bundle's].")
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(help="Of the bound on escapes [the bundle's].")
    ] = None,
    each_type: Annotated[
        bool | None,
        typer.Option(help="Keep the escape budget for every defect type by itself."),
    ] = None,
    overkill_budget: Annotated[
        float | None, typer.Option(help="Share of good parts that may fail [the bundle's].")
    ] = None,
    review_budget: Annotated[
        float | None, typer.Option(help="Share of parts that people can look at [the bundle's].")
    ] = None,
    cost_escape: Annotated[
        float | None, typer.Option(help="Cost of a defective part passed, in any currency.")
    ] = None,
    cost_overkill: Annotated[
        float | None, typer.Option(help="Cost of a good part failed, in the same currency.")
    ] = None,
    cost_review: Annotated[
        float | None, typer.Option(help="Cost of one look by a person: minutes by their pay.")
    ] = None,
    defect_share: Annotated[
        float | None, typer.Option(help="Share of defective parts on the line, for the costs.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write a new version to this folder, signed.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check that --out could be written, but don't.")
    ] = False,
    proven_only: Annotated[
        bool,
        typer.Option("--proven-only", help="Exit with 1, writing nothing, unless it is proven."),
    ] = False,
    key: Annotated[
        Path | None, typer.Option(help="Private key [default: .linewarden/signing.key].")
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(help="Public key of the old bundle [default: .linewarden/signing.pub]."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what escape budgets cost, and decide a bundle's thresholds anew, without training.

    The bundle's own calibration scores are used, and every variant of it is decided on its own. The
    table, of fp32, shows, for each escape budget, whether
    the parts prove it, and the overkill and review that it brings. With --out a new version is
    written and signed; the old bundle stays untouched.

    For example:

    linewarden threshold bundles/tiles-1

    linewarden threshold bundles/tiles-1 --escape-budget 0.05 --out bundles/tiles-2

    linewarden threshold bundles/tiles-1 --cost-escape 500 --cost-overkill 4 --cost-review 0.5
    --defect-share 0.02 --out bundles/tiles-2 --dry-run
    """
    from export import signature
    from export.bundle import open_bundle
    from trainer.thresholds import reissue, tradeoff

    if (bundle / "run.json").exists():
        remedy = f"export it first: linewarden export {bundle} --out BUNDLE"
        raise LinewardenError(f"{bundle} is a run, not a bundle", remedy)
    opened = open_bundle(bundle, [signature.load_public(trust or signature.PUBLIC_KEY)])
    asked = (escape_budget, overkill_budget, review_budget, confidence, each_type)
    budgets = _budgets(reissue.budgets_of(opened), asked)
    costs = _costs((cost_escape, cost_overkill, cost_review, defect_share))
    judged, novel = reissue.judged(opened), opened.thresholds.novel_above
    decided = reissue.decisions(opened, budgets, costs)
    rows = tradeoff.rows(judged, budgets, costs, novel)
    refused = proven_only and not all(one.basis.proven for one in decided.values())
    written = None
    if out is not None and not refused:
        written = _write(opened, decided, out, key, dry_run)
    typer.echo(_json(decided, rows, written) if json else _words(opened, decided, rows))
    if refused:
        raise typer.Exit(1)
    if out is not None and not json:
        typer.echo(_outcome(opened, decided, out, written))


def _budgets(old: "Budgets", asked: tuple[float | bool | None, ...]) -> "Budgets":
    from dataclasses import replace

    names = ("escape", "overkill", "review", "confidence", "each_type")
    given = {name: value for name, value in zip(names, asked, strict=True) if value is not None}
    try:
        return replace(old, **given)  # pyright: ignore[reportArgumentType] - by their names
    except ValueError as error:
        raise LinewardenError(str(error), "1 % is 0.01") from error


def _costs(given: tuple[float | None, ...]) -> "Costs | None":
    from pydantic import ValidationError

    from export.manifest import Costs

    names = ("escape", "overkill", "review", "defect_share")
    if all(value is None for value in given):
        return None
    if any(value is None for value in given):
        raise LinewardenError(
            "costs need all of --cost-escape, --cost-overkill, --cost-review, --defect-share",
            "the cheapest point hangs on each: state your best guess, and try others",
        )
    try:
        return Costs.model_validate(dict(zip(names, given, strict=True)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        option = str(first["loc"][0]).replace("_", "-")
        option = option if option == "defect-share" else f"cost-{option}"
        raise LinewardenError(f"--{option}: {first['msg']}", "costs are 0 or more") from error


def _write(
    opened: "Bundle", decided: "dict[str, Decision]", out: Path, key: Path | None, dry_run: bool
) -> "Bundle | None":
    from export import signature
    from export.bundle import refuse_existing
    from trainer.thresholds import reissue

    refuse_existing(out)
    private = signature.load_private(key or signature.PRIVATE_KEY)
    if dry_run:
        for name, one in decided.items():
            reissue.prepare(opened.as_variant(name), one.thresholds)
        return None
    return reissue.reissue(opened, decided, out, private)


def _words(opened: "Bundle", decided: "dict[str, Decision]", rows: "tuple[Row, ...]") -> str:
    from trainer.summary import between
    from trainer.thresholds.tradeoff import table

    decision, *others = decided.values()
    basis, placed, old = decision.basis, decision.thresholds, opened.thresholds
    asked = "for each type and over all" if basis.each_type else "over all types together"
    name = f"{opened.manifest.name} version {opened.manifest.version}"
    parts = f"{basis.defect_parts} defective and {basis.good_parts} good calibration parts"
    sure = f"{basis.confidence:.0%}"
    passing = f"pass below {placed.pass_below:.4g} (was {old.pass_below:.4g})"
    failing = f"fail from {placed.fail_above:.4g} (was {old.fail_above:.4g})"
    lines = [
        f"{name}: {parts}",
        f"escape budget {asked}, {sure} confidence, review budget {basis.review_budget:.1%}",
        "",
        *table(rows, basis.escape_budget),
        *_alike(rows, basis.defect_parts),
        "",
        *(claim.words() for claim in decision.claims),
        *basis.plan,
        f"{passing}, {failing}{between(placed.pass_below, placed.fail_above)}",
    ]
    for name, one in zip(list(decided)[1:], others, strict=True):
        limits = one.thresholds
        lines.append(
            f"{name}: pass below {limits.pass_below:.4g}, fail from {limits.fail_above:.4g}; "
            f"{one.basis.words}"
        )
    return "\n".join(lines)


def _alike(rows: "tuple[Row, ...]", defect_parts: int) -> list[str]:
    """That there is nothing to choose, where no budget places the thresholds elsewhere."""
    if len({(row.thresholds.pass_below, row.thresholds.fail_above) for row in rows}) > 1:
        return []
    return [f"no row differs: {defect_parts} defective parts can't support another threshold"]


def _outcome(
    opened: "Bundle", decided: "dict[str, Decision]", out: Path, written: "Bundle | None"
) -> str:
    from trainer.evaluate import in_words
    from trainer.thresholds.reissue import prepare

    lines: list[str] = []
    for name, decision in decided.items():
        edition = prepare(opened.as_variant(name), decision.thresholds)
        counted = tuple(one for one in edition.metrics if one.name != "auroc")
        lines += [f"test of {name}, in pictures (95 % intervals by part):"]
        lines += [f"  {line}" for line in in_words(counted)]
        if edition.dropped:
            lines.append(f"left out, too close to a threshold: {', '.join(edition.dropped)}")
    if written is None:
        return "\n".join([*lines, f"{out} could be written (--dry-run: nothing was)"])
    manifest = written.manifest
    lines.append(f"{out}: {manifest.name} version {manifest.version}, signed {written.key.key_id}")
    return "\n".join(lines)


def _json(decided: "dict[str, Decision]", rows: "tuple[Row, ...]", written: "Bundle | None") -> str:
    import json
    from dataclasses import asdict

    decision = decided["fp32"]
    table = [{**asdict(row), "thresholds": row.thresholds.model_dump()} for row in rows]
    found = {
        "thresholds": decision.thresholds.model_dump(),
        "basis": decision.basis.model_dump(),
        "tradeoff": table,
        "variants": {
            name: {"thresholds": one.thresholds.model_dump(), "basis": one.basis.model_dump()}
            for name, one in decided.items()
            if name != "fp32"
        },
        "written": None if written is None else str(written.path),
        "version": None if written is None else written.manifest.version,
    }
    return json.dumps(found, indent=2)
