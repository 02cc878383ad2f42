"""`linewarden bundle list|activate|shadow|rollback`: which bundle judges on a box that runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from edge.config import Appliance

_Config = Annotated[Path, typer.Option("--config", help="The settings file of the box.")]
_Camera = Annotated[
    str | None, typer.Option("--camera", help="Which camera's; may be left out if there is one.")
]
CONFIG = Path("appliance.toml")


def listed(
    config: _Config = CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show which bundle judges for each camera, which did before, and how a probation goes.

    Asks the box that runs on this machine with these settings.

    For example:

    linewarden bundle list --config appliance.toml
    """
    import json

    from edge.swap.control import ask

    told = ask(_appliance(config).store.folder, "list")
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    row = "{:<16} {:<24} {:<24} {}"
    typer.echo(row.format("camera", "judges", "before", "probation"))
    for camera, one in told.items():
        before = _named(one["before"]) if one["before"] else "-"
        typer.echo(row.format(camera, _named(one["active"]), before, one["probation"] or "-"))
        if bout := one["bout"]:
            typer.echo(f"{'':16} shadow   {_named(bout['challenger'])}, {bout['state']}: "
                       f"{bout['words']}")  # fmt: skip


def activate(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle's folder.")],
    config: _Config = CONFIG,
    camera: _Camera = None,
) -> None:
    """Let another bundle judge, from the next part on, without stopping the line.

    The box verifies and copies it, tries it in a child process under limits, lets it judge its
    golden samples, and times it; then it is on probation: one that errs, drifts from its golden
    answers or breaks deadlines is taken back by itself, and an alarm says why. Exit code 2 if it
    is refused; the bundle that judged goes on.

    For example:

    linewarden bundle activate bundles/brackets-2 --config appliance.toml --camera belt
    """
    from edge.swap.control import ask

    appliance = _appliance(config)
    told = ask(
        appliance.store.folder, "activate", lambda step: typer.echo(f"ok       {step}"),
        camera=_one(appliance, camera), bundle=str(bundle.absolute()),
    )  # fmt: skip
    typer.echo(f"active   {_named(told)}, on probation")


def shadow(
    bundle: Annotated[
        Path | None, typer.Argument(metavar="BUNDLE", help="A bundle's folder.")
    ] = None,
    *,
    config: _Config = CONFIG,
    camera: _Camera = None,
    parts: Annotated[
        int, typer.Option(min=0, help="Judged by both, at least; the settings' if that is more.")
    ] = 0,
    stop: Annotated[bool, typer.Option("--stop", help="End the one in the shadow.")] = False,
) -> None:
    """Let a challenger judge the same frames beside the line, until it has proved itself or not.

    It touches no verdict. Parts on which it disagrees with the champion are kept for people to
    label; a sequential test on them promotes it, refuses it, or says how many more parts it needs
    ([shadow] in the settings). See how it stands: linewarden bundle list.

    For example:

    linewarden bundle shadow bundles/brackets-2 --config appliance.toml --camera belt

    linewarden bundle shadow --stop --camera belt
    """
    from edge.swap.control import ask
    from export.errors import ConfigError

    appliance = _appliance(config)
    folder, named = appliance.store.folder, _one(appliance, camera)
    if stop:
        ask(folder, "unshadow", camera=named)
        typer.echo("stopped")
        return
    if bundle is None:
        raise ConfigError("no bundle was named", "linewarden bundle shadow BUNDLE, or --stop")
    told = ask(
        folder, "shadow", lambda step: typer.echo(f"ok       {step}"),
        camera=named, bundle=str(bundle.absolute()), parts=parts,
    )  # fmt: skip
    typer.echo(f"shadow   {_named(told)} judges beside the line")


def rollback(config: _Config = CONFIG, camera: _Camera = None) -> None:
    """Let the bundle before judge again, from the next part on; the other can't be activated again.

    For example:

    linewarden bundle rollback --config appliance.toml --camera belt
    """
    from edge.swap.control import ask

    appliance = _appliance(config)
    told = ask(appliance.store.folder, "rollback", camera=_one(appliance, camera))
    typer.echo(f"active   {_named(told)}")


def _appliance(config: Path) -> "Appliance":
    from edge.config import load

    return load(config).appliance


def _one(appliance: "Appliance", camera: str | None) -> str:
    from export.errors import ConfigError

    if camera is None and len(appliance.cameras) > 1:
        raise ConfigError(
            f"the box has {len(appliance.cameras)} cameras",
            f"add --camera, one of: {', '.join(appliance.cameras)}",
        )
    return camera or next(iter(appliance.cameras))


def _named(ref: dict[str, Any]) -> str:
    return f"{ref['name']} {ref['version']} ({ref['digest'][:8]})"


def pull(
    reference: Annotated[
        str, typer.Argument(metavar="ADDRESS@sha256:DIGEST", help="https://… or oci://…")
    ],
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the bundle is to lie.")],
    key: Annotated[Path, typer.Option("--key", help="Public key of who must have signed it.")],
    ca_file: Annotated[
        Path | None, typer.Option(help="Certificates to trust, instead of the system's (PEM).")
    ] = None,
) -> None:
    """Fetch a bundle by its digest, from a web server or an OCI registry.

    Nothing lies at FOLDER unless the digest is right, the signature is by that key and every file
    is as it was signed. Exit code 2 says why not.

    For example:

    linewarden bundle pull https://bundles.example/brackets-2.tar@sha256:DIGEST bundles/brackets-2
    --key plant.pub
    """
    from edge.swap.fetch import Fetcher, Reference
    from export.signature import load_public

    def told(done: int, size: int) -> None:
        of = f" of {size / 1e6:.1f}" if size else ""
        typer.echo(f"\r{done / 1e6:.1f}{of} MB", nl=False, err=True)

    fetched = Fetcher(ca_file, told).fetch(Reference.parse(reference), out, [load_public(key)])
    manifest = fetched.manifest
    typer.echo(
        f"\r{out}: {manifest.name} {manifest.version}, {fetched.digest[:12]}, as it was signed"
    )
