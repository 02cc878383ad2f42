"""Product lists of shops, in and out: Shopify, WooCommerce and Google Merchant Center.

In, a list says which picture is of which product. Out, the chosen pictures take the place of the
old ones, in their order, and every other column stays as it was. Columns are those that the shops'
own exports have: `Handle`, `Image Src`, `Image Position`; `SKU`, `Images`; `id`, `image_link`,
`additional_image_link`.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from export import table
from export.errors import ConfigError, DatasetError

Row = dict[str, str]
NAMED = 8  # products that a message names
MOST_EXTRA = 10  # of Google's additional_image_link


@dataclass(frozen=True, slots=True)
class Dialect:
    """One shop's list: which columns name the product and its pictures."""

    name: str
    product: str
    picture: str
    needed: frozenset[str]
    variant: str = ""  # another column that names the product


SHOPIFY = Dialect(
    "shopify", "Handle", "Image Src", frozenset({"Handle", "Image Src"}), "Variant SKU"
)
WOO = Dialect("woocommerce", "SKU", "Images", frozenset({"SKU", "Images"}))
GOOGLE = Dialect("google", "id", "image_link", frozenset({"id", "image_link"}))
DIALECTS = (SHOPIFY, WOO, GOOGLE)


@dataclass(frozen=True, slots=True)
class Feed:
    """A list as it was read; `columns` as `_keys` tells them apart, and rows by these."""

    dialect: Dialect
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    delimiter: str


def read(path: Path) -> Feed:
    """Read a product list, comma- or tab-separated; raises DatasetError if it is none of ours."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = "\t" if first.count("\t") > first.count(",") else ","
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        nothing: list[str] = []
        columns = _keys(next(reader, nothing))
        rows = tuple(_row(path, reader.line_num, columns, cells) for cells in reader if cells)
    except OSError as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {error.strerror}", "check the path and its rights"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{str(path)!r} can't be read: {error}", "save it as UTF-8") from error
    for dialect in DIALECTS:
        if dialect.needed <= set(columns):
            return Feed(dialect, columns, rows, delimiter)
    raise table.Table(path, columns, ()).complaint(
        "give a list of Shopify (Handle, Image Src), WooCommerce (SKU, Images) or Google Merchant "
        "Center (id, image_link)"
    )


def _keys(head: Sequence[str]) -> tuple[str, ...]:
    """The columns' names; of a name that comes again, each with a number that isn't written."""
    return tuple(f"{name}\0{i}" if name in head[:i] else name for i, name in enumerate(head))


def _row(path: Path, line: int, columns: Sequence[str], cells: Sequence[str]) -> Row:
    if any(cells[len(columns) :]):
        raise DatasetError(
            f"{str(path)!r}, line {line}: {len(cells)} cells, but {len(columns)} columns",
            "put the cell that holds a separator in quotes",
        )
    return dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))


def products(feed: Feed) -> dict[str, str]:
    """File name of a picture → its product, as the list has it."""
    found: dict[str, str] = {}
    for row in feed.rows:
        for address in _addresses(feed.dialect, row):
            name = unquote(PurePosixPath(urlsplit(address.strip()).path).name)
            if name:
                found.setdefault(name, row[feed.dialect.product])
    return found


def _addresses(dialect: Dialect, row: Row) -> list[str]:
    if dialect is WOO:
        return row["Images"].split(",")
    extra = row.get("additional_image_link", "").split(",") if dialect is GOOGLE else []
    return [row[dialect.picture], *extra]


def check_base(address: str) -> str:
    """The address of the folder where files will lie, ending in /; raises ConfigError if none."""
    found = urlsplit(address)
    if found.scheme not in ("http", "https") or not found.netloc or found.query or found.fragment:
        raise ConfigError(
            f"--base-url {address!r} is no address of a folder on the web",
            "write it whole: https://shop.example/img/",
        )
    return address.rstrip("/") + "/"


@dataclass(frozen=True, slots=True)
class Match:
    """Which products of a list and which sets of a result belong together.

    Attributes:
        products: product of the list → sets whose pictures it gets, in order.
        sets: of the result, that no row names.
        rows: products of the list that no set is of.
    """

    products: Mapping[str, tuple[str, ...]]
    sets: tuple[str, ...]
    rows: tuple[str, ...]

    def words(self) -> list[str]:
        """What doesn't belong together, for people."""
        return [
            f"{len(found)} {what}: {_some(found)}"
            for what, found in (
                ("products of the result are in no row", self.sets),
                ("products of the list keep the pictures that they had", self.rows),
            )
            if found
        ]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def matched(feed: Feed, chosen: Mapping[str, Sequence[str]]) -> Match:
    """Which products get whose pictures; raises DatasetError if none gets any."""
    found = _match(feed, chosen)
    if not found.products:
        raise DatasetError(
            f"none of the result's sets ({_some(found.sets) or 'none'}) is a product of the "
            f"{feed.dialect.name} list ({_some(found.rows) or 'none'})",
            "choose by product: `catalog select` with --sku-regex or --skus, whose products are "
            f"called as in the list's column {feed.dialect.product}"
            + (f" or {feed.dialect.variant}" if feed.dialect.variant else ""),
        )
    return found


