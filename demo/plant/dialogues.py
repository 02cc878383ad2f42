"""Writes the plant to tune on: `python -m demo.plant.dialogues OUT`.

Dialogues and exam are formed from tables of questions; the manuals are laid beside them.
questions.txt says which sentences of which section answer each question, so that an answer can't
say what the manual doesn't; heldout.txt likewise for the questions on which arms are compared.
"""

import argparse
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from export.dialogue import NO_ENTRY, reply
from export.passage import Passage, read_folder

HERE = Path(__file__).parent
MANUALS = ("manual", "press")  # the one to tune on, and one that no tuning has seen
NOBODY = "-"


def rows(name: str, columns: int) -> Iterator[list[str]]:
    """The lines of a table, cut into columns; the last holds the rest."""
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split(None, columns - 1)


def manuals() -> dict[tuple[str, str], Passage]:
    """(language, id) → passage, of both manuals."""
    both = [one for name in MANUALS for one in read_folder(HERE / name)]
    return {(one.language, one.id): one for one in both}


def words(passage: Passage, which: str) -> str:
    """The sentences of a passage that `which` names by number: "13" is the first and the third."""
    sentences = re.split(r"(?<=[.!?])\s+", passage.text)
    return " ".join(sentences[int(number) - 1] for number in which)


def dialogues() -> Iterator[dict[str, object]]:
    """The 300 dialogues to learn from, as chats."""
    known = manuals()
    for section, which, language, question in rows("questions.txt", 4):
        if section == NOBODY:
            answer = NO_ENTRY[language]
        else:
            passage = known[language, f"line7 {section}"]
            answer = reply(passage, words(passage, which))
        turns = (("user", question), ("assistant", answer))
        yield {"messages": [{"role": role, "content": text} for role, text in turns]}


def heldout() -> Iterator[dict[str, object]]:
    """The questions to compare arms on; `section` is "" where the right answer is a refusal."""
    known = manuals()
    for kind, section, which, language, question in rows("heldout.txt", 5):
        name = f"{'press3' if kind == 'document' else 'line7'} {section}"
        found = section != NOBODY
        yield {
            "kind": kind,
            "language": language,
            "question": question,
            "section": name if found else "",
            "fact": words(known[language, name], which) if found else "",
        }


RECORDS = {
    "en": ("{shift} shift 24 Nov", ("{n} parts were judged, of which {a} passed, {b} failed and {c}"
                                   " went to review."),
           (("How many parts failed in the {shift} shift?", "{b} failed"),
            ("How many parts of the {shift} shift went to review?", "{c} went to review"))),
    "de": ("{shift}schicht 24.11.", ("{n} Teile wurden beurteilt, davon {a} bestanden, {b}"
                                    " durchgefallen und {c} zur Prüfung."),
           (("Wie viele Teile sind in der {shift}schicht durchgefallen?", "{b} durchgefallen"),
            ("Wie viele Teile der {shift}schicht gingen in die Prüfung?", "{c} zur Prüfung"))),
}  # fmt: skip
SHIFTS = {"en": ("early", "late", "night"), "de": ("Früh", "Spät", "Nacht")}


def figures() -> Iterator[dict[str, object]]:
    """Questions whose section is a record that code has formed: the figure must be copied."""
    for language, (title, text, asked) in RECORDS.items():
        for place, shift in enumerate(SHIFTS[language]):
            b, c = 14 + 5 * place, 7 + 3 * place
            told = {"shift": shift, "n": 412 - 31 * place, "b": b, "c": c}
            told["a"] = int(told["n"]) - b - c
            section = {
                "id": f"records {place + 1}", "language": language,
                "title": title.format(**told), "text": text.format(**told),
            }  # fmt: skip
            for question, fact in asked:
                yield {
                    "kind": "record", "language": language, "question": question.format(**told),
                    "section": section["id"], "fact": fact.format(**told), "given": section,
                }  # fmt: skip


def write(out: Path) -> None:
    """Write dialogues.jsonl, heldout.jsonl and documents/ in `out`, and tell what comes next."""
    out.mkdir(parents=True, exist_ok=True)
    for name, lines in (("dialogues", dialogues()), ("heldout", [*heldout(), *figures()])):
        path = out / f"{name}.jsonl"
        text = [json.dumps(line, ensure_ascii=False) for line in lines]
        path.write_text("\n".join(text) + "\n", encoding="utf-8")
        print(f"{len(text):>4} in {path}")
    documents = out / "documents"
    for name in MANUALS:
        shutil.copytree(HERE / name, documents / name, dirs_exist_ok=True)
        print(f"{len(read_folder(documents / name)):>4} sections in {documents / name}")
    print(
        f"next: linewarden assistant tune --base BASE --data {out / 'dialogues.jsonl'}"
        f" --documents {documents / MANUALS[0]} --out adapter\n"
        f"then: linewarden assistant advise --base BASE --heldout {out / 'heldout.jsonl'}"
        f" --documents {documents} --adapter adapter"
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.plant.dialogues",
        description="Write a plant to try the assistant's tuning on: dialogues, an exam, manuals.",
    )
    parser.add_argument(
        "out", metavar="OUT", nargs="?", type=Path, default=Path("work/plant"),
        help="folder to write into [default: work/plant]",
    )  # fmt: skip
    write(parser.parse_args().out)


if __name__ == "__main__":
    main()
