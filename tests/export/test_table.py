"""Tables that people save and open: every spreadsheet's habits, and none of its formulas."""

import pytest

from export import table
from export.errors import DatasetError


def test_the_mark_that_excel_puts_first_is_no_part_of_a_column(tmp_path):
    """UTF-8 with a byte order mark is read as UTF-8 is; a short row's cells are empty."""
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffpath,rating\r\nä.jpg,show\r\nb.jpg\r\n".encode())
    found = table.read(path)
    assert found.columns == ("path", "rating")
    assert found.rows == (
        {"path": "ä.jpg", "rating": "show"},
        {"path": "b.jpg", "rating": ""},
    )


@pytest.mark.parametrize(
    "cell", ["=1+1", "+4", "-1.jpg", "@a", "'=a", "''-a", "'a", "a=b", "", "\tx"]
)
def test_a_formula_is_guarded_and_comes_back_as_it_was(cell, tmp_path):
    """Nothing that a spreadsheet would calculate stands first in a cell."""
    path = tmp_path / "t.csv"
    path.write_bytes(table.written(["a"], [[cell, -1.5]]))
    assert path.read_text().splitlines()[1][:1] not in tuple("=+-@")
    assert table.read(path).rows[0]["a"] == cell
    assert b"-1.5" in path.read_bytes()


def test_a_file_that_is_not_there_needs_no_other_encoding(tmp_path):
    """The remedy fits the problem: a path, UTF-8, or commas."""
    with pytest.raises(DatasetError) as gone:
        table.read(tmp_path / "gone.csv")
    assert "UTF-8" not in gone.value.remedy
    path = tmp_path / "t.csv"
    path.write_bytes("path;sku\nä;1\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="UTF-8"):
        table.read(path)
    path.write_text("path;sku\na;1\n")
    assert "semicolons" in table.read(path).complaint("name the columns").problem
