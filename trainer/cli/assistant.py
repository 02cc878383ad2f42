"""`linewarden assistant tune | advise | publish`: the assistant's schooling on the workstation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from export.errors import LanguageError

if TYPE_CHECKING:
    from export.assistant_bundle import AssistantBundle, LanguageParity
    from export.signature import PrivateKey
    from trainer.assistant.base import Base
    from trainer.assistant.parity import Reader
    from trainer.assistant.publish import Material
    from trainer.assistant.tune import Plan

Documents = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Manuals (.md, .txt, .pdf); none: closed-book."),
]
Context = Annotated[Path | None, typer.Option(metavar="FILE", help="The plant's system context.")]


def tune(
    base: Annotated[str, typer.Option(help="Folder, .gguf file, or a name on the hub.")],
    data: Annotated[Path, typer.Option(metavar="FILE", help="Dialogues: .jsonl or .csv.")],
    out: Annotated[Path, typer.Option(metavar="ADAPTER", help="Folder for the adapter.")],
    *,
    documents: Documents = None,
    context: Context = None,
    qlora: Annotated[bool, typer.Option("--qlora", help="The base in 4 bits.")] = False,
    rank: Annotated[int, typer.Option(min=1, help="Of the adapter.")] = 16,
    rate: Annotated[float | None, typer.Option(help="[default: 1e-4, with --qlora 2e-4]")] = None,
    epochs: Annotated[float, typer.Option(help="How often each dialogue is seen.")] = 2.0,
    batch: Annotated[int, typer.Option(min=1, help="Dialogues at once.")] = 1,
    accumulate: Annotated[int, typer.Option(min=1, help="Batches to a step.")] = 16,
    max_tokens: Annotated[int, typer.Option(min=64, help="Of the longest dialogue.")] = 2048,
    seed: Annotated[int, typer.Option(help="Of split, order and adapter.")] = 0,
    allow_personal_data: Annotated[
        bool, typer.Option("--allow-personal-data", help="Let names and numbers be.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Check, estimate, and stop.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Start even if memory seems short.")
    ] = False,
) -> None:
    """Tune a Llama on the plant's dialogues, reading the sections that would be retrieved.

    A dialogue is a line of chat JSONL, {"messages": [{"role": "user", "content": "What now?"},
    {"role": "assistant", "content": "[line7 4.5] Open valve V2."}]}, or a row of a CSV with the
    columns question and answer. An answer cites first, or is NO ENTRY (docs/assistant.md).

    The loss counts the answers only. An interrupted run goes on from its last checkpoint when it is
    started again with the same --out. For several GPUs start it with torchrun.

    For example:

    linewarden assistant tune --base meta-llama/Llama-3.1-8B-Instruct --data dialogues.jsonl
    --documents manual --out adapter --qlora

    linewarden assistant tune --base llama --data dialogues.jsonl --out adapter --plan
    """
    from export.library import Library
    from export.passage import read_folder
    from trainer.assistant import base as bases
    from trainer.assistant.corpus import read_corpus
    from trainer.assistant.lesson import lessons
    from trainer.assistant.tune import Plan
    from trainer.assistant.tune import tune as run
    from trainer.progress import Progress

    told = Plan(
        rank=rank, alpha=2 * rank, rate=rate, epochs=epochs, batch=batch, accumulate=accumulate,
        max_tokens=max_tokens, seed=seed, quantized=qlora,
    )  # fmt: skip
    library = None if documents is None else Library.of(read_folder(documents))
    conversations = read_corpus(data, library, allow_personal=allow_personal_data)
    text = _text(context)
    typer.echo(f"{len(conversations)} dialogues, {0 if library is None else len(library)} sections")
    if library is not None and (bare := sum(one.bare for one in conversations)):
        typer.echo(f"answers without a citation: {bare}; the box would not show them")
    taught = lessons(conversations, library, text, seed)
    _memory(base, told, max(len(one.answer.encode()) for one in taught), force=force)
    if plan:
        return
    done = run(
        bases.load(base, quantized=qlora), conversations, library, text, told, out=out,
        progress=Progress(),
    )  # fmt: skip
    typer.echo(f"adapter in {done.out}: {done.steps} steps, {done.seconds / 60:.1f} minutes")
    if done.before is not None and done.after is not None:
        typer.echo(
            f"validation loss per token of an answer, averaged over dialogues:"
            f" {done.before:.3f} before, {done.after:.3f} after"
        )


def _memory(base: str, plan: "Plan", longest: int, *, force: bool) -> None:
    """Tell, and refuse, by the shape alone; no token is shorter than a byte of the answer."""
    from trainer.assistant import base as bases
    from trainer.assistant import memory
    from trainer.recipe import bf16_in_hardware

    config = bases.shape(base)
    free, where = memory.free_bytes()
    need = memory.estimate(
        config, rank=plan.rank, batch=plan.batch, tokens=plan.max_tokens,
        answer=min(longest + memory.AROUND, plan.max_tokens), quantized=plan.quantized,
        width=memory.BF16 if bf16_in_hardware() else memory.FP32,
        checkpointing="GPU" in where,
    )  # fmt: skip
    typer.echo(f"memory: {need.words()}; {free / memory.GIB:.1f} GiB are free {where}")
    if not force:
        memory.refuse_if_short(need, free, where, quantized=plan.quantized)


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LanguageError(f"{path} can't be read: {error}", "give a text file") from error


def advise(
    base: Annotated[str, typer.Option(help="Folder, .gguf file, or a name on the hub.")],
    heldout: Annotated[Path, typer.Option(metavar="FILE", help="The frozen exam (.jsonl).")],
    documents: Annotated[Path, typer.Option(metavar="FOLDER", help="Manuals, of the exam's too.")],
    *,
    adapter: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="What tune wrote; one for each seed."),
    ] = None,
    context: Context = None,
    arms: Annotated[str, typer.Option(help="Which to sit, by comma [default: all that can].")] = "",
    batch: Annotated[int, typer.Option(min=1, help="Questions at once.")] = 8,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="For the advice.")] = Path(
        "work/advice"
    ),
) -> None:
    """Does tuning pay here? Every arm sits the same frozen exam; then the advice in plain words.

    Answers are kept as they come: started again, it goes on where it was.

    For example:

    linewarden assistant advise --base llama --heldout heldout.jsonl --documents manual
    --adapter adapter-0 --adapter adapter-1 --adapter adapter-2
    """
    from export.library import Library
    from export.passage import read_folder
    from trainer.assistant import advise as advising
    from trainer.assistant.arms import ARMS, MANUAL
    from trainer.assistant.exam import read_exam
    from trainer.assistant.sittings import Hall, sittings
    from trainer.assistant.tune import cost
    from trainer.progress import Progress

    wanted = [one.strip() for one in arms.split(",")] if arms else [a for a in ARMS if a != MANUAL]
    if strange := [one for one in wanted if one not in ARMS]:
        raise LanguageError(f"there is no arm {strange[0]!r}", f"arms are {', '.join(ARMS)}")
    questions, passages = read_exam(heldout), read_folder(documents)
    out.mkdir(parents=True, exist_ok=True)
    hall = Hall(questions, Library.of(passages), passages, _text(context), batch, out)
    sat = sittings(wanted, base, adapter or [], hall, Progress())
    told = advising.advise(questions, sat, cost(adapter[0]) if adapter else None)
    advising.write(out, told, sat, questions)
    typer.echo(advising.table(told))
    typer.echo(told.words)
    typer.echo(f"every answer: {out / 'advice.md'}")


def publish(
    documents: Annotated[Path, typer.Option(metavar="FOLDER", help="The plant's manuals.")],
    out: Annotated[Path, typer.Option(metavar="BUNDLE", help="The bundle's folder.")],
    *,
    name: Annotated[str, typer.Option(help="Of the bundle.")] = "assistant",
    context: Context = None,
    adapter: Annotated[Path | None, typer.Option(metavar="FOLDER", help="What tune wrote.")] = None,
    heldout: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The exam; an adapter or a model needs it.")
    ] = None,
    served: Annotated[str, typer.Option(help="The base's precision as served.")] = "bfloat16",
    with_model: Annotated[
        bool, typer.Option("--with-model", help="Put the whole model in, for the box to run.")
    ] = False,
    base: Annotated[
        str, typer.Option(help="With --with-model and no adapter: folder, .gguf file, or name.")
    ] = "",
    key: Annotated[
        Path | None,
        typer.Option(help="Private key [default: .linewarden/signing.key, made on first use]."),
    ] = None,
) -> None:
    """Publish the assistant as a signed bundle: documents, system context, template, adapter.

    An adapter is loaded again as it is served and compared with the trainer's model; if it answers
    otherwise, nothing is written. With --with-model the bundle carries the whole model, its weights
    rounded to 8 bits in blocks, the adapter beside them; that very file is compared. A box with the
    extra 'text' runs it, without a server.

    For example:

    linewarden assistant publish --documents manual --context context.txt --out bundles/assistant-1

    linewarden assistant publish --documents manual --adapter adapter --heldout heldout.jsonl
    --out bundles/assistant-2

    linewarden assistant publish --documents manual --adapter adapter --heldout heldout.jsonl
    --with-model --out bundles/assistant-3

    linewarden assistant publish --documents manual --base llama --heldout heldout.jsonl
    --with-model --out bundles/assistant-4
    """
    from export import signature
    from export.bundle import next_version
    from export.passage import read_folder
    from export.sealed_folder import refuse_existing
    from trainer.assistant.publish import Material
    from trainer.assistant.publish import publish as write

    refuse_existing(out)
    _refuse_odd(adapter, heldout, base, with_model=with_model)
    passages, text = read_folder(documents), _text(context)
    path = key or signature.PRIVATE_KEY
    private, made = signature.load_or_make(path)
    if made:
        typer.echo(f"made the signing key {path} (keep it secret) and {path.with_suffix('.pub')}")
    material = Material(name, next_version(out.parent, name), passages, text)
    if heldout is None or not (adapter or with_model):
        bundle = write(out, material, private)
    elif with_model:
        bundle = _with_model(out, material, private, heldout, adapter=adapter, base=base)
    else:
        assert adapter is not None
        bundle = _with_adapter(out, material, private, heldout, adapter=adapter, served=served)
    size = sum(entry.bytes for entry in bundle.manifest.files.values())
    typer.echo(
        f"{out}: version {material.version}, {bundle.manifest.sections} sections, {size / 1e6:.1f}"
        f" MB"
    )


def _refuse_odd(adapter: Path | None, heldout: Path | None, base: str, *, with_model: bool) -> None:
    """Raise LanguageError if what was asked for doesn't fit together."""
    if (adapter is not None or with_model) and heldout is None:
        raise LanguageError(
            "an adapter or model is published only after parity", "give --heldout, the exam"
        )
    if base and (adapter is not None or not with_model):
        raise LanguageError(
            "--base is for a model without an adapter; an adapter knows its own",
            "give --with-model and no --adapter, or leave --base out",
        )
    if with_model and adapter is None and not base:
        raise LanguageError("--with-model: which model is not said", "give --adapter or --base")


