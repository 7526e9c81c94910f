"""What selective encryption costs beside AES-256-GCM over the whole file, and our OpenJPEG calls beside bare ones.

    python perf/jpeg2000.py [--samples 300] [--repetitions 7]

Real LFW crops from $VEILBENCH_DATA or ../shared/data. CPU time of one process and thread, median of the repetitions;
the ratios are of one run, so that the machine cancels out.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib.util
import io
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from Crypto.Cipher import AES
from PIL import Image
from tabulate import tabulate

from benchmark.crypto import derive_key
from benchmark.jpeg2000 import decode_standard, encode, layer_ratios, openjpeg_version
from benchmark.jpeg2000.library import binding
from benchmark.jpeg2000.streams import reader, writer
from benchmark.submission import load_submission

ROOT = Path(__file__).resolve().parents[1]
PRESETS = ["lw4o6-document", "rw4o6-document", "lw12o0-document", "lw4o6-bodies", "rw4o6-bodies", "lw12o0-bodies"]


def crops(count: int) -> list[np.ndarray]:
    """The first crops of LFW, evenly spread over the people."""
    root = Path(os.environ.get("VEILBENCH_DATA", ROOT.parent / "shared" / "data")) / "lfw" / "aligned112"
    files = sorted(root.glob("*/*.jpg"))
    if len(files) < count:
        sys.exit(f"{root} holds {len(files)} crops, {count} are needed; set VEILBENCH_DATA to the folder above lfw/")
    return [np.asarray(Image.open(file).convert("RGB")) for file in files[:: len(files) // count][:count]]


def milliseconds(works: dict[str, Callable[[], object]], samples: int, repetitions: int) -> dict[str, float]:
    """Median CPU milliseconds a sample of each work; they take turns, so that a slow moment hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    gc.disable()
    for _ in range(repetitions):
        for name, work in works.items():
            started = time.process_time()
            work()
            times[name].append((time.process_time() - started) / samples * 1000)
    gc.enable()
    return {name: statistics.median(values) for name, values in times.items()}


