"""`linewarden catalog`: choose product pictures for a shop, and learn from what people say."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge.catalog.model import CatalogModel

catalog = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Choose the best product pictures for a shop, with the reason for every choice.",
)

_Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A catalog bundle's folder.")]
_Key = Annotated[
    Path | None, typer.Option(help="Public key to trust [default: .linewarden/signing.pub].")
]
_Provider = Annotated[list[str] | None, typer.Option(help="cpu, cuda, tensorrt [default: cpu].")]
_Names = Annotated[
    list[str] | None,
    typer.Option("--name", help="A name that it is called by besides; may be given again."),
]
_Threads = Annotated[int, typer.Option(min=1, help="Threads within one operator.")]


@catalog.command()
def select(
    bundle: _Bundle,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the pictures.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the result; given again, it goes on.")],
    per_category: Annotated[
        int, typer.Option(min=1, help="Pictures to choose of each category, or product.")
    ] = 3,
    rules: Annotated[
        str, typer.Option(help="House rules: plain, marketplace, or a TOML file.")
    ] = "plain",
    sku_regex: Annotated[
        str | None, typer.Option(help=r"Its first group in a path is the product: '([A-Z]\d+)_'.")
    ] = None,
    skus: Annotated[
        Path | None,
        typer.Option(
            help="CSV with the columns path and sku, or a shop's product list: one set each."
        ),
    ] = None,
    similar: Annotated[
        bool,
        typer.Option(
            "--similar",
            help="Pictures of a category that look alike are of one product: views of one scene, "
            "not all pictures of a product.",
        ),
    ] = False,
    copies: Annotated[
        bool, typer.Option("--copies", help="Copy the chosen pictures, instead of links to them.")
    ] = False,
    key: _Key = None,
    provider: _Provider = None,
    threads: _Threads = 2,
    json: Annotated[
        bool, typer.Option("--json", help="Print the chosen pictures as JSON, quietly.")
    ] = False,
) -> None:
    r"""Choose the best pictures of every category or product, and say why.

    What was looked at once is not looked at again: killed, it goes on where it was; new pictures
    join. A file that can't be used is listed, and the others are still chosen from.

    For example:

    linewarden catalog select bundles/shop-1 photos --out result

    linewarden catalog select bundles/shop-1 photos --out result --rules marketplace --copies

    linewarden catalog select bundles/shop-1 photos --out result --sku-regex '^([A-Z0-9]+)_'
    """
    import json as json_module

    from edge.catalog.products import Sets
    from edge.catalog.rules.house import load
    from edge.catalog.selecting import Asked
    from edge.catalog.selecting import select as choose
    from edge.catalog.words import summary
    from export.progress import Progress

    sets = Sets(sku_regex, skus, similar)
    asked = Asked(folder, out, load(rules), per_category, sets, copies, threads)
    progress = Progress(None) if json else Progress()
    chosen = choose(asked, _model(bundle, key, provider, threads), progress)
    if not json:
        typer.echo("\n".join(summary(asked, chosen)))
        return
    found = [
        {"set": one.set, "place": one.place, "path": one.look.path, "reason": one.reason}
        for one in chosen.choices
        if one.place
    ]
    told = {"chosen": found, "unusable": chosen.unusable, "warnings": chosen.warnings}
    typer.echo(json_module.dumps(told, indent=1))


@catalog.command()
def look(
    bundle: _Bundle,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the pictures.")],
    *,
    out: Annotated[Path, typer.Option(help="The result's folder, that all workers share.")],
    share: Annotated[str, typer.Option(help="NUMBER/OF: this worker's part of the files.")],
    key: _Key = None,
    provider: _Provider = None,
    threads: _Threads = 2,
) -> None:
    """Look at a share of the pictures, as one of several workers; `select` then chooses among all.

    Any engine that starts a command with a number does: a Slurm array, an indexed Kubernetes job,
    GNU parallel. Shares depend on nothing but the files' paths.

    For example:

    linewarden catalog look bundles/shop-1 photos --out result --share 1/2

    linewarden catalog look bundles/shop-1 photos --out result --share 2/2
    """
    from edge.catalog.rules.house import load
    from edge.catalog.selecting import Asked, Share
    from edge.catalog.selecting import look as look_at
    from export.progress import Progress

    asked = Asked(folder, out, load("plain"), threads=threads, share=Share.parse(share))
    ledger, looked = look_at(asked, _model(bundle, key, provider, threads), Progress())
    ledger.close()
    typer.echo(f"{looked} pictures looked at; when every share is: linewarden catalog select")


@catalog.command()
def sheet(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="Folder of a selection.")],
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8787,
    name: _Names = None,
) -> None:
    """Serve a result's contact sheet; what is clicked goes into RESULT/overrules.csv.

    There is no login: leave it on this machine, or put it behind one.

    For example:

    linewarden catalog sheet result
    """
    from edge.catalog.clerk import Clerk

    clerk = Clerk(result, host, port, name or ())
    typer.echo(f"http://{host}:{clerk.port}/  (Ctrl-C ends it)")
    try:
        clerk.serve()
    except KeyboardInterrupt:
        typer.echo("")


@catalog.command()
def learn(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="Folder of a selection.")],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Folder that training reads.")],
    *,
    overrules: Annotated[
        Path | None, typer.Option(help="What people said [default: RESULT/overrules.csv].")
    ] = None,
) -> None:
    """Bring what people said to where training reads it; the newest word on a picture wins.

    A picture that DATA lacks is copied there, as shown or rejected, under its category. Of one that
    DATA has already, byte for byte, the word goes into DATA/ratings.csv. Nothing is moved or
    removed.

    For example:

    linewarden catalog learn result products

    linewarden train products --task catalog --out runs/shop-2
    """
    import json as json_module

    from edge.catalog import overrules as said
    from edge.catalog.lessons import learn as learn_from
    from edge.catalog.result import CHOICE, IMAGES
    from export import table
    from export.errors import DatasetError

    try:
        pictures = Path(json_module.loads((result / CHOICE).read_bytes())["pictures"])
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(
            f"{str(result)!r} holds no result: {error}", "run `linewarden catalog select` first"
        ) from error
    told = {row["path"]: row["category"] for row in table.read(result / IMAGES).rows}
    if overrules is not None and not overrules.is_file():
        raise DatasetError(f"there is no file {str(overrules)!r}", "give the saved overrules.csv")
    found = said.read(overrules or result / said.FILE)
    lessons = learn_from(found, told, pictures, data)
    for lesson in lessons:
        typer.echo(f"{lesson.source} → {lesson.target} ({lesson.words})")
    if strange := said.strange(found.values(), told.values()):
        typer.echo(f"note: no picture of the result is of {', '.join(strange)}")
    typer.echo(f"{len(lessons)} pictures to learn from; train again with --task catalog")


@catalog.command()
def crop(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="Folder of a selection.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the cropped pictures.")],
    size: Annotated[list[str], typer.Option(help="WIDTHxHEIGHT; may be given several times.")],
    margin: Annotated[
        float, typer.Option(min=0, max=1, help="Around the subject, of its longer side.")
    ] = 0.06,
) -> None:
    """Bring the chosen pictures into a shop's formats, without cutting the subject.

    Prints of an earlier selection that lie in OUT are removed.

    For example:

    linewarden catalog crop result --size 1000x1000 --size 800x1200 --out shop
    """
    from edge.catalog.crop import Format
    from edge.catalog.prints import make

    formats = [Format.parse(one) for one in size]
    for line in make(result, out, formats, margin):
        typer.echo(line)


@catalog.command()
def feed(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="Folder of a selection.")],
    product_list: Annotated[
        Path, typer.Argument(metavar="LIST", help="Of Shopify, WooCommerce or Google Merchant.")
    ],
    *,
    base_url: Annotated[str, typer.Option(help="Where the files will lie: https://…/")],
    out: Annotated[Path, typer.Option(help="The list to write.")],
) -> None:
    """Put the chosen pictures into a shop's product list, best first; all else stays as it is.

    The result must have been chosen by product: its products are Shopify's handles or variant SKUs,
    WooCommerce's SKUs, or Google's ids. The addresses are of the prints that `catalog crop` makes.

    For example:

    linewarden catalog feed result products.csv --base-url https://shop.example/img/ --out new.csv
    """
    from edge.catalog.feeds import check_base, matched, read, write
    from edge.catalog.prints import chosen_names
    from export import durable
    from export.errors import LinewardenError

    base = check_base(base_url)
    if out.resolve() == product_list.resolve():
        raise LinewardenError(f"--out {out} is the list itself", "give the new list another name")
    found, chosen = read(product_list), chosen_names(result)
    fit = matched(found, chosen)
    try:
        durable.replace(out, write(found, chosen, base)[0])
    except OSError as error:
        raise LinewardenError(f"{out} can't be written: {error.strerror}", "check it") from error
    typer.echo(f"{out}: {found.dialect.name}, {len(fit.products)} products with new pictures")
    for line in fit.words():
        typer.echo(line)


@catalog.command()
def serve(
    bundle: _Bundle,
    *,
    pictures: Annotated[Path, typer.Option(help="Folder below which orders name theirs.")],
    out: Annotated[Path, typer.Option(help="Folder for results.")],
    rules: Annotated[
        str, typer.Option(help="House rules: plain, marketplace, or a TOML file.")
    ] = "plain",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8788,
    name: _Names = None,
    broker: Annotated[
        str | None, typer.Option(help="mqtt://HOST[:PORT] or mqtts://…; by default none.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Of the topics at the broker.")] = "",
    key: _Key = None,
    provider: _Provider = None,
    threads: _Threads = 2,
) -> None:
    """Choose product pictures as a service, over HTTP and MQTT.

    There is no login: leave it on this machine or an inner network, or put it behind one.

    For example:

    linewarden catalog serve bundles/shop-1 --pictures photos --out results

    linewarden catalog serve bundles/shop-1 --pictures photos --out results --broker
    mqtt://localhost:1883 --prefix acme/shop
    """
    from edge import journal
    from edge.catalog.counter import Counter
    from edge.catalog.desk import Desk
    from edge.catalog.rules.house import load
    from edge.catalog.serving import open_post, until_told

    journal.begin("info")
    desk = Desk(_model(bundle, key, provider, threads), load(rules), pictures, out)
    post = open_post(broker, prefix, desk) if broker is not None else None
    counter = Counter(desk, host, port, name or ())
    typer.echo(f"http://{host}:{counter.port}/  {desk.bundle}")
    until_told(counter, post)


@catalog.command("rules")
def rules_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="plain or marketplace.")],
) -> None:
    """Print ready house rules, to begin your own with.

    For example:

    linewarden catalog rules marketplace > house.toml
    """
    from edge.catalog.rules.house import FOLDER, load

    load(name)
    path = FOLDER / f"{name}.toml"
    typer.echo((path if path.exists() else Path(name)).read_text(encoding="utf-8"), nl=False)


def _model(
    bundle: Path, key: Path | None, provider: list[str] | None, threads: int
) -> "CatalogModel":
    from edge.catalog.model import CatalogModel
    from export import signature

    trusted = [signature.load_public(key or signature.PUBLIC_KEY)]
    return CatalogModel(bundle, trusted, provider or ("cpu",), threads)
