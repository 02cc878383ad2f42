"""Aravis, the GenICam library, through its C interface: GigE Vision and USB3 Vision cameras.

Called by ctypes, since its Python door (PyGObject) can't be installed as a wheel: see
docs/decisions. Takes the system's library (Debian: libaravis-0.8-0) or that of the PyPI package
aravis-python. Only what a capture needs; knows nothing of frames or settings.
"""

import ctypes
from contextlib import suppress
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_uint, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from export.errors import CameraError

LIBRARY = "libaravis-0.8.so.0"
SUCCESS = 0
STATUS = {
    -1: "its state is not known",
    1: "it was cleared",
    2: "it was not complete in time",
    3: "packets of it are missing",
    4: "its packets are numbered wrongly",
    5: "it is larger than was agreed",
    6: "it is still being filled",
    7: "it was aborted",
    8: "its kind of payload is not supported",
}  # ArvBufferStatus, arvbuffer.h


class _Error(ctypes.Structure):
    """A GError."""

    _fields_ = (("domain", c_uint32), ("code", c_int), ("message", c_char_p))


_PLAIN: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "arv_get_n_devices": (c_uint, ()),
    "arv_update_device_list": (None, ()),
    "arv_get_device_id": (c_char_p, (c_uint,)),
    "arv_camera_get_device": (c_void_p, (c_void_p,)),
    "arv_camera_is_gv_device": (c_int, (c_void_p,)),
    "arv_buffer_new_allocate": (c_void_p, (ctypes.c_size_t,)),
    "arv_buffer_get_status": (c_int, (c_void_p,)),
    "arv_buffer_get_frame_id": (c_uint64, (c_void_p,)),
    "arv_buffer_get_system_timestamp": (c_uint64, (c_void_p,)),
    "arv_buffer_get_image_width": (c_int, (c_void_p,)),
    "arv_buffer_get_image_height": (c_int, (c_void_p,)),
    "arv_buffer_get_image_pixel_format": (c_uint32, (c_void_p,)),
    "arv_buffer_get_image_data": (c_void_p, (c_void_p, POINTER(ctypes.c_size_t))),
    "arv_stream_push_buffer": (None, (c_void_p, c_void_p)),
    "arv_stream_timeout_pop_buffer": (c_void_p, (c_void_p, c_uint64)),
    "arv_stream_get_statistics": (None, (c_void_p, *[POINTER(c_uint64)] * 3)),
    "arv_gv_stream_get_statistics": (None, (c_void_p, *[POINTER(c_uint64)] * 2)),
    "g_free": (None, (c_void_p,)),
    "g_object_unref": (None, (c_void_p,)),
    "g_error_free": (None, (POINTER(_Error),)),
}
# These take a GError** as well, last.
_FALLIBLE: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "arv_camera_new": (c_void_p, (c_char_p,)),
    "arv_camera_get_vendor_name": (c_char_p, (c_void_p,)),
    "arv_camera_get_model_name": (c_char_p, (c_void_p,)),
    "arv_camera_get_payload": (c_uint, (c_void_p,)),
    "arv_camera_create_stream": (c_void_p, (c_void_p, c_void_p, c_void_p)),
    "arv_camera_start_acquisition": (None, (c_void_p,)),
    "arv_camera_stop_acquisition": (None, (c_void_p,)),
    "arv_camera_set_acquisition_mode": (None, (c_void_p, c_int)),
    "arv_camera_set_pixel_format_from_string": (None, (c_void_p, c_char_p)),
    "arv_camera_dup_available_pixel_formats_as_strings": (
        POINTER(c_char_p), (c_void_p, POINTER(c_uint)),
    ),
    "arv_camera_get_region": (None, (c_void_p, *[POINTER(c_int)] * 4)),
    "arv_camera_set_region": (None, (c_void_p, c_int, c_int, c_int, c_int)),
    "arv_camera_is_frame_rate_available": (c_int, (c_void_p,)),
    "arv_camera_is_exposure_time_available": (c_int, (c_void_p,)),
    "arv_camera_is_gain_available": (c_int, (c_void_p,)),
    "arv_camera_set_frame_rate": (None, (c_void_p, c_double)),
    "arv_camera_set_exposure_time": (None, (c_void_p, c_double)),
    "arv_camera_set_gain": (None, (c_void_p, c_double)),
    "arv_camera_set_trigger": (None, (c_void_p, c_char_p)),
    "arv_camera_clear_triggers": (None, (c_void_p,)),
    "arv_camera_gv_set_packet_size": (None, (c_void_p, c_int)),
    "arv_device_is_feature_available": (c_int, (c_void_p, c_char_p)),
    "arv_device_set_features_from_string": (c_int, (c_void_p, c_char_p)),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What a camera sent.

    Attributes:
        number: its frame id, from 0 or 1; 16 bits in GigE Vision 1, without 0.
        status: SUCCESS, or a key of STATUS.
        at_ns: wall clock when its first packet came.
        pixel_format: GenICam's code (PFNC); 0 unless it is complete.
        width, height: in pixels.
        data: its bytes, copied.
    """

    number: int
    status: int
    at_ns: int
    pixel_format: int
    width: int
    height: int
    data: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Since the stream began: frames that failed, that found no buffer, packets sent again, lost.

    `missing` packets never came; `resent` ones came at the second asking.
    """

    failed: int
    underruns: int
    resent: int
    missing: int


