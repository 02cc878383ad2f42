"""Errors for the person who must act: what was found, where, and what to do about it.

    LinewardenError            the command ends with its `exit_code` and these sentences, no trace
    ├── PictureError           a picture file can't be used
    ├── DatasetError           a folder of labelled pictures can't be used
    ├── WeightsError           pre-trained weights can't be had
    ├── RunError               a training run's folder can't be used
    ├── BundleError            a bundle can't be made, read or trusted
    │   ├── SignatureError     its signature is missing, wrong, or by an unknown key
    │   └── BusyError          another is being exchanged: it may be tried again
    ├── ConfigError            the appliance's settings are wrong
    ├── CameraError            a source of frames can't be opened or has died
    ├── ProviderError          ONNX Runtime can't run the model as configured
    ├── OutputError            the reject gate's output can't be reached
    ├── SampleError            a kept sample can't be read or written
    ├── BoxError               a box's console can't be reached, or says no
    ├── StoreError             the outbox can't be opened or written
    │   └── AbsentError        no box runs there
    ├── DocumentError          a document for the assistant can't be used
    └── LanguageError          a text model, or what it learns from, can't be used

Anything else that escapes a command is a bug and keeps its trace.
"""


class LinewardenError(Exception):
    """A problem the person at the keyboard can mend.

    Args:
        problem: what was asked, what was found and where: file, key, value.
        remedy: what to do about it, as an instruction.
    """

    exit_code = 2

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  → {self.remedy}" if self.remedy else self.problem


class PictureError(LinewardenError):
    """A picture file can't be used."""


class DatasetError(LinewardenError):
    """A folder of labelled pictures can't be used."""


class WeightsError(LinewardenError):
    """Pre-trained weights can't be had."""


class RunError(LinewardenError):
    """A training run's folder can't be used."""


class BundleError(LinewardenError):
    """A bundle can't be made, read or trusted."""


class SignatureError(BundleError):
    """A bundle's signature is missing, wrong, or by a key nobody here trusts."""


class BusyError(BundleError):
    """Another bundle is being exchanged, or the box stops: it may be tried again."""


class ConfigError(LinewardenError):
    """The appliance's settings are wrong."""


class CameraError(LinewardenError):
    """A source of frames can't be opened or has died."""


class ProviderError(LinewardenError):
    """ONNX Runtime can't run the model as configured."""


class OutputError(LinewardenError):
    """The reject gate's output can't be reached."""


class SampleError(LinewardenError):
    """A kept sample can't be read or written."""


class BoxError(LinewardenError):
    """A box's console can't be reached, or says no.

    Attributes:
        status: HTTP's, or 0 where there was no answer.
    """

    def __init__(self, problem: str, remedy: str = "", status: int = 0) -> None:
        super().__init__(problem, remedy)
        self.status = status


class StoreError(LinewardenError):
    """The outbox can't be opened or written."""


class AbsentError(StoreError):
    """No box runs there."""


class DocumentError(LinewardenError):
    """A document for the assistant can't be used."""


class LanguageError(LinewardenError):
    """A text model, or what it learns from, can't be used."""
