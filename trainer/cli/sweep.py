"""`linewarden sweep`: many recipes tried on one data set, by one worker or many."""

from pathlib import Path
from typing import Annotated

import typer

from export.errors import LinewardenError
from trainer.cli.options import (
    Arch,
    Good,
    NearDuplicates,
    PartRegex,
    PartRuns,
    Region,
    Size,
    SkipUnreadable,
    Threads,
)
from trainer.cli.pictures import KEPT, Cache, folder


def sweep(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="Labelled pictures or their address, as for train."),
    ],
    *,
    out: Annotated[
        Path, typer.Option(help="Folder for the leaderboard; a sweep that is there goes on.")
    ] = Path("sweep"),
    trials: Annotated[
        int, typer.Option(min=1, help="Recipes to try, by all workers together.")
    ] = 20,
    storage: Annotated[
        str | None,
        typer.Option(help="Where workers meet, as SQLAlchemy names it [default: OUT/sweep.db]."),
    ] = None,
    space: Annotated[
        Path | None, typer.Option(help="TOML file of what to try, instead of the standard one.")
    ] = None,
    arch: Arch = "resnet18",
    weights: Annotated[str, typer.Option(help="As for `train`.")] = "imagenet",
    seed: Annotated[int, typer.Option(help="Of the splits and of training.")] = 0,
    rounds: Annotated[
        int, typer.Option(min=2, max=12, help="In four, every part judges once.")
    ] = 4,
    size: Size = "224",
    region: Region = "0,0,1,1",
    recipe: Annotated[str, typer.Option(help="What is changed: tune, or a TOML file.")] = "tune",
    good: Good = None,
    part_regex: PartRegex = None,
    part_runs: PartRuns = None,
    near_duplicates: NearDuplicates = True,
    skip_unreadable: SkipUnreadable = False,
    cache: Cache = KEPT,
    threads: Threads = 0,
) -> None:
    """Try many recipes on these pictures, and say whether one beats the standard recipe.

    Every recipe is judged by AUROC on parts that did not teach it, in rounds; calibration and test
    stay unseen. The standard recipe comes first. Start the same command again to go on, or at the
    same time, here or elsewhere with one --storage, to help. OUT/best.toml is for `train --recipe`.

    For example:

    linewarden sweep photos --weights starter --out sweeps/photos --trials 20

    linewarden sweep photos --storage postgresql://me@server/sweeps --out sweeps/photos

    linewarden train photos --weights starter --recipe sweeps/photos/best.toml --out runs/best
    """
    from trainer.workers import settle

    settle(threads)
    import optuna

    from trainer.cli.train import _check_arch, _choices, _input
    from trainer.progress import Progress
    from trainer.recipe import named, on_this_machine
    from trainer.room import room
    from trainer.sweep.leaderboard import leaderboard, write
    from trainer.sweep.space import STANDARD, read
    from trainer.sweep.trials import Plan, Sweep, open_storage

    _check_arch(arch)
    base = on_this_machine(named(recipe))
    wanted = read(space or STANDARD, base)
    flags = (skip_unreadable, False, False)
    plan = Plan(
        arch=arch,
        weights=weights,
        seed=seed,
        rounds=rounds,
        to=_input(size, region, None),
        recipe=base,
        choices=_choices(good, part_regex, part_runs, near_duplicates, flags),
        data=folder(data, cache, Progress()),
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LinewardenError(f"{str(out)!r}: {error.strerror}", "give another --out") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    met = open_storage(storage or f"sqlite:///{(out / 'sweep.db').resolve()}")
    with room().beside(out):
        worker = Sweep(plan, wanted, met, Progress())

        def heard(_trial: object) -> None:
            write(leaderboard(worker.study.get_trials(deepcopy=False)), base, out)

        worker.run(trials, heard)
    board = leaderboard(worker.study.get_trials(deepcopy=False))
    write(board, base, out)
    typer.echo("\n".join([*board.words(), f"→ {out}"]))