def _match(feed: Feed, chosen: Mapping[str, Sequence[str]]) -> Match:
    there = {key for key, names in chosen.items() if names}
    variants: dict[str, list[str]] = {}
    for row in feed.rows:
        variants.setdefault(row[feed.dialect.product], []).append(
            row.get(feed.dialect.variant, "") if feed.dialect.variant else ""
        )
    products: dict[str, tuple[str, ...]] = {}
    for product, named in variants.items():
        sets = [product] if product in there else [one for one in named if one in there]
        if sets:
            products[product] = tuple(dict.fromkeys(sets))
    used = {one for sets in products.values() for one in sets}
    rows = tuple(one for one in variants if one and one not in products)
    return Match(products, tuple(sorted(there - used)), rows)


def write(feed: Feed, chosen: Mapping[str, Sequence[str]], base: str) -> tuple[bytes, int]:
    """The list with the chosen pictures, and how many products got theirs.

    Args:
        feed: as it was read.
        chosen: product → file names, best first.
        base: address of the folder where the files will lie, ending in /.
    """
    at = {
        product: [base + quote(name) for one in sets for name in chosen[one]]
        for product, sets in _match(feed, chosen).products.items()
    }
    rows = (
        _shopify(feed, at)
        if feed.dialect is SHOPIFY
        else [_one(feed, row, at) for row in feed.rows]
    )
    columns = list(feed.columns)
    if feed.dialect is GOOGLE and "additional_image_link" not in columns:
        columns.append("additional_image_link")
    if feed.dialect is SHOPIFY and "Image Position" not in columns:
        columns.append("Image Position")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=feed.delimiter)
    writer.writerow(name.partition("\0")[0] for name in columns)
    writer.writerows([row.get(name, "") for name in columns] for row in rows)
    return text.getvalue().encode(), len(at)


def _one(feed: Feed, row: Row, at: Mapping[str, list[str]]) -> Row:
    addresses = at.get(row[feed.dialect.product])
    if not addresses:
        return row
    if feed.dialect is WOO:
        return row | {"Images": ", ".join(addresses)}
    extra = ",".join(addresses[1 : 1 + MOST_EXTRA])
    again = {name: "" for name in row if name.startswith("additional_image_link\0")}
    return row | again | {"image_link": addresses[0], "additional_image_link": extra}


def _shopify(feed: Feed, at: Mapping[str, list[str]]) -> list[Row]:
    """One row a picture: a product's own rows, then rows with its handle and a picture alone."""
    told = {"Handle", "Image Src", "Image Position", "Image Alt Text"}
    kept: list[Row] = []
    seen: set[str] = set()
    for row in feed.rows:
        handle = row["Handle"]
        if handle not in at or handle not in seen or any(row[c] for c in row.keys() - told):
            kept.append(row)
        seen.add(handle)
    last = {row["Handle"]: i for i, row in enumerate(kept)}
    left = {handle: enumerate(addresses, 1) for handle, addresses in at.items()}
    rows: list[Row] = []
    for i, row in enumerate(kept):
        handle = row["Handle"]
        if handle not in left:
            rows.append(row)
            continue
        rows.append(row | _pictured(*next(left[handle], ("", ""))))
        if i == last[handle]:
            rows += [{"Handle": handle} | _pictured(*one) for one in left[handle]]
    return rows


def _pictured(number: object, address: str) -> Row:
    return {"Image Src": address, "Image Position": str(number)}
