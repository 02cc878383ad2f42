"""The assistant's page: a question, its answer with what it cites, and feedback on it.

The page is plain HTML: an answer comes as a page. Nothing on it changes the line; what an answer
says is shown as text, and its links lead only to pages of this console.
"""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from edge.console.accounts.roles import Role
from edge.console.web.door import Asked, Door
from edge.console.web.page import page

MOST_CHARS = 500
OWN_PAGES = ("/verdict?", "/verdicts?", "/assistant/section?", "/health")


def doors() -> list[Door]:
    """The assistant's routes."""
    return [
        Door("/assistant", inquire, Role.VIEWER),
        Door("/assistant", answer, Role.VIEWER, method="POST"),
        Door("/assistant/feedback", feedback, Role.OPERATOR, method="POST"),
        Door("/assistant/section", section, Role.VIEWER),
    ]


def inquire(asked: Asked) -> Response:
    """The page, with no question yet."""
    return page(asked, "assistant", question="", told=None, trouble="", kept=False)


def answer(asked: Asked) -> Response:
    """A question's answer."""
    question = asked.form.get("question", "").strip()
    if not question or len(question) > MOST_CHARS:
        raise HTTPException(400, "A question has 1 to 500 characters")
    told = asked.desk.inquiry.ask(question, asked.words.code)
    trouble = "" if told else asked.words("The assistant is not running, or too busy.")
    return page(
        asked, "assistant", question=question, told=_checked(told), trouble=trouble, kept=False
    )


def feedback(asked: Asked) -> Response:
    """A thumb or a correction."""
    form = asked.form
    kept = asked.desk.inquiry.feedback(
        form.get("id", ""), form.get("kind", ""), form.get("correction", ""), asked.session.name
    )
    if not kept:
        raise HTTPException(404, "This answer is no longer known: ask again")
    return page(asked, "assistant", question="", told=None, trouble="", kept=True)


def section(asked: Asked) -> Response:
    """A section of the documents, whole."""
    found = asked.desk.inquiry.section(
        asked.query.get("id", ""), asked.query.get("language", asked.words.code)
    )
    if found is None:
        raise HTTPException(404, "There is no such section")
    return page(asked, "section", title=found["title"], name=found["id"], text=found["text"])


def _checked(told: dict[str, Any] | None) -> dict[str, Any] | None:
    """The answer, with links to our own pages only."""
    if told is not None:
        for one in [*told["citations"], *told["nearest"]]:
            if not str(one["href"]).startswith(OWN_PAGES):
                one["href"] = ""
    return told