class Aravis:
    """The library; raises CameraError where it isn't installed."""

    def __init__(self) -> None:
        self._library = _loaded()
        for name, (result, arguments) in _PLAIN.items():
            self._declare(name, result, arguments)
        for name, (result, arguments) in _FALLIBLE.items():
            self._declare(name, result, (*arguments, POINTER(POINTER(_Error))))

    def _declare(self, name: str, result: Any, arguments: tuple[Any, ...]) -> None:
        try:
            function = getattr(self._library, name)
        except AttributeError as error:
            raise CameraError(
                f"this Aravis has no {name}", "install libaravis-0.8-0 0.8.20 or later"
            ) from error
        function.restype, function.argtypes = result, arguments

    def call(self, name: str, *arguments: Any) -> Any:
        """A function that can't fail."""
        return getattr(self._library, name)(*arguments)

    def ask(self, name: str, *arguments: Any) -> Any:
        """A function that can; raises CameraError with the library's own words."""
        error = POINTER(_Error)()
        result = getattr(self._library, name)(*arguments, byref(error))
        if error:
            said = (error.contents.message or b"").decode(errors="replace")
            self.call("g_error_free", error)
            raise CameraError(said or f"{name} failed")
        return result

    def names(self) -> list[str]:
        """Of all cameras that answer on every network of this box, and on USB; takes a second."""
        self.call("arv_update_device_list")
        count = self.call("arv_get_n_devices")
        found = (self.call("arv_get_device_id", index) for index in range(count))
        return [name.decode(errors="replace") for name in found if name]