def _with_adapter(
    out: Path, material: "Material", key: "PrivateKey", heldout: Path, *, adapter: Path,
    served: str,
) -> "AssistantBundle":  # fmt: skip
    from trainer.assistant.parity import Loaded
    from trainer.assistant.publish import publish as write
    from trainer.assistant.tune import reload

    base = reload(adapter, dtype="float32")
    told = _compared(base, Loaded(reload(adapter, dtype=served)), material, heldout, served)
    return write(out, material, key, adapter=adapter, base=base, told=told)


def _with_model(
    out: Path, material: "Material", key: "PrivateKey", heldout: Path, *, adapter: Path | None,
    base: str,
) -> "AssistantBundle":  # fmt: skip
    import os
    from tempfile import TemporaryDirectory

    from trainer.assistant import base as bases
    from trainer.assistant.box_model import Filed, write_model
    from trainer.assistant.publish import publish as write
    from trainer.assistant.tune import reload

    trained = bases.load(base, dtype="float32") if adapter is None else reload(
        adapter, dtype="float32"
    )  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}.model.", dir=out.parent) as folder:
        model = write_model(trained, Path(folder))
        how = f"{model.described.weights}, by {model.described.runtime}"
        told = _compared(trained, Filed(model, os.cpu_count() or 1), material, heldout, how)
        return write(out, material, key, base=trained, told=told, model=model)


def _compared(
    trained: "Base", served: "Reader", material: "Material", heldout: Path, how: str
) -> "LanguageParity":
    from export.library import Library
    from trainer.assistant.exam import read_exam
    from trainer.assistant.parity import doubt, parity
    from trainer.progress import Progress

    told = parity(
        trained, served, read_exam(heldout), Library.of(material.passages),
        context=material.context, progress=Progress(),
    )  # fmt: skip
    typer.echo(
        f"parity: {told.top1_agreement:.1%} of {told.tokens} tokens agree, divergence"
        f" {told.mean_divergence:.4f} nats, {told.facts} of {told.of} right as served in {how}"
    )
    if warning := doubt(told):
        typer.echo(f"warning: {warning}", err=True)
    return told
