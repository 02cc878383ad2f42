"""The processes that train one run together: usually one, or as many as torchrun started.

All do the same steps on the same pictures, each computes its share, and what they find is put
together, so that every one of them holds the same network after every step. Only the first
speaks and writes. It knows nothing of networks, pictures or recipes.

Started by anything that sets torch.distributed's variables: torchrun, `accelerate launch`, a SLURM
or Kubernetes job.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar, cast

import torch
from torch import Tensor, distributed, nn

from trainer.workers import place

T = TypeVar("T")
_STRIDE = 1_000_003  # between the random numbers of two processes


@dataclass(frozen=True, slots=True)
class Crew:
    """Who this process is.

    Attributes:
        rank: of this process, from 0, the first.
        size: how many there are.
        device: what this one computes on.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process speaks and writes."""
        return self.rank == 0

    def shares(self, count: int) -> list[range]:
        """`count` things dealt to the processes, in order; all to everyone if there are too few."""
        if count < self.size:
            return [range(count)] * self.size
        edges = [count * rank // self.size for rank in range(self.size + 1)]
        return [range(a, b) for a, b in pairwise(edges)]

    def share(self, count: int) -> range:
        """This process's share."""
        return self.shares(count)[self.rank]

    def collect(self, whole: Tensor) -> Tensor:
        """Everyone's results in order: `whole` (N,…), on the CPU, has this process's share."""
        count = len(whole)
        if self.size == 1 or count < self.size:
            return whole
        for rank, share in enumerate(self.shares(count)):
            part = whole[share.start : share.stop]
            part.copy_(self._told(part, rank))
        return whole

    def add(self, tensors: Iterable[Tensor], factor: float = 1.0) -> None:
        """Replace each tensor by `factor` times the sum of everyone's; all in one message."""
        if self.size == 1:
            return
        theirs = list(tensors)
        flat = torch.cat([tensor.detach().flatten().to(self.device) for tensor in theirs])
        distributed.all_reduce(flat)
        pieces = (flat * factor).split([tensor.numel() for tensor in theirs])
        with torch.no_grad():
            for tensor, piece in zip(theirs, pieces, strict=True):
                tensor.copy_(piece.view_as(tensor))

    def total(self, number: float) -> float:
        """The sum of everyone's number."""
        told = [torch.tensor(number, dtype=torch.float64)]
        self.add(told)
        return told[0].item()

    def agreed(self, thing: T) -> T:
        """The first process's `thing`, which all others take over."""
        if self.size == 1:
            return thing
        box = [thing]
        distributed.broadcast_object_list(box, src=0)
        return cast("T", box[0])

    def lead(self, network: nn.Module) -> None:
        """Give every process the first one's tensors."""
        if self.size > 1:
            told = self.agreed({k: v.cpu() for k, v in network.state_dict().items()})
            network.load_state_dict(told)

    def chance(self, common: torch.Generator) -> torch.Generator:
        """Random numbers of this process's own, from those that all draw alike."""
        if self.size == 1:
            return common
        seed = int(torch.randint(2**40, (1,), generator=common).item())
        return torch.Generator().manual_seed(seed + _STRIDE * self.rank)

    @contextmanager
    def folder(self, wanted: Path) -> Iterator[Path]:
        """Where this process may write: the folder itself for the first, scratch for others."""
        if self.first:
            yield wanted
            return
        with TemporaryDirectory(prefix="linewarden-") as scratch:
            yield Path(scratch) / wanted.name

    def _told(self, part: Tensor, rank: int) -> Tensor:
        there = part.to(self.device)
        distributed.broadcast(there, src=rank)
        return there.to("cpu")


@cache
def crew() -> Crew:
    """The processes of this run; those that were started together meet at the first call.

    Raises:
        LinewardenError: the variables that torchrun sets are there in part, or can't be.
    """
    here = place()
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", here.local % torch.cuda.device_count())
        torch.cuda.set_device(device)
    if here.size > 1:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Crew(here.rank, here.size, device)


def dismiss() -> None:
    """Part in order, so that no process waits for one that has ended."""
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()
        crew.cache_clear()
