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

from export.errors import DatasetError

Row = dict[str, str]
MOST_EXTRA = 10  # of Google's additional_image_link


@dataclass(frozen=True, slots=True)
class Dialect:
    """One shop's list: which columns name the product and its pictures."""

    name: str
    product: str
    picture: str
    needed: frozenset[str]


SHOPIFY = Dialect("shopify", "Handle", "Image Src", frozenset({"Handle", "Image Src"}))
WOO = Dialect("woocommerce", "SKU", "Images", frozenset({"SKU", "Images"}))
GOOGLE = Dialect("google", "id", "image_link", frozenset({"id", "image_link"}))
DIALECTS = (SHOPIFY, WOO, GOOGLE)


@dataclass(frozen=True, slots=True)
class Feed:
    """A list as it was read."""

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
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
        columns = tuple(reader.fieldnames or ())
        rows = tuple({key: row[key] or "" for key in columns} for row in reader)
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise DatasetError(f"{str(path)!r} can't be read: {error}", "save it as UTF-8") from error
    for dialect in DIALECTS:
        if dialect.needed <= set(columns):
            return Feed(dialect, columns, rows, delimiter)
    raise DatasetError(
        f"{str(path)!r} has the columns {', '.join(columns[:12])}",
        "give a list of Shopify (Handle, Image Src), WooCommerce (SKU, Images) or Google Merchant "
        "Center (id, image_link)",
    )


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


def write(feed: Feed, chosen: Mapping[str, Sequence[str]], base: str) -> tuple[bytes, int]:
    """The list with the chosen pictures, and how many products got theirs.

    Args:
        feed: as it was read.
        chosen: product → file names, best first.
        base: address of the folder where the files will lie, ending in /.
    """
    at = {key: [base + quote(name) for name in names] for key, names in chosen.items() if names}
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
    writer = csv.DictWriter(text, columns, delimiter=feed.delimiter, restval="")
    writer.writeheader()
    writer.writerows(rows)
    changed = {row[feed.dialect.product] for row in feed.rows} & at.keys()
    return text.getvalue().encode(), len(changed)


def _one(feed: Feed, row: Row, at: Mapping[str, list[str]]) -> Row:
    addresses = at.get(row[feed.dialect.product])
    if not addresses:
        return row
    if feed.dialect is WOO:
        return row | {"Images": ", ".join(addresses)}
    extra = ",".join(addresses[1 : 1 + MOST_EXTRA])
    return row | {"image_link": addresses[0], "additional_image_link": extra}


def _shopify(feed: Feed, at: Mapping[str, list[str]]) -> list[Row]:
    """One row a picture: a product's own rows, then rows with its handle and a picture alone."""
    rows: list[Row] = []
    handles = list(dict.fromkeys(row["Handle"] for row in feed.rows))
    for handle in handles:
        mine = [row for row in feed.rows if row["Handle"] == handle]
        addresses = at.get(handle)
        if not addresses:
            rows += mine
            continue
        told = {"Handle", "Image Src", "Image Position", "Image Alt Text"}
        kept = [
            row for i, row in enumerate(mine) if not i or any(row[c] for c in row.keys() - told)
        ]
        for number in range(max(len(kept), len(addresses))):
            row = dict(kept[number]) if number < len(kept) else {"Handle": handle}
            has = number < len(addresses)
            row["Image Src"] = addresses[number] if has else ""
            row["Image Position"] = str(number + 1) if has else ""
            rows.append(row)
    return rows
