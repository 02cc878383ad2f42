"""The four roles, each of which may what the one before it may."""

from enum import IntEnum


class Role(IntEnum):
    """Rights, in rising order; PUBLIC is whoever opens the page."""

    PUBLIC = 0
    VIEWER = 1
    OPERATOR = 2
    ENGINEER = 3
    ADMIN = 4

    @property
    def word(self) -> str:
        """As it is stored and shown."""
        return self.name.lower()


def role(word: str) -> Role:
    """The role of this word; raises ValueError if there is none that a person can have."""
    for one in PEOPLE:
        if one.word == word:
            return one
    raise ValueError(f"{word!r} is no role; there are {', '.join(one.word for one in PEOPLE)}")


PEOPLE = (Role.VIEWER, Role.OPERATOR, Role.ENGINEER, Role.ADMIN)
