"""Tuning: LoRA, or QLoRA over a base in 4 bits, by transformers' Trainer with our own mask.

The adapter folder holds peft's files, the tokenizer, the losses as they fell (with a picture), and
tuning.json: everything needed to do it again. Checkpoints lie in it while it runs; resuming goes on
from the last. Several GPUs: start it with torchrun or accelerate, the Trainer does the rest.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from export import dialogue, stamp
from export.conversation import Conversation
from export.errors import LanguageError
from export.library import Library
from trainer.assistant import base as bases
from trainer.assistant.advise import Cost
from trainer.assistant.base import Base
from trainer.assistant.corpus import split
from trainer.assistant.following import follower
from trainer.assistant.lesson import Lesson, collator, lessons, tokens
from trainer.progress import Progress
from trainer.recipe import bf16_in_hardware

RECORD = "tuning.json"
LOSSES = "losses.json"
WEIGHTS = "adapter_model.safetensors"
_LINEAR = "all-linear"


@dataclass(frozen=True, slots=True)
class Plan:
    """How to tune. The defaults are for Llama 3.1 8B.

    Rank 16, alpha 32, every linear layer, dropout 0.05, cosine with 5% warm-up, 2 epochs, 16
    dialogues a step: between torchtune's llama3_1/8B_lora_single_device (rank 8, alpha 16, 3e-4, 16
    a step) and LLaMA-Factory's llama3_lora_sft (rank 8, all linear, 1e-4, 3 epochs). QLoRA takes
    twice the rate (Dettmers et al., arXiv 2305.14314, appendix B).
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    rate: float | None = None  # 1e-4, with 4 bits 2e-4
    epochs: float = 2.0
    batch: int = 1
    accumulate: int = 16
    max_tokens: int = 2048
    validation: float = 0.1
    seed: int = 0
    quantized: bool = False
    save_steps: int = 20

    def __post_init__(self) -> None:
        for name in ("rank", "alpha", "epochs", "batch", "accumulate", "max_tokens"):
            if getattr(self, name) <= 0:
                raise LanguageError(f"{name} is {getattr(self, name)}", "give a number above 0")
        if not 0 <= self.validation < 0.5:
            raise LanguageError(f"validation is {self.validation}", "give a share below 0.5")

    @property
    def learning_rate(self) -> float:
        """The rate asked for, or the default."""
        return self.rate if self.rate is not None else 2e-4 if self.quantized else 1e-4


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of it: losses on the validation dialogues, before and after.

    The mean over batches of the loss per token of their answers, each weighing as its dialogues do:
    of one dialogue a batch, the mean over dialogues, long and short alike.
    """

    out: Path
    before: float | None
    after: float | None
    steps: int
    seconds: float


@bases.hushed()
def tune(
    base: Base,
    conversations: Sequence[Conversation],
    library: Library | None,
    context: str,
    plan: Plan,
    *,
    out: Path,
    progress: Progress | None = None,
) -> Tuned:
    """Tune `base` and write the adapter to `out`; an interrupted run in `out` is gone on with.

    Raises:
        LanguageError, DatasetError: a dialogue can't be learnt from, or `out` holds something else.
    """
    from transformers import PrinterCallback, Trainer, set_seed  # noqa: PLC0415

    resume = _resumable(out, plan, base.name)
    learn, check = split(conversations, plan.validation, plan.seed)
    taught = _encoded(base, lessons(learn, library, context, plan.seed), plan)
    checked = _encoded(base, lessons(check, library, context, plan.seed), plan)
    set_seed(plan.seed)
    model = adapted(base, plan)
    _record(
        out,
        plan,
        base,
        counts={"learnt": len(taught), "checked": len(checked)},
        context=context,
        library=library,
    )
    with closing(follower(progress or Progress(None))) as following:
        trainer = Trainer(
            model=model, args=arguments(out, plan, checked=bool(checked)), train_dataset=taught,
            eval_dataset=checked or None, data_collator=collator(base.tokenizer),
            processing_class=base.tokenizer, callbacks=[following],
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        before = None if resume or not checked else float(trainer.evaluate()["eval_loss"])
        set_seed(plan.seed)  # evaluating has drawn from it: a resumed run sees the same order
        done = trainer.train(resume_from_checkpoint=resume)
        after = float(trainer.evaluate()["eval_loss"]) if checked else None
    model.save_pretrained(out)
    base.tokenizer.save_pretrained(out)
    _losses(out, trainer.state.log_history, before)
    seconds = float(done.metrics["train_runtime"])
    told = json.loads((out / RECORD).read_text())
    told["minutes"] = seconds / 60
    (out / RECORD).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return Tuned(out, before, after, int(trainer.state.global_step), seconds)


def _resumable(out: Path, plan: Plan, base: str) -> str | None:
    """The checkpoint to go on from; a finished or different run in `out` is refused."""
    if not out.exists() or not any(out.iterdir()):
        return None
    try:
        told = json.loads((out / RECORD).read_text())
    except (OSError, ValueError) as error:
        raise LanguageError(
            f"{out} exists and is no interrupted tuning", "choose another --out, or delete it"
        ) from error
    if told["plan"] != asdict(plan) or told["base"] != base:
        raise LanguageError(
            f"{out} was begun with other settings", "give the same ones, or choose another --out"
        )
    if (out / WEIGHTS).exists():
        raise LanguageError(f"{out} is finished already", "choose another --out, or delete it")
    from transformers.trainer_utils import get_last_checkpoint  # noqa: PLC0415

    return get_last_checkpoint(str(out))


def _encoded(base: Base, some: Sequence[Lesson], plan: Plan) -> list[dict[str, list[int]]]:
    return [tokens(base.tokenizer, one, plan.max_tokens) for one in some]


def adapted(base: Base, plan: Plan) -> Any:
    """The base with an adapter that alone learns, in float32.

    Over 4 bits, too, embeddings and head keep the 16 bits they came in, as in QLoRA's own code:
    peft's prepare_model_for_kbit_training would widen them to float32, 2 GiB more of an 8B. What
    else it does is done here and by the Trainer; Llama's norms work in float32 by themselves.
    """
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415

    model = base.model
    model.config.use_cache = False
    if model.device.type == "cuda":
        model.enable_input_require_grads()  # gradient checkpointing cuts the path otherwise
    config = LoraConfig(
        r=plan.rank, lora_alpha=plan.alpha, lora_dropout=plan.dropout, target_modules=_LINEAR,
        task_type="CAUSAL_LM",
    )  # fmt: skip
    return get_peft_model(model, config)


def arguments(out: Path, plan: Plan, *, checked: bool) -> Any:
    """The Trainer's settings; bfloat16 only where the GPU multiplies in it.

    An older one works in float32: float16 would need its losses scaled.
    """
    import torch  # noqa: PLC0415
    from transformers import TrainingArguments  # noqa: PLC0415

    gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(out), num_train_epochs=plan.epochs, learning_rate=plan.learning_rate,
        per_device_train_batch_size=plan.batch, per_device_eval_batch_size=plan.batch,
        gradient_accumulation_steps=plan.accumulate, gradient_checkpointing=gpu,
        lr_scheduler_type="cosine", warmup_steps=0.05, weight_decay=0.01, max_grad_norm=1.0,
        optim="adamw_torch", train_sampling_strategy="group_by_length",
        eval_strategy="epoch" if checked else "no", save_strategy="steps",
        save_steps=plan.save_steps, save_total_limit=2, logging_steps=1, use_cpu=not gpu,
        bf16=gpu and bf16_in_hardware(), seed=plan.seed, report_to=[], disable_tqdm=True,
        label_names=["labels"], dataloader_pin_memory=gpu,
    )  # fmt: skip


def _record(
    out: Path,
    plan: Plan,
    base: Base,
    *,
    counts: dict[str, int],
    context: str,
    library: Library | None,
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    told = {
        "base": base.name,
        "plan": asdict(plan),
        "form": dialogue.FORM,
        "context": context,
        "documents": 0 if library is None else len(library),
        "lessons": counts,
        "stops": list(base.stops),
        "begun_at": stamp.now(),
    }
    (out / RECORD).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def _losses(out: Path, history: list[dict[str, Any]], before: float | None) -> None:
    """The losses as data and as a picture."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    learnt = [(one["step"], one["loss"]) for one in history if "loss" in one]
    checked = [(one["step"], one["eval_loss"]) for one in history if "eval_loss" in one]
    if before is not None and (not checked or checked[0][0] != 0):
        checked.insert(0, (0, before))
    told = {"learnt": learnt, "checked": checked}
    (out / LOSSES).write_text(json.dumps(told) + "\n")
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for name, points in (("learnt from", learnt), ("validation", checked)):
        if points:
            axes.plot(*zip(*points, strict=True), marker="." if name == "validation" else "",
                      label=name)  # fmt: skip
    axes.set(xlabel="step", ylabel="loss per token of an answer", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(out / "losses.png", dpi=120)


@bases.hushed()
def reload(adapter: Path, *, dtype: str = "auto") -> Base:
    """A base with a finished adapter on it, for judging; nothing is merged.

    Raises:
        LanguageError: the folder holds no finished tuning.
    """
    from peft import PeftModel  # noqa: PLC0415

    try:
        told = json.loads((adapter / RECORD).read_text())
    except (OSError, ValueError) as error:
        raise LanguageError(
            f"{adapter} holds no tuning: {error}", "give what tune wrote"
        ) from error
    base = bases.load(told["base"], dtype=dtype)
    base.model = PeftModel.from_pretrained(base.model, str(adapter))
    return base


def cost(adapter: Path) -> Cost:
    """What a finished tuning cost; raises LanguageError if the folder holds none."""
    try:
        minutes = float(json.loads((adapter / RECORD).read_text())["minutes"])
        return Cost(minutes, (adapter / WEIGHTS).stat().st_size)
    except (OSError, ValueError, KeyError) as error:
        raise LanguageError(f"{adapter} holds no finished tuning: {error}", "finish it") from error
