"""`linewarden push`: a bundle goes out to a box, and proves itself there."""

from pathlib import Path
from typing import Annotated

import typer

from trainer.cli.collect import Certificates, Token

REFUSED = 3


def push(
    bundle: Annotated[Path, typer.Argument(help="A bundle's folder, as exported.")],
    url: Annotated[str, typer.Argument(help="The console's address: https://box.plant:8480.")],
    *,
    token: Token = "",
    key: Annotated[
        Path | None,
        typer.Option(help="Public key it is signed by [default: the one in .linewarden]."),
    ] = None,
    camera: Annotated[str, typer.Option(help="Whose; may be left out if there is one.")] = "",
    parts: Annotated[
        int, typer.Option(min=0, help="Judged by both, at least; the box's number if that is more.")
    ] = 0,
    follow: Annotated[
        bool, typer.Option("--follow", help="Stay until it is promoted or refused.")
    ] = False,
    ca: Certificates = None,
) -> None:
    """Send a bundle to a box, where it must prove itself before it judges.

    The box checks the signature against its own trusted keys before it takes a file, refuses an
    older version, tries the model in a child process, and lets it judge the same frames as the
    champion, beside the line. Parts on which the two disagree are kept for people to label. A
    sequential test on these promotes or refuses it. It may be cut off and run again. The token's
    role must be engineer or more. Exit code 3: the box refused the challenger in the shadow.

    For example:

    LINEWARDEN_TOKEN=… linewarden push bundles/brackets-2 https://box.plant:8480 --follow

    linewarden push bundles/brackets-2 http://127.0.0.1:8480 --camera belt --parts 1000
    """
    from export.bundle import open_bundle
    from export.signature import PRIVATE_KEY, load_public
    from trainer.box.push import follow as stay
    from trainer.box.push import push as send
    from trainer.box.wire import Wire
    from trainer.progress import Progress

    public = load_public(key or PRIVATE_KEY.with_suffix(".pub"))
    opened = open_bundle(bundle, [public])
    with Wire(url, token, ca=ca, timeout_s=900.0) as wire:
        where, bout = send(wire, opened, Progress(), camera=camera, parts=parts)
        named = f"{bout.challenger.name} {bout.challenger.version}"
        typer.echo(f"{named} judges in the shadow of {where}, for {bout.wanted} parts at least")
        if not follow:
            typer.echo("  next    see the console's page Bundles, or add --follow")
            return
        seated = stay(wire, where, opened.digest, typer.echo)
    if seated.bout is not None and seated.bout.state != "promoted":
        typer.echo(f"{named} was {seated.bout.state}: {seated.bout.words}", err=True)
        raise typer.Exit(REFUSED)
    typer.echo(f"{named} judges for {where}")
