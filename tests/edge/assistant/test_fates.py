import pytest

from edge.assistant.fates import told_fates


@pytest.mark.parametrize(
    ("said", "plain"),
    [("how many did the reject gate kick out", "how many did rejected"),
     ("wie viele warf die kamera gestern raus", "wie viele die kamera gestern aussortiert"),
     ("how many made the grade", "how many passed"),
     ("how many were not up to scratch", "how many were not passed"),
     ("how many had to be checked by hand", "how many review"),
     ("wie viele mussten von hand geprueft werden", "wie viele nachgeprueft")],
)  # fmt: skip
def test_what_became_of_parts_is_said_plainly(said, plain):
    """A verb, its particle and who did it are one word."""
    assert told_fates(said) == plain


@pytest.mark.parametrize(
    "said", ["how many parts were taken out", "wie viele teile wurden rausgehauen"]
)
def test_what_could_mean_two_fates_is_left(said):
    """Taken out by whom, knocked out as produced: not the rules' to say."""
    assert told_fates(said) == said
