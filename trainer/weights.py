"""Where a trunk's first tensors come from: torchvision, the starter, a file, or chance.

Whatever was asked for is loaded whole or refused; which file it was goes into the run's record.
"""

import hashlib
import pickle
from pathlib import Path
from urllib.error import URLError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, hub, nn
from torchvision.models import get_model_weights

from export.errors import WeightsError
from trainer.run import WeightsRecord

STARTER = Path(__file__).with_name("weights") / "resnet18_starter.fp16.safetensors"
STARTER_ARCH = "resnet18"
IMAGENET = ("IMAGENET1K_V1", "IMAGENET1K_V2")
_TOPS = ("fc.", "classifier.")
_SHOWN = 3

Tensors = dict[str, Tensor]


def fill(trunk: nn.Module, arch: str, asked: str) -> WeightsRecord:
    """Put the weights that were asked for into `trunk`.

    Args:
        trunk: the network's trunk, with torchvision's parameter names.
        arch: its architecture.
        asked: `imagenet` (torchvision's newest for it), `IMAGENET1K_V1`, `IMAGENET1K_V2`,
            `starter`, `none`, or the path of a .safetensors or .pth file.

    Raises:
        WeightsError: they can't be had, or don't fit.
    """
    if asked == "none":
        return WeightsRecord(source="none", name="random")
    if asked == "starter":
        if arch != STARTER_ARCH:
            raise WeightsError(
                f"--weights starter is a {STARTER_ARCH}, not a {arch}",
                f"use --arch {STARTER_ARCH}, or --weights imagenet, none or FILE",
            )
        path, record = STARTER, WeightsRecord(source="starter", name=STARTER.name)
    elif asked == "imagenet" or asked in IMAGENET:
        path, record = _imagenet(arch, asked)
    else:
        path = Path(asked)
        record = WeightsRecord(source="file", name=path.name)
    _put(trunk, _read(path), arch, path)
    return record.model_copy(update={"sha256": hashlib.sha256(path.read_bytes()).hexdigest()})


def _imagenet(arch: str, asked: str) -> tuple[Path, WeightsRecord]:
    known = {weights.name: weights for weights in get_model_weights(arch)}
    name = asked if asked in IMAGENET else get_model_weights(arch)["DEFAULT"].name
    if name not in known or name not in IMAGENET:
        offered = ", ".join(one for one in known if one in IMAGENET)
        raise WeightsError(f"torchvision has no {name} for {arch}", f"use one of: {offered}")
    url = str(known[name].url)
    folder = Path(hub.get_dir()) / "checkpoints"
    path = folder / url.rsplit("/", 1)[1]
    if not path.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # torchvision's file names carry the first digits of their SHA-256.
            prefix = path.stem.rsplit("-", 1)[1]
            hub.download_url_to_file(url, str(path), hash_prefix=prefix, progress=False)
        except (URLError, OSError, RuntimeError) as error:
            other = "--weights starter, " if arch == STARTER_ARCH else ""
            raise WeightsError(
                f"{name} for {arch} is not in {str(folder)!r} and can't be downloaded from "
                f"{url}: {error}",
                f"download {path.name} elsewhere and put it into {str(folder)!r}, or use "
                f"{other}--weights FILE or --weights none",
            ) from error
    return path, WeightsRecord(source="imagenet", name=name)


def _read(path: Path) -> Tensors:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(
            f"no weights {str(path)!r}",
            "give imagenet, starter, none, or the path of a .safetensors or .pth file",
        ) from error
    except (OSError, SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise WeightsError(
            f"{str(path)!r} can't be read: {str(error).splitlines()[0]}",
            "a .safetensors file, or a .pth file that holds tensors and nothing else; if it is a "
            "download that broke off, delete it and try again",
        ) from error
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise WeightsError(
            f"{str(path)!r} is not a table of tensors", "save the model's state_dict() alone"
        )
    return found


def _put(trunk: nn.Module, found: Tensors, arch: str, path: Path) -> None:
    wanted = trunk.state_dict()
    if found and all(name[0].isdigit() for name in found):  # a VGG's `features` alone
        found = {f"features.{name}": tensor for name, tensor in found.items()}
    kept = {k: v.float() if v.is_floating_point() else v for k, v in found.items()}
    kept = {name: tensor for name, tensor in kept.items() if not name.startswith(_TOPS)}
    # Counters of BatchNorm are of no use to a fixed average, and older files lack them.
    missing = [k for k in wanted if k not in kept and not k.endswith("num_batches_tracked")]
    unexpected = [k for k in kept if k not in wanted]
    unlike = [k for k in kept if k in wanted and kept[k].shape != wanted[k].shape]
    if missing or unexpected or unlike:
        told = [
            f"{len(names)} {word} ({', '.join(names[:_SHOWN])}{', …' if names[_SHOWN:] else ''})"
            for word, names in (
                ("missing", missing),
                ("unexpected", unexpected),
                ("of another shape", unlike),
            )
            if names
        ]
        raise WeightsError(
            f"{str(path)!r} does not fit {arch}: {'; '.join(told)}",
            "give weights of the same architecture, under torchvision's names",
        )
    spoilt = [name for name, tensor in kept.items() if not torch.isfinite(tensor).all()]
    if spoilt:
        raise WeightsError(
            f"{str(path)!r} holds numbers that aren't finite in {', '.join(spoilt[:_SHOWN])}",
            "save the weights again in a format of wider range",
        )
    trunk.load_state_dict(wanted | kept)
