"""`linewarden bundle`: look into a bundle, check it, print the manifest's JSON Schema."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from export.bundle import Bundle

bundle = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look into a bundle, check that it is as it was signed.",
)

_Key = Annotated[
    Path | None,
    typer.Option("--key", help="Public key to trust [default: .linewarden/signing.pub]."),
]
_Folder = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle's folder.")]


@bundle.command()
def show(
    path: _Folder,
    key: _Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="The manifest as JSON.")] = False,
) -> None:
    """Show what a bundle is: model, thresholds and their bound, figures, provenance.

    The bundle is verified first.

    For example:

    linewarden bundle show bundles/tiles-1

    linewarden bundle show bundles/tiles-1 --json
    """
    from export import signature
    from export.assistant_bundle import open_assistant
    from export.assistant_card import assistant_card
    from export.bundle import open_bundle
    from export.card import card
    from export.catalog_bundle import open_catalog
    from export.catalog_card import catalog_card
    from export.sealed_folder import kind_at

    trusted = [signature.load_public(key or signature.PUBLIC_KEY)]
    match kind_at(path):
        case "assistant":
            assistant = open_assistant(path, trusted)
            manifest, told = assistant.manifest, assistant_card(assistant)
        case "catalog":
            catalog = open_catalog(path, trusted)
            manifest, told = catalog.manifest, catalog_card(catalog)
        case _:
            opened = open_bundle(path, trusted)
            manifest, told = opened.manifest, card(opened)
    typer.echo(manifest.model_dump_json(indent=2) if as_json else told)


@bundle.command()
def verify(path: _Folder, key: _Key = None) -> None:
    """Check a bundle: signature, every file, the graph, and the golden samples' answers.

    Exit code 0: all passed. 1: refused, and the last line says why. 2: no key to check with.

    For example:

    linewarden bundle verify bundles/tiles-1 --key plant.pub
    """
    from export import signature
    from export.assistant_bundle import open_assistant
    from export.bundle import open_bundle
    from export.catalog_bundle import open_catalog
    from export.errors import BundleError
    from export.sealed_folder import kind_at

    trusted = [signature.load_public(key or signature.PUBLIC_KEY)]

    def passed(check: str) -> None:
        typer.echo(f"ok       {check}")

    try:
        match kind_at(path):
            case "assistant":
                open_assistant(path, trusted, passed)
                typer.echo("skipped  golden samples: an assistant's bundle has none")
                return
            case "catalog":
                open_catalog(path, trusted, passed)
                typer.echo(
                    "skipped  golden samples: `linewarden catalog` answers them at each start"
                )
                return
            case _:
                opened = open_bundle(path, trusted, passed)
    except BundleError as error:
        typer.echo(f"refused  {error}")
        raise typer.Exit(1) from error
    for variant in opened.variants:
        said = _golden(opened.as_variant(variant))
        typer.echo(said)
        if said.startswith("refused"):
            raise typer.Exit(1)


def _golden(opened: "Bundle") -> str:
    """What becomes of the golden samples, in a child: the model may hang or take all memory."""
    from importlib.util import find_spec

    from export.confined import in_a_child

    if find_spec("onnxruntime") is None:
        return "skipped  golden samples: no ONNX Runtime is installed here"
    said, why = in_a_child(lambda: _answered(opened), *opened.allowance())
    return said or f"refused  {opened.model_path} {why} at its golden samples"


def _answered(opened: "Bundle") -> str:
    from export.errors import BundleError, PictureError
    from export.parity import reproduce

    try:
        count, difference = reproduce(opened)
    except (BundleError, PictureError) as error:
        return f"refused  {error}"
    told = f"{opened.variant} answered {count} golden samples alike"
    return f"ok       {told} (largest difference {difference:.1e})"


@bundle.command()
def schema() -> None:
    """Print the JSON Schema of manifest.json.

    For example:

    linewarden bundle schema > manifest.schema.json
    """
    import json

    from export.manifest import Manifest

    typer.echo(json.dumps(Manifest.model_json_schema(), indent=2))
