import json
import re
from pathlib import Path

import pytest

from demo.plant.dialogues import HERE, write
from export.errors import DatasetError
from export.library import Library
from export.passage import read_folder
from trainer.assistant.corpus import read_corpus, split
from trainer.assistant.exam import read_exam


def chat(*turns):
    """A line of chat JSONL."""
    return json.dumps({"messages": [{"role": r, "content": c} for r, c in turns]})


DOCS = Path(__file__).parents[3] / "docs" / "assistant.md"
GOOD = chat(("user", "What does E-204 mean?"), ("assistant", "[line7 4.5] Low pressure."))
BAD = {
    "is not JSON": "{",
    "no list": "{}",
    "the role 'robot'": chat(("robot", "x"), ("assistant", "y")),
    "is no text": json.dumps({"messages": [{"role": "user", "content": 7}]}),
    "must begin with the user": chat(("assistant", "y"), ("user", "x")),
    "two turns of the same role": chat(("user", "a"), ("user", "b"), ("assistant", "c")),
    "turn 2 is empty": chat(("user", "a"), ("assistant", " ")),
    "repeats the one before": chat(("user", "a"), ("assistant", "a")),
    "9000 characters": chat(("user", "x" * 9000), ("assistant", "y")),
    "must begin with the user and": '{"messages": []}',
    "an e-mail address: 'mia@plant.example'": chat(
        ("user", "Mail mia@plant.example"), ("assistant", "y")
    ),
    "a telephone number": chat(("user", "Call +49 711 1234567"), ("assistant", "y")),
    "a person's name": chat(("user", "Fragen Sie Frau Huber"), ("assistant", "y")),
    "an IBAN": chat(("user", "DE89 3704 0044 0532 0130 00"), ("assistant", "y")),
    "another answer": chat(("user", "what does e-204 mean"), ("assistant", "High pressure.")),
    "a system turn": chat(("user", "a"), ("system", "b"), ("assistant", "c")),
}


@pytest.mark.parametrize("why", BAD)
def test_a_fault_is_told_with_its_line(tmp_path, why):
    """And nothing is learnt from a file with faults."""
    path = tmp_path / "dialogues.jsonl"
    path.write_text(f"{GOOD}\n{BAD[why]}\n")
    with pytest.raises(DatasetError) as told:
        read_corpus(path)
    assert "line 2" in str(told.value)
    assert why in str(told.value)


def test_csv_is_read_too_and_lacks_are_named(tmp_path):
    """Columns question and answer."""
    path = tmp_path / "pairs.csv"
    path.write_text('question,answer\n"What, now?","[line7 1.1] Press it."\n')
    (one,) = read_corpus(path)
    assert (one.question, one.answer) == ("What, now?", "[line7 1.1] Press it.")
    path.write_text("question,reply\na,b\n")
    with pytest.raises(DatasetError, match="is 'question,reply', not 'question,answer'"):
        read_corpus(path)
    for other, why in (("x.txt", "neither"), ("none.jsonl", "no such file: .*none.jsonl")):
        with pytest.raises(DatasetError, match=why):
            read_corpus(tmp_path / other)


@pytest.mark.parametrize(
    ("text", "why"),
    [("question,answer,language\na,b,en\n", "line 1: the header is"),
     ("question,answer\na,b\n\nHow?,[line7 1.1] Press, then wait\n", "line 4: has 3 cells")],
)  # fmt: skip
def test_no_cell_of_a_csv_is_dropped(tmp_path, text, why):
    """A third column, and a comma outside quotes, are refused."""
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with pytest.raises(DatasetError, match=why):
        read_corpus(path)


def test_all_citations_of_no_section_are_told_with_file_and_lines(tmp_path):
    """As other faults are; nothing is said of personal data where none is."""
    path = tmp_path / "d.jsonl"
    strange = [chat(("user", f"What of {n}?"), ("assistant", f"[line7 99.{n}] X.")) for n in (1, 2)]
    path.write_text("\n".join([GOOD, *strange]))
    library = Library.of(read_folder(HERE / "manual"))
    with pytest.raises(DatasetError, match=r"d\.jsonl: 2 faults") as told:
        read_corpus(path, library)
    for line, name in ((2, "99.1"), (3, "99.2")):
        assert f"line {line}: turn 2 cites [line7 {name}]" in str(told.value)
    assert "personal" not in str(told.value)
    assert len(read_corpus(path)) == 3


