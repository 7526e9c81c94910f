"""The recognisers by id: the code that counts in their digest, what else counts, and how they are loaded.

A method of its own is one entry of `METHODS`. Networks of the catalogue need none: entries of `weights.yaml` make them.
Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import InvalidInputError, unknown

if TYPE_CHECKING:
    from benchmark.interfaces import Recogniser

    from .mobilefacenet import Device
    from .weights import Weights

#: The library that computes the templates of networks on each device; part of their digest.
ENGINES = {"cpu": "onnxruntime", "cuda": "torch"}
#: Before the path of an ONNX file of the user's.
ONNX = "onnx:"
#: Behind the id of a network: templates of a sample and of its mirror image, added.
FLIP = "+flip"


@dataclass(frozen=True)
class Order:
    """What is asked for: a recogniser for `threads` of a device, with weights under the data folder `data`."""

    id: str
    data: Path | None = None
    device: Device = "cpu"
    threads: int = 1

    def root(self) -> Path | None:
        """The data folder that was named, or the usual one."""
        from benchmark.locations import data_root

        return self.data or data_root()


@dataclass(frozen=True)
class Method:
    """How recognisers of one kind are named and loaded."""

    #: The module whose code counts, with all that it imports from the package.
    code: str
    #: (order, digest) -> the recogniser.
    load: Callable[[Order, str], Recogniser]
    #: What else counts: plain data, of weights, preprocessing and engines.
    parts: Callable[[Order], tuple[Any, ...]] = lambda order: ()
    #: In the digest in place of the id, where ids are no names (paths).
    name: str = ""
    #: Whether templates of a sample and its mirror image may be added: networks, compared by cosine.
    flips: bool = False
    #: Whether templates are histograms, with a distance of their own; all others are compared by cosine.
    histograms: bool = False

    def digest(self, order: Order) -> str:
        """SHA-256 (64 hex digits) of everything that a template depends on."""
        from benchmark.digest import digest
        from benchmark.source import module_digest

        return digest("recogniser", self.name or order.id, module_digest(self.code), *self.parts(order))


def method_of(order: Order) -> Method:
    """How to name and load what is ordered; raises InvalidInputError for an unknown id."""
    id = order.id
    if id in METHODS:
        return METHODS[id]
    if id.endswith(FLIP):
        single = Order(id.removesuffix(FLIP), order.data, order.device, order.threads)
        method = method_of(single)
        if not method.flips:
            raise InvalidInputError(f"{id}: {FLIP} is for networks; {single.id} is none")
        parts = lambda _: (method.digest(single),)  # noqa: E731
        return Method("benchmark.recognisers.flip", partial(_flip, method, single), parts, name="flip")
    if id.startswith(ONNX):
        return _ONNX_FILE
    from .networks.catalogue import default_ids

    if _weights(order) is None:
        if id in default_ids():
            raise InvalidInputError(
                f"{id}: no weights are here, and no public ones could be pinned; convert a checkpoint: "
                f"`veilbench weights import CHECKPOINT --network {default_ids()[id]}`"
            )
        raise unknown("recogniser", id, [*known_ids(order.data), *default_ids()])
    return _MOBILEFACENET if _of_mobilefacenet(order) else _NETWORK


def known_ids(data: Path | None = None) -> tuple[str, ...]:
    """The ids of all recognisers that have what they need, but for `onnx:FILE`, sorted."""
    from .local_weights import local_weights
    from .weights import known_weights

    networks = {*known_weights(), *local_weights(Order("", data).root())} - {*METHODS}
    networks |= {id for id, method in METHODS.items() if method.flips}
    return tuple(sorted({*METHODS, *networks, *(f"{id}{FLIP}" for id in networks)}))


def compares_by_cosine(id: str) -> bool:
    """Whether a recogniser's templates are vectors compared by cosine, not histograms.

    >>> compares_by_cosine("lbp"), compares_by_cosine("mobilefacenet-ms1m")
    (False, True)
    """
    return id not in METHODS or not METHODS[id].histograms


def _weights(order: Order) -> Weights | None:
    """Our entry for the id, or the user's."""
    from .local_weights import local_weights
    from .weights import known_weights

    return known_weights().get(order.id) or local_weights(order.root()).get(order.id)


def _its_weights(order: Order) -> Weights:
    weights = _weights(order)
    assert weights is not None  # `method_of` gives methods with weights only where there is an entry
    return weights


def _of_mobilefacenet(order: Order) -> bool:
    from .networks.catalogue import network_names

    return _its_weights(order).network not in network_names()


def _engine(device: str) -> list[str]:
    return [device, ENGINES[device], metadata.version(ENGINES[device])]


def _lbp(order: Order, digest: str) -> Recogniser:
    from .lbp import LocalBinaryPatterns

    return LocalBinaryPatterns(digest=digest)


def _mblbp(order: Order, digest: str) -> Recogniser:
    from .mblbp import MultiBlockLocalBinaryPatterns

    return MultiBlockLocalBinaryPatterns(digest=digest)


def _fisher_parts(order: Order) -> tuple[Any, ...]:
    from .fisher.codebooks import codebook_sha256

    return (codebook_sha256(order.id),)


