"""What is installed: our packages and not their namesakes, and exactly one ONNX Runtime."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module, metadata
from pathlib import Path

from edge.doctor.finding import Finding, ill, well
from edge.inspection.session import refuse_two_runtimes

OURS = "linewarden"
ROOMS = ("edge", "export")


def installed(
    homes: Mapping[str, Path] | None = None,
    owners: Mapping[str, Sequence[str]] | None = None,
    distributions: Sequence[str] | None = None,
) -> Iterator[Finding]:
    """Whether the program that runs is the one that was installed.

    PyPI has distributions that install packages called `edge`, `export` or `trainer` over ours
    (`trainer` 0.0.36 does), and pip reports success.

    Args:
        homes: {room: its folder}; None asks Python. So with the others.
        owners: {top-level package: distributions that brought it}.
        distributions: names of what is installed.

    Raises:
        ProviderError: two ONNX Runtimes.
    """
    found = homes or {room: _home(room) for room in ROOMS}
    parents = {path.parent for path in found.values()}
    if len(parents) > 1:
        told = ", ".join(f"{room} from {path}" for room, path in found.items())
        yield ill("program", f"its packages come from different places: {told}", _AFRESH)
    owned = metadata.packages_distributions() if owners is None else owners
    for room in (*ROOMS, "trainer"):
        strangers = sorted({name for name in owned.get(room, ()) if name.lower() != OURS})
        if strangers:
            said = f"the package {room!r} was also installed by {', '.join(strangers)}"
            yield ill("program", said, f"pip uninstall {' '.join(strangers)}, then {_AFRESH}")
            return
    if len(parents) == 1:
        yield well("program", f"{OURS} {_version()} in {parents.pop()}")
    refuse_two_runtimes(distributions)
    yield well("runtime", "one ONNX Runtime is installed")


_AFRESH = f"pip install --force-reinstall --no-deps {OURS}, in an environment of its own"


def _home(room: str) -> Path:
    return Path(str(import_module(room).__file__)).parent


def _version() -> str:
    from export import __version__  # noqa: PLC0415 - the namesakes have none

    return __version__
