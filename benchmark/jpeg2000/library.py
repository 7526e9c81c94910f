"""Finds OpenJPEG and declares its functions, without a system package and without a configuration file.

Pillow's wheel carries a complete libopenjp2, and glymur, which depends on Pillow, carries its structures as ctypes.
glymur itself would look for a library in the user's glymurrc or in the system; here its binding module is loaded a
second time, privately, with Pillow's library in the place of that search, so that a user's own glymur stays untouched.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import threading
from ctypes.util import find_library
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmark.errors import InvalidInputError

#: `system`, or the path of another libopenjp2; unset: the one in Pillow's wheel.
VARIABLE = "VEILBENCH_OPENJPEG"

READ = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
SKIP = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
SEEK = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p)
MESSAGE = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p)

_lock = threading.Lock()


def openjpeg_version() -> str:
    """Version of the OpenJPEG library in use, for records: codestreams differ between versions.

    >>> openjpeg_version().split(".")[0]
    '2'
    """
    return str(binding().version())


def binding() -> ModuleType:
    """glymur's ctypes structures, bound to the chosen library, which is their `OPENJP2`; loaded once.

    Raises InvalidInputError where there is no usable library.
    """
    with _lock:
        return _load(os.environ.get(VARIABLE, ""))


@cache
def _load(choice: str) -> ModuleType:
    path = library_path(choice)
    try:
        library = ctypes.CDLL(path)
        library.opj_decoder_set_strict_mode  # noqa: B018 - looked up to learn whether it is there: since 2.5.0
    except OSError as error:
        raise InvalidInputError(f"OpenJPEG could not be loaded from {path}: {error}; see {VARIABLE}") from None
    except AttributeError:
        raise InvalidInputError(f"{path} is no OpenJPEG 2.5 or newer; name another one in {VARIABLE}") from None
    module = _bind(library)
    _declare(library, module)
    return module


def library_path(choice: str = "") -> str:
    """The file that OpenJPEG is loaded from, by choice: empty (Pillow's), `system`, or a path.

    >>> "openjp2" in library_path()
    True
    """
    if choice == "system":
        found = find_library("openjp2")
        if found is None:
            raise InvalidInputError(
                f"{VARIABLE}=system, but the system has no libopenjp2; install it or unset {VARIABLE}"
            )
        return found
    if choice:
        if not Path(choice).is_file():
            raise InvalidInputError(
                f"{VARIABLE}={choice}: there is no such file; give `system` or a path to libopenjp2"
            )
        return choice
    import PIL

    package = Path(PIL.__file__).parent
    folders = [package.parent / "pillow.libs", package / ".dylibs"]  # Linux; macOS
    for folder in folders:
        for path in sorted(folder.glob("libopenjp2*")):
            return str(path)
    raise InvalidInputError(
        f"this Pillow carries no libopenjp2 (looked in {', '.join(map(str, folders))}); "
        f"install Pillow from its wheel, or set {VARIABLE} to `system` or to a path"
    )


def _bind(library: ctypes.CDLL) -> ModuleType:
    import glymur.config

    spec = importlib.util.find_spec("glymur.lib.openjp2")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    search = glymur.config.glymur_config
    glymur.config.glymur_config = lambda name: library
    try:
        spec.loader.exec_module(module)
    finally:
        glymur.config.glymur_config = search
    return module


def _declare(library: ctypes.CDLL, module: ModuleType) -> None:
    """Declares prototypes once. glymur's wrappers do so in every call, which is slow and not thread-safe."""
    pointer, flag, size = ctypes.c_void_p, ctypes.c_int32, ctypes.c_size_t
    image = ctypes.POINTER(module.ImageType)
    prototypes: dict[str, tuple[Any, list[Any]]] = {
        "stream_create": (pointer, [size, flag]),
        "stream_destroy": (None, [pointer]),
        "stream_set_read_function": (None, [pointer, READ]),
        "stream_set_write_function": (None, [pointer, READ]),
        "stream_set_skip_function": (None, [pointer, SKIP]),
        "stream_set_seek_function": (None, [pointer, SEEK]),
        "stream_set_user_data": (None, [pointer, pointer, pointer]),
        "stream_set_user_data_length": (None, [pointer, ctypes.c_uint64]),
        "set_error_handler": (flag, [pointer, MESSAGE, pointer]),
        "create_compress": (pointer, [ctypes.c_int]),
        "create_decompress": (pointer, [ctypes.c_int]),
        "destroy_codec": (None, [pointer]),
        "set_default_encoder_parameters": (None, [ctypes.POINTER(module.CompressionParametersType)]),
        "set_default_decoder_parameters": (None, [ctypes.POINTER(module.DecompressionParametersType)]),
        "setup_encoder": (flag, [pointer, ctypes.POINTER(module.CompressionParametersType), image]),
        "setup_decoder": (flag, [pointer, ctypes.POINTER(module.DecompressionParametersType)]),
        "encoder_set_extra_options": (flag, [pointer, ctypes.POINTER(ctypes.c_char_p)]),
        "start_compress": (flag, [pointer, image, pointer]),
        "encode": (flag, [pointer, pointer]),
        "end_compress": (flag, [pointer, pointer]),
        "read_header": (flag, [pointer, pointer, ctypes.POINTER(image)]),
        "decode": (flag, [pointer, pointer, image]),
        "end_decompress": (flag, [pointer, pointer]),
        "image_create": (image, [ctypes.c_uint32, ctypes.POINTER(module.ImageComptParmType), ctypes.c_int]),
        "image_destroy": (None, [image]),
    }
    for name, (result, arguments) in prototypes.items():
        function = getattr(library, f"opj_{name}")
        function.restype, function.argtypes = result, arguments