def _fisher(order: Order, digest: str) -> Recogniser:
    from .fisher.recogniser import load_fisher_vectors

    return load_fisher_vectors(order.id, digest=digest)


def _mobilefacenet_parts(order: Order) -> tuple[Any, ...]:
    weights = _its_weights(order)
    return weights.sha256, asdict(weights.input), _engine(order.device)


def _mobilefacenet(order: Order, digest: str) -> Recogniser:
    from .mobilefacenet import MobileFaceNet
    from .weights import find_weights, network_shapes, read_weights

    weights = _its_weights(order)
    path = find_weights(weights, data=order.root())
    tensors = read_weights(path, sha256=weights.sha256, shapes=network_shapes(weights.network))
    named = {weights.file: weights.sha256}
    if order.device != "cpu":
        return MobileFaceNet(
            order.id, weights.variant, tensors, weights.input, digest=digest, weights=named, device=order.device
        )
    from .architecture import DIMENSION
    from .networks.embedder import Embedder
    from .networks.normalised import normalised_engine
    from .onnx_network import model

    graph = lambda batch: model(weights.variant, tensors, weights.input, batch=batch)  # noqa: E731
    engine = normalised_engine(graph, weights.input.columns, dimension=DIMENSION, threads=order.threads)
    return Embedder(order.id, engine, dimension=DIMENSION, digest=digest, weights=named)


def _network_parts(order: Order) -> tuple[Any, ...]:
    """The table counts as it is written out, and of the engines' code the one that is used."""
    from benchmark.source import module_digest

    from .networks.catalogue import network_table

    weights = _its_weights(order)
    code = module_digest(f"benchmark.recognisers.networks.{'cpu' if order.device == 'cpu' else 'gpu'}")
    table = repr(network_table(weights.network))
    return weights.sha256, asdict(weights.input), table, code, _engine(order.device)


def _network(order: Order, digest: str) -> Recogniser:
    from .networks.catalogue import network_table
    from .networks.embedder import Embedder
    from .weights import find_weights, read_weights

    weights, root = _its_weights(order), order.root()
    table = network_table(weights.network)
    path = find_weights(weights, data=root)
    tensors = read_weights(path, sha256=weights.sha256, shapes=table.shapes(), half=True)
    if order.device == "cpu":
        from .networks.graph import model
        from .networks.normalised import table_engine

        graph = lambda batch: model(table, tensors, weights.input, batch=batch)  # noqa: E731
        engine: Any = table_engine(table, graph, weights.input.columns, threads=order.threads)
    else:
        from .networks.gpu import TorchEngine

        engine = TorchEngine(table, tensors, weights.input, device=order.device)
    named = {weights.file: weights.sha256}
    return Embedder(order.id, engine, dimension=table.dimension, digest=digest, weights=named)


def _onnx_parts(order: Order) -> tuple[Any, ...]:
    from benchmark.digest import digest_file
    from benchmark.source import module_digest

    from .onnx_declared import read_declared

    path = Path(order.id.removeprefix(ONNX))
    declared = read_declared(path)
    if order.device != "cpu":
        raise InvalidInputError(f"{order.id}: ONNX files run on the device cpu only")
    resizing = [metadata.version("opencv-python-headless")] if declared.resized() else []
    comparing = module_digest("benchmark.recognisers.networks.embedder")
    return digest_file(path), asdict(declared), comparing, _engine("cpu"), resizing


def _onnx_file(order: Order, digest: str) -> Recogniser:
    import hashlib

    from .networks.embedder import Embedder
    from .onnx_declared import read_declared
    from .onnx_file import file_engine

    path = Path(order.id.removeprefix(ONNX))
    declared, content = read_declared(path), path.read_bytes()
    engine = file_engine(content, declared, name=str(path), threads=order.threads)
    named = {path.name: hashlib.sha256(content).hexdigest()}
    return Embedder(order.id, engine, dimension=declared.dimension, digest=digest, weights=named)


def _flip(method: Method, single: Order, order: Order, digest: str) -> Recogniser:
    from .flip import FlipSum

    return FlipSum(order.id, method.load(single, method.digest(single)), digest=digest)


_MOBILEFACENET = Method("benchmark.recognisers.mobilefacenet", _mobilefacenet, _mobilefacenet_parts, flips=True)
_NETWORK = Method("benchmark.recognisers.networks.embedder", _network, _network_parts, flips=True)
_ONNX_FILE = Method("benchmark.recognisers.onnx_file", _onnx_file, _onnx_parts, name="onnx", flips=True)
_FISHER = Method("benchmark.recognisers.fisher.recogniser", _fisher, _fisher_parts)
METHODS: Mapping[str, Method] = {
    "fv-brief": _FISHER,
    "fv-sift": _FISHER,
    "lbp": Method("benchmark.recognisers.lbp", _lbp, histograms=True),
    "mblbp": Method("benchmark.recognisers.mblbp", _mblbp, histograms=True),
    "mobilefacenet-casia": _MOBILEFACENET,
    "mobilefacenet-ms1m": _MOBILEFACENET,
}
