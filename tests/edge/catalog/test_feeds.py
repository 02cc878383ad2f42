"""Shops' product lists: read, and given back with the chosen pictures and nothing else changed."""

import csv
import io

import pytest

from edge.catalog import feeds
from export.errors import ConfigError, DatasetError

SHOPIFY = (
    "Handle,Title,Variant SKU,Image Src,Image Position,Image Alt Text\n"
    "mug,Mug,M1,https://cdn/x/old.jpg,1,A mug\nmug,,M2,,,\nmug,,,https://cdn/x/two.jpg,2,\n"
    "cup,Cup,C1,https://cdn/x/cup.jpg,1,\n"
)
WOO = (
    'ID,SKU,Name,Images\n1,mug,Mug,"https://s/a.jpg, https://s/b.jpg"\n2,cup,Cup,https://s/c.jpg\n'
)
GOOGLE = "id\ttitle\timage_link\nmug\tMug\thttps://s/a.jpg\ncup\tCup\thttps://s/c.jpg\n"


def again(body, delimiter=","):
    """The rows of a written list."""
    return list(csv.DictReader(io.StringIO(body.decode()), delimiter=delimiter))


def feed(tmp_path, text):
    """The list as it is read."""
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return feeds.read(path)


def test_shopify_gets_one_row_a_picture_in_order(tmp_path):
    """Variants stay; pictures come in their order; a product that isn't chosen stays as it was."""
    found = feed(tmp_path, SHOPIFY)
    body, changed = feeds.write(found, {"mug": ["m-1.jpg", "m 2.jpg", "m-3.jpg"]}, "https://n/")
    rows = again(body)
    mug = [row for row in rows if row["Handle"] == "mug"]
    assert [r["Image Src"] for r in mug] == [
        "https://n/m-1.jpg", "https://n/m%202.jpg", "https://n/m-3.jpg",
    ]  # fmt: skip
    assert [r["Image Position"] for r in mug] == ["1", "2", "3"]
    assert [r["Variant SKU"] for r in mug] == ["M1", "M2", ""]
    assert rows[-1] == again(SHOPIFY.encode())[-1]
    assert changed == 1


def test_woocommerce_and_google_have_one_row_a_product(tmp_path):
    """All pictures in one cell, or the first in one and the others in another."""
    body, _ = feeds.write(feed(tmp_path, WOO), {"mug": ["1.jpg", "2.jpg"]}, "https://n/")
    assert again(body)[0]["Images"] == "https://n/1.jpg, https://n/2.jpg"
    assert again(body)[1] == again(WOO.encode())[1]
    google = feed(tmp_path, GOOGLE)
    body, _ = feeds.write(google, {"mug": ["1.jpg", "2.jpg", "3.jpg"]}, "https://n/")
    first = again(body, "\t")[0]
    assert first["image_link"] == "https://n/1.jpg"
    assert first["additional_image_link"] == "https://n/2.jpg,https://n/3.jpg"


@pytest.mark.parametrize("text", [SHOPIFY, WOO, GOOGLE])
def test_a_list_says_which_picture_is_of_which_product(text, tmp_path):
    """By the file's name in its address."""
    found = feeds.products(feed(tmp_path, text))
    assert set(found.values()) == {"mug", "cup"}


@pytest.mark.parametrize("text", [SHOPIFY, WOO, GOOGLE])
def test_nothing_chosen_changes_nothing(text, tmp_path):
    """Every cell of every row comes back."""
    found = feed(tmp_path, text)
    body, changed = feeds.write(found, {}, "https://n/")
    rows = again(body, found.delimiter)
    for before, after in zip(found.rows, rows, strict=True):
        assert before == {key: after[key] for key in before}
    assert changed == 0


