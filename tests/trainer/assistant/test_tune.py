import io
import json
import re

import pytest
import torch
from transformers import TrainerState
from typer.testing import CliRunner

from demo.plant.dialogues import HERE, dialogues
from export.command import application
from export.dialogue import NO_ENTRY
from export.errors import LanguageError
from export.library import Library
from export.passage import read_folder
from tests.trainer.assistant.small_llama import base, saved
from trainer.assistant.base import hushed, load, shape
from trainer.assistant.corpus import read_corpus
from trainer.assistant.following import follower
from trainer.assistant.lesson import IGNORED, collator, lessons, tokens
from trainer.assistant.tune import (
    LOSSES,
    RECORD,
    WEIGHTS,
    Plan,
    adapted,
    arguments,
    cost,
    reload,
    tune,
)
from trainer.progress import Progress


@pytest.fixture(scope="module")
def library():
    """The demo plant's manual."""
    return Library.of(read_folder(HERE / "manual"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Its dialogues."""
    path = tmp_path_factory.mktemp("corpus") / "dialogues.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in dialogues()))
    return read_corpus(path)


def test_lessons_hold_the_section_that_answers_and_others(corpus, library):
    """Each cited section is in its prompt, not always first; some come again without it."""
    made = lessons(corpus, library, "", 0)
    places = []
    for one in made:
        named = one.answer.partition("]")[0][1:]
        prompt = one.turns[-1].content
        if one.answer in NO_ENTRY.values():
            continue
        assert f"[{named}]" in prompt
        places.append(prompt.index(f"[{named}]") == 0)
    assert 0.2 < sum(places) / len(places) < 0.6
    barren = len(made) - len(corpus)
    assert 20 <= barren <= 80
    assert lessons(corpus, library, "", 0) == made
    assert all(
        one.turns[-1].content in {c.question for c in corpus}
        for one in lessons(corpus, None, "", 0)
    )


def test_logits_of_the_answers_alone_cost_what_those_of_whole_dialogues_do(corpus, library):
    """Of unequal dialogues in a batch, and of one by itself; the tokenizer stays as it was."""
    made = base()
    made.model.eval()
    rows = [tokens(made.tokenizer, one, 4096) for one in lessons(corpus, library, "", 0)[:4]]
    for some in (rows, rows[:1]):
        answers = [sum(label != IGNORED for label in row["labels"]) for row in some]
        alone = [made.model(**{k: torch.tensor([v]) for k, v in row.items()}).loss for row in some]
        costs = sum(loss * n for loss, n in zip(alone, answers, strict=True)) / sum(answers)
        done = made.model(**collator(made.tokenizer)(some))
        assert done.logits.shape[:2] == (len(some), max(answers) + 1)
        assert torch.isclose(done.loss, costs, rtol=1e-5)
    assert made.tokenizer.padding_side == "right"


@pytest.mark.parametrize(("fast", "kind"), [(True, torch.bfloat16), (False, torch.float32)])
def test_bfloat16_is_worked_in_only_where_the_machine_has_it(tmp_path, monkeypatch, fast, kind):
    """One that imitates it works in float32, many times faster; 4 bits are unpacked to the same."""
    monkeypatch.setattr("trainer.assistant.base.bf16_in_hardware", lambda: fast)
    monkeypatch.setattr("trainer.assistant.tune.bf16_in_hardware", lambda: fast)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    folder = str(saved(tmp_path))
    assert load(folder).model.dtype == kind
    given = {}
    monkeypatch.setattr("trainer.assistant.base.import_module", lambda _: None)
    monkeypatch.setattr("transformers.BitsAndBytesConfig", lambda **more: given.update(more))
    assert load(folder, quantized=True).model.dtype == kind
    assert given["bnb_4bit_compute_dtype"] == kind
    asked = {}
    monkeypatch.setattr("transformers.TrainingArguments", lambda **more: asked.update(more))
    arguments(tmp_path, Plan(), checked=False)
    assert asked["bf16"] is fast
    assert asked["gradient_checkpointing"]


def test_the_adapter_alone_learns_and_alone_is_widened():
    """Over 4 bits embeddings, norms and head stay as narrow as they were loaded."""
    made = base()
    made.model.to(torch.bfloat16)
    with hushed():
        model = adapted(made, Plan(quantized=True))
    for name, weight in model.named_parameters():
        assert weight.requires_grad == ("lora_" in name)
        assert weight.dtype == (torch.float32 if "lora_" in name else torch.bfloat16)


def test_answers_that_the_box_would_not_show_are_counted(tmp_path):
    """Before anything is learnt."""
    path = tmp_path / "d.csv"
    path.write_text("question,answer\nWhat is E-204?,[line7 4.5] Low pressure.\nAnd now?,Wait.\n")
    done = CliRunner().invoke(
        application(),
        ["assistant", "tune", "--base", str(saved(tmp_path / "base")), "--data", str(path),
         "--documents", str(HERE / "manual"), "--out", str(tmp_path / "adapter"), "--plan"],
    )  # fmt: skip
    assert done.exit_code == 0
    assert "2 dialogues, 90 sections\nanswers without a citation: 1;" in done.output
    assert not (tmp_path / "adapter").exists()


@pytest.mark.parametrize("told", ["learning", "validation"])
def test_a_line_that_is_open_when_training_breaks_off_is_ended(told):
    """What is written next stands in a line of its own."""
    stream, state = io.StringIO(), TrainerState(max_steps=9)
    following = follower(Progress(stream))
    if told == "learning":
        following.on_train_begin(None, state)
        following.on_step_end()
    else:
        following.on_prediction_step(None, state, eval_dataloader=[1, 2])
    following.close()
    assert stream.getvalue() == f"{told}: 1 in 0 s\n"


@pytest.mark.slow
def test_tuning_learns_writes_what_it_did_and_goes_on_after_a_kill(corpus, library, tmp_path):
    """The loss falls; a run cut off at a checkpoint ends with the weights of one that wasn't."""
    from safetensors.numpy import load_file
    from transformers import Trainer, TrainerCallback

    folder = str(saved(tmp_path / "base"))
    plan = Plan(rank=4, alpha=8, rate=5e-3, epochs=1, batch=4, accumulate=1, max_tokens=4096,
                validation=0.2, dropout=0.0, save_steps=2, seed=3)  # fmt: skip
    some = corpus[:24]
    whole = tune(load(folder, dtype="float32"), some, library, "", plan, out=tmp_path / "whole")
    assert whole.after < whole.before
    told = json.loads((tmp_path / "whole" / RECORD).read_text())
    assert told["plan"]["rank"] == 4
    assert json.loads((tmp_path / "whole" / LOSSES).read_text())["learnt"]
    assert (tmp_path / "whole" / "losses.png").stat().st_size > 1000
    assert cost(tmp_path / "whole").adapter_bytes > 0

    class Kill(TrainerCallback):
        def on_save(self, args, state, control, **_):
            raise KeyboardInterrupt

    before = Trainer.train

    def cut(self, **more):
        self.add_callback(Kill())
        return before(self, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "train", cut)
        told = io.StringIO()
        with pytest.raises(KeyboardInterrupt):
            tune(
                load(folder, dtype="float32"), some, library, "", plan, out=tmp_path / "cut",
                progress=Progress(told),
            )  # fmt: skip
    assert re.search(r"\nlearning: 2 in \d+ s\n$", told.getvalue())
    with pytest.raises(LanguageError, match="other settings"):
        tune(load(folder), some, library, "", Plan(seed=9), out=tmp_path / "cut")
    told = io.StringIO()
    again = tune(
        load(folder, dtype="float32"), some, library, "", plan, out=tmp_path / "cut",
        progress=Progress(told),
    )  # fmt: skip
    lines = told.getvalue().splitlines()
    assert [line.partition(":")[0] for line in lines if " in " in line] == [
        "validation", "learning", "validation",
    ]  # fmt: skip
    assert again.steps == whole.steps
    first, second = (load_file(tmp_path / name / WEIGHTS) for name in ("whole", "cut"))
    assert max(abs(first[key] - second[key]).max() for key in first) < 1e-5
    assert not any("embed" in key or "lm_head" in key for key in first)
    with pytest.raises(LanguageError, match="finished already"):
        tune(load(folder), some, library, "", plan, out=tmp_path / "cut")
    assert reload(tmp_path / "cut").stops == load(folder).stops


@pytest.mark.parametrize("name", ["none.gguf", "none", "deep/er/none"])
@pytest.mark.parametrize("read", [load, shape])
def test_a_path_that_leads_nowhere_is_told_as_one(tmp_path, read, name):
    """It is not asked for on the hub."""
    with pytest.raises(LanguageError, match="no such file"):
        read(str(tmp_path / name))


def test_a_name_that_the_hub_does_not_give_tells_what_helps_offline(monkeypatch):
    """Whatever transformers says."""

    def unreachable(*_, **__):
        raise OSError("We couldn't connect")

    monkeypatch.setattr("transformers.AutoConfig.from_pretrained", unreachable)
    with pytest.raises(LanguageError, match=r"nobody/none.*couldn't connect") as told:
        shape("nobody/none")
    assert "HF_HUB_OFFLINE=1" in told.value.remedy


def test_what_is_no_llama_is_refused(tmp_path):
    """Another architecture, an empty folder."""
    with pytest.raises(LanguageError, match=r"no config\.json"):
        load(str(tmp_path))
    made = base()
    made.model.save_pretrained(tmp_path / "other")
    made.tokenizer.save_pretrained(tmp_path / "other")
    config = tmp_path / "other" / "config.json"
    config.write_text(config.read_text().replace('"llama"', '"mistral"'))
    with pytest.raises(LanguageError, match="mistral"):
        load(str(tmp_path / "other"))