def test_every_citation_is_checked(tmp_path):
    """Not the first alone; an answer that refuses cites nothing."""
    path = tmp_path / "d.jsonl"
    library = Library.of(read_folder(HERE / "manual"))
    path.write_text(chat(("user", "What?"), ("assistant", "[line7 4.5] Open. [line7 99.9] Shut.")))
    with pytest.raises(DatasetError, match=r"1 fault\n.*\[line7 99\.9\]"):
        read_corpus(path, library)
    path.write_text(chat(("user", "What?"), ("assistant", "NO ENTRY [line7 99.9]")))
    assert len(read_corpus(path, library)) == 1


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x1c", "\f"])
def test_a_line_ends_at_its_newline_alone(tmp_path, mark):
    """Not at what else Unicode breaks lines by; a newline in a CSV's quotes is kept."""
    answer, rows = f"Press{mark}it.", tmp_path / "d.jsonl"
    turns = [{"role": "user", "content": "How?"}, {"role": "assistant", "content": answer}]
    rows.write_text(json.dumps({"messages": turns}, ensure_ascii=False) + "\n")
    cells = tmp_path / "d.csv"
    cells.write_text(f'question,answer\nHow?,{answer}\nAnd then?,"Wait,\nthen go."\n')
    assert [one.answer for one in read_corpus(rows)] == [answer]
    assert [one.answer for one in read_corpus(cells)] == [answer, "Wait,\nthen go."]
    exam = tmp_path / "heldout.jsonl"
    told = {"kind": "unknown", "language": "en", "question": answer, "section": "", "fact": ""}
    exam.write_text(json.dumps(told, ensure_ascii=False) + "\n")
    assert [one.question for one in read_exam(exam)] == [answer]


def test_personal_data_may_be_meant(tmp_path):
    """The remedy says how, and one fault is one."""
    path = tmp_path / "d.jsonl"
    path.write_text(chat(("user", "Whom do I ask?"), ("assistant", "[line7 1.1] Frau Huber.")))
    with pytest.raises(DatasetError, match="1 fault\n") as told:
        read_corpus(path)
    assert "'Frau Huber'" in str(told.value)
    assert "--allow-personal-data" in told.value.remedy
    assert len(read_corpus(path, allow_personal=True)) == 1


def test_answers_that_neither_cite_nor_refuse_are_bare(tmp_path):
    """The box would not show them."""
    path = tmp_path / "d.jsonl"
    answers = ("[line7 1.1] Press it.", "NO ENTRY", "Press it.")
    rows = [chat(("user", f"Question {n}?"), ("assistant", a)) for n, a in enumerate(answers)]
    path.write_text("\n".join(rows))
    assert [one.bare for one in read_corpus(path)] == [False, False, True]


def test_a_split_keeps_conversations_that_open_alike_together(tmp_path):
    """By the opening question, whatever its capitals; the same for the same seed."""
    path = tmp_path / "dialogues.jsonl"
    more = ("user", "And then?"), ("assistant", "Wait.")
    rows = []
    for n in range(60):
        rows += [chat(("user", f"Question {n}?"), ("assistant", f"Answer {n}")),
                 chat(("user", f"question {n}"), ("assistant", f"Answer {n}"), *more)]  # fmt: skip
    path.write_text("\n".join(rows))
    told = read_corpus(path)
    learn, check = split(told, 0.3, 5)
    assert {one.key for one in learn}.isdisjoint(one.key for one in check)
    assert 10 <= len(check) <= 60
    assert [one.line for one in split(told, 0.3, 5)[1]] == [one.line for one in check]
    assert [one.line for one in split(told, 0.3, 6)[1]] != [one.line for one in check]


def test_the_demo_plant_has_what_it_promises(tmp_path, capsys):
    """Sound dialogues on the manual; an exam, none of it asked before, on it and another's."""
    write(tmp_path)
    told = capsys.readouterr().out
    manual, both = (
        Library.of(read_folder(tmp_path / name)) for name in ("documents/manual", "documents")
    )
    learnt = read_corpus(tmp_path / "dialogues.jsonl", manual)
    assert (len(learnt), len(manual)) == (300, 90)
    assert not any(one.bare for one in learnt)
    exam = read_exam(tmp_path / "heldout.jsonl")
    assert len(exam) == 90
    assert {one.question.lower() for one in learnt}.isdisjoint(one.question.lower() for one in exam)
    cited = [one for one in exam if one.section and one.given is None]
    assert all(both.get(one.language, one.section) for one in cited)
    assert not all(manual.get(one.language, one.section) for one in cited)
    for option in (tmp_path / "documents" / "manual", tmp_path / "documents"):
        assert f"--documents {option} --" in told


@pytest.mark.parametrize(
    ("begin", "name", "read"),
    [('{"messages"', "d.jsonl", read_corpus), ("question,answer", "d.csv", read_corpus),
     ('{"kind"', "heldout.jsonl", read_exam)],
)  # fmt: skip
def test_what_the_documentation_shows_can_be_read(tmp_path, begin, name, read):
    """Dialogues of both forms, and an exam."""
    (example,) = re.findall(rf"```\n({re.escape(begin)}.*?)```", DOCS.read_text(), re.DOTALL)
    path = tmp_path / name
    path.write_text(example)
    assert len(read(path)) == 2