def test_another_table_is_refused_by_its_columns(tmp_path):
    """The error names what was found, and what would do."""
    with pytest.raises(DatasetError, match=r"columns a, b(.|\n)*Shopify"):
        feed(tmp_path, "a,b\n1,2\n")
    with pytest.raises(DatasetError, match=r"semicolons(.|\n)*commas"):
        feed(tmp_path, "SKU;Images\nmug;a.jpg\n")


def test_shopify_is_matched_by_variant_skus_too(tmp_path):
    """A product gets the pictures of all its variants, in the order of its rows."""
    found = feed(tmp_path, SHOPIFY)
    chosen = {"M2": ["m2.jpg"], "M1": ["m1.jpg"], "X9": ["x.jpg"]}
    body, changed = feeds.write(found, chosen, "https://n/")
    mug = [row["Image Src"] for row in again(body) if row["Handle"] == "mug"]
    assert mug == ["https://n/m1.jpg", "https://n/m2.jpg"]
    assert changed == 1
    said = "\n".join(feeds.matched(found, chosen).words())
    assert "1 products of the result are in no row: X9" in said
    assert "1 products of the list keep the pictures that they had: cup" in said


@pytest.mark.parametrize("text", [SHOPIFY, WOO, GOOGLE])
def test_a_result_that_fits_no_product_is_refused_by_name(text, tmp_path):
    """Categories aren't products: both sides are named."""
    with pytest.raises(DatasetError, match=r"crockery(.|\n)*mug"):
        feeds.matched(feed(tmp_path, text), {"crockery": ["1.jpg"]})


@pytest.mark.parametrize("address", ["shop.example/img", "ftp://x/y", "https://", "/img", "h?q"])
def test_an_address_that_no_shop_can_fetch_is_refused(address):
    """Only whole addresses of the web."""
    with pytest.raises(ConfigError, match="no address"):
        feeds.check_base(address)
    assert feeds.check_base("https://n/img") == feeds.check_base("https://n/img/")


def test_rows_stay_where_they_stand(tmp_path):
    """A product's rows need not stand together, and a row of no product follows the one above."""
    text = (
        "Handle,Title,Image Src,Image Position\na,A,http://x/1,1\nb,B,http://x/2,1\n"
        ",and,,\na,more,http://x/3,2\nb,,http://x/4,2\n,more,,\n"
    )
    body, _ = feeds.write(feed(tmp_path, text), {"b": ["1.jpg", "2.jpg"]}, "https://n/")
    told = [(row["Handle"], row["Title"], row["Image Src"]) for row in again(body)]
    assert told == [
        ("a", "A", "http://x/1"),
        ("b", "B", "https://n/1.jpg"),
        ("b", "", "https://n/2.jpg"),
        ("", "and", ""),
        ("a", "more", "http://x/3"),
        ("", "more", ""),
    ]


def test_columns_of_one_name_keep_their_cells(tmp_path):
    """Google takes `shipping` more than once; none of its old further pictures stays."""
    text = (
        "id,shipping,shipping,image_link,additional_image_link,additional_image_link\n"
        "mug,DE,FR,http://x/1,http://x/2,http://x/3\ncup,AT,IT,http://x/4,http://x/5,http://x/6\n"
    )
    body, _ = feeds.write(feed(tmp_path, text), {"mug": ["1.jpg", "2.jpg"]}, "https://n/")
    head, mug, cup = csv.reader(io.StringIO(body.decode()))
    before = list(csv.reader(io.StringIO(text)))
    assert head == before[0]
    assert mug == ["mug", "DE", "FR", "https://n/1.jpg", "https://n/2.jpg", ""]
    assert cup == before[2]


def test_a_row_of_more_cells_than_columns_is_refused(tmp_path):
    """They would be lost; empty ones at its end are nothing."""
    feed(tmp_path, "id,title,image_link\na,Mug,http://x/1,,\n")
    with pytest.raises(DatasetError, match="line 2: 4 cells, but 3 columns"):
        feed(tmp_path, "id,title,image_link\na,Mug, red,http://x/1\n")