class Connection:
    """One camera, from now until the process ends or `close`.

    Raises:
        CameraError: none of that name answers, or somebody else controls it.
    """

    def __init__(self, library: Aravis, name: str) -> None:
        self._library = library
        self._camera = library.ask("arv_camera_new", name.encode() if name else None)
        self._device = library.call("arv_camera_get_device", self._camera)
        self._stream: int | None = None
        self.network = bool(library.call("arv_camera_is_gv_device", self._camera))

    def ask(self, name: str, *arguments: Any) -> Any:
        """`arv_camera_…` with this camera."""
        return self._library.ask(f"arv_camera_{name}", self._camera, *arguments)

    def set(self, features: str) -> None:
        """Set features by their GenICam names, as 'Name=value Name=value'."""
        self._library.ask("arv_device_set_features_from_string", self._device, features.encode())

    def has(self, feature: str) -> bool:
        """Whether the camera has this feature now."""
        asked = (self._device, feature.encode())
        return bool(self._library.ask("arv_device_is_feature_available", *asked))

    def pixel_formats(self) -> list[str]:
        """What it can send now, by GenICam's names."""
        count = c_uint()
        names = self.ask("dup_available_pixel_formats_as_strings", byref(count))
        found = [names[index].decode() for index in range(count.value)]
        self._library.call("g_free", names)
        return found

    def region(self) -> tuple[int, int, int, int]:
        """(x, y, width, height) of what it sends of its sensor."""
        told = [c_int() for _ in range(4)]
        self.ask("get_region", *map(byref, told))
        x, y, width, height = (one.value for one in told)
        return x, y, width, height

    def begin(self, buffers: int) -> None:
        """Start sending, into so many buffers."""
        self._stream = self.ask("create_stream", None, None)
        size = self.ask("get_payload")
        for _ in range(buffers):
            buffer = self._library.call("arv_buffer_new_allocate", size)
            self._library.call("arv_stream_push_buffer", self._stream, buffer)
        self.ask("start_acquisition")

    def next(self, timeout_s: float) -> Picture | None:
        """The next picture, complete or not, or None if none came in time."""
        call = self._library.call
        buffer = call("arv_stream_timeout_pop_buffer", self._stream, round(timeout_s * 1e6))
        if not buffer:
            return None
        try:
            return self._picture(buffer)
        finally:
            call("arv_stream_push_buffer", self._stream, buffer)

    def statistics(self) -> Statistics:
        """Of the stream."""
        counts = [c_uint64() for _ in range(5)]
        call, refs = self._library.call, [byref(one) for one in counts]
        call("arv_stream_get_statistics", self._stream, *refs[:3])
        if self.network:
            call("arv_gv_stream_get_statistics", self._stream, *refs[3:])
        _, failed, underruns, resent, missing = (one.value for one in counts)
        return Statistics(failed, underruns, resent, missing)

    def close(self) -> None:
        """Stop sending and let the camera go; never raises."""
        with suppress(CameraError):  # it is gone already
            if self._stream:
                self.ask("stop_acquisition")
                self._library.call("g_object_unref", self._stream)
        self._library.call("g_object_unref", self._camera)

    def _picture(self, buffer: int) -> Picture:
        call = self._library.call
        number = call("arv_buffer_get_frame_id", buffer)
        status = call("arv_buffer_get_status", buffer)
        at_ns = call("arv_buffer_get_system_timestamp", buffer)
        if status != SUCCESS:
            return Picture(number, status, at_ns, 0, 0, 0, np.empty(0, np.uint8))
        size = ctypes.c_size_t()
        data = call("arv_buffer_get_image_data", buffer, byref(size))
        raw = np.frombuffer(ctypes.string_at(data, size.value), np.uint8)
        width = call("arv_buffer_get_image_width", buffer)
        height = call("arv_buffer_get_image_height", buffer)
        code = call("arv_buffer_get_image_pixel_format", buffer)
        return Picture(number, status, at_ns, code, width, height, raw)


def _loaded() -> Any:
    """The system's library, or the one that PyPI's aravis-python carries."""
    tried: list[str] = []
    for where in (LIBRARY, *_carried()):
        try:
            return ctypes.CDLL(where)
        except OSError as error:
            tried.append(str(error))
    raise CameraError(
        f"a source of kind 'genicam' needs Aravis: {'; '.join(tried)}",
        "Debian: apt install libaravis-0.8-0; elsewhere: pip install 'linewarden[genicam]'",
    )


def _carried() -> list[str]:
    """Where aravis-python has its library, without importing it: that would need PyGObject."""
    found = find_spec("aravis")
    places = found.submodule_search_locations if found else None
    return [str(Path(place) / "lib" / LIBRARY) for place in places or ()]