def window_protector(preset: str) -> Any:
    """The baseline `jpeg2000-window` in one of its presets."""
    submission = load_submission(ROOT / "baselines" / "protectors" / "jpeg2000-window")
    spec = importlib.util.spec_from_file_location("jpeg2000_window", submission.folder / "method.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Jpeg2000Window(**submission.resolve({}, preset))


def protection(samples: list[np.ndarray], repetitions: int) -> list[list[Any]]:
    """Rows: a sample's key from the master key, parsing and encrypting, beside AES-256-GCM over the whole file."""
    rows = []
    master, names = bytes(range(32)), [str(number) for number in range(len(samples))]
    for preset in PRESETS:
        protector = window_protector(preset)
        plain = protector.prepare(samples)
        keys = [derive_key(master, "sample", name) for name in names]
        generator = np.random.default_rng(0)

        def whole(plain: list[bytes] = plain, keys: list[bytes] = keys) -> None:
            for data, key in zip(plain, keys, strict=True):
                AES.new(key, AES.MODE_GCM, nonce=key[:12]).encrypt_and_digest(data)

        def window(plain: list[bytes] = plain, protector: Any = protector, generator: Any = generator) -> None:
            protector.protect(plain, [derive_key(master, "sample", name) for name in names], generator=generator)

        took = milliseconds({"whole": whole, "window": window}, len(samples), repetitions)
        size = statistics.mean(map(len, plain)) / 1000
        rows.append([preset, f"{size:.1f}", took["window"], took["whole"], took["window"] / took["whole"]])
    return rows


def encoding(opj: Any, sample: np.ndarray, settings: dict[str, Any]) -> float:
    """CPU milliseconds inside OpenJPEG's own calls while it encodes, the image already laid out."""
    library = opj.OPENJP2
    parameters = opj.CompressionParametersType()
    library.opj_set_default_encoder_parameters(ctypes.byref(parameters))
    ratios = layer_ratios(settings["layers"])
    parameters.cp_disto_alloc, parameters.tcp_numlayers, parameters.tcp_mct = 1, len(ratios), 1
    parameters.tcp_rates[: len(ratios)] = ratios
    parameters.cblockw_init = parameters.cblockh_init = settings["code_block"]
    each = (opj.ImageComptParmType * 3)()
    for component in each:
        component.dx = component.dy = 1
        component.h, component.w, _ = sample.shape
        component.prec = component.bpp = 8
    image = library.opj_image_create(3, each, opj.CLRSPC_SRGB)
    image.contents.y1, image.contents.x1, _ = sample.shape
    for index in range(3):
        values = np.ascontiguousarray(sample[:, :, index], dtype=np.int32)
        ctypes.memmove(image.contents.comps[index].data, values.ctypes.data, values.nbytes)
    codec = library.opj_create_compress(opj.CODEC_J2K)
    with writer(library, bytearray()) as stream:
        started = time.process_time()
        library.opj_setup_encoder(codec, ctypes.byref(parameters), image)
        library.opj_start_compress(codec, image, stream)
        library.opj_encode(codec, stream)
        done = library.opj_end_compress(codec, stream)
        took = time.process_time() - started
    library.opj_destroy_codec(codec)
    library.opj_image_destroy(image)
    assert done
    return took * 1000


def decoding(opj: Any, codestream: bytes) -> float:
    """CPU milliseconds inside OpenJPEG's own calls while it decodes."""
    library = opj.OPENJP2
    parameters = opj.DecompressionParametersType()
    library.opj_set_default_decoder_parameters(ctypes.byref(parameters))
    image = ctypes.POINTER(opj.ImageType)()
    codec = library.opj_create_decompress(opj.CODEC_J2K)
    with reader(library, codestream) as stream:
        started = time.process_time()
        library.opj_setup_decoder(codec, ctypes.byref(parameters))
        library.opj_read_header(stream, codec, ctypes.byref(image))
        library.opj_decode(codec, stream, image)
        done = library.opj_end_decompress(codec, stream)
        took = time.process_time() - started
    library.opj_destroy_codec(codec)
    library.opj_image_destroy(image)
    assert done
    return took * 1000


def coding(samples: list[np.ndarray], repetitions: int) -> list[list[Any]]:
    """Rows: encode() and decode_standard() beside OpenJPEG's own calls alone, and decoding beside Pillow's."""
    opj = binding()
    rows = []
    for name, settings in (
        ("1 layer, 64 x 64", {"layers": 1, "code_block": 64}),
        ("16 layers, 32 x 32", {"layers": 16, "code_block": 32}),
        ("jj2000's layers, 64 x 64", {"layers": "jj2000", "code_block": 64}),
    ):
        plain = [encode(sample, **settings) for sample in samples]
        bare: dict[str, list[float]] = {"encode": [], "decode": []}

        def encode_bare(settings: Any = settings, bare: Any = bare) -> None:
            bare["encode"].append(statistics.mean(encoding(opj, sample, settings) for sample in samples))

        def decode_bare(plain: Any = plain, bare: Any = bare) -> None:
            bare["decode"].append(statistics.mean(decoding(opj, data) for data in plain))

        took = milliseconds(
            {
                "encode": lambda settings=settings: [encode(sample, **settings) for sample in samples],
                "bare encode": encode_bare,
                "decode": lambda plain=plain: [decode_standard(data) for data in plain],
                "bare decode": decode_bare,
                "Pillow": lambda plain=plain: [np.asarray(Image.open(io.BytesIO(data))) for data in plain],
            },
            len(samples),
            repetitions,
        )
        for what in ("encode", "decode"):
            alone = statistics.median(bare[what][1:])
            rows.append([f"{what}, {name}", took[what], "OpenJPEG's calls alone", alone, took[what] / alone])
        rows.append([f"decode, {name}", took["decode"], "Pillow", took["Pillow"], took["decode"] / took["Pillow"]])
    return rows


def main() -> None:
    """Prints two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--repetitions", type=int, default=7)
    arguments = parser.parse_args()
    samples = crops(arguments.samples)
    print(
        f"{len(samples)} LFW crops, OpenJPEG {openjpeg_version()}, CPU ms a sample, "
        f"medians of {arguments.repetitions} repetitions\n"
    )
    protect = protection(samples, arguments.repetitions)
    print(
        tabulate(
            protect, ["setting", "kB", "derive, parse, encrypt", "AES-256-GCM, whole file", "ratio"], "github", ".3f"
        )
    )
    print()
    # Encoding takes a hundred times as long as protecting: a tenth of the samples is plenty.
    rows = coding(samples[:: max(1, len(samples) // 40)], max(3, arguments.repetitions // 2))
    print(tabulate(rows, ["work", "ours", "beside", "theirs", "ratio"], "github", ".3f"))


if __name__ == "__main__":
    main()
