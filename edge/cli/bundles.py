"""`linewarden bundle list`, `activate`, `rollback`: which bundle judges on a box that runs."""

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
