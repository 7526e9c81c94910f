"""The schema of a protocol; `protocols/_template.yaml` documents every key, `benchmark.protocol` loads one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from benchmark.datasets.pairs import Pairs, read_pairs
from benchmark.datasets.sample_list import SampleList, read_ids, read_sample_list
from benchmark.digest import digest
from benchmark.errors import InvalidInputError
from benchmark.schema import Frozen, near
from benchmark.submission import Id, KeyPolicy, Name, Plain, Text

Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
#: `all`, or how many: None means all.
Count: TypeAlias = Annotated[
    Annotated[int, Field(ge=1)] | None, BeforeValidator(lambda value: None if value == "all" else value)
]
Comparison: TypeAlias = Literal["protected-protected", "protected-original"]

#: Under which keys two samples are compared where every two of a list are (`benchmark.scenarios`).
Scenario: TypeAlias = Literal["same-key", "key-per-subject", "different-keys", "stolen-key", "protected-original"]

#: Of comparisons of a pair list, and of all comparisons of a list of samples; `fnmr_at_fmr_<x>` of both.
PAIR_METRICS = ("eer", "auc", "d_prime", "view2_accuracy", "attack_success_rate", "psnr", "ssim", "ms_ssim")
ALL_PAIRS_METRICS = (
    "eer",
    "d_sys",
    "maximal_linkability",
    "attack_success_rate",
    "revoked_match_rate",
    "key_sensitivity",
)
_METRICS = tuple(dict.fromkeys(PAIR_METRICS + ALL_PAIRS_METRICS))


def _metric(name: str) -> str:
    if name in _METRICS or re.fullmatch(r"fnmr_at_fmr_0\.\d*[1-9]", name):
        return name
    known = [*_METRICS, "fnmr_at_fmr_0.001"]
    raise ValueError(f"unknown metric {name!r}{near(name, known)}")


class DatasetChoice(Frozen):
    """A data set, its parameters, and which of its versions the protocol holds for."""

    id: str
    parameters: Mapping[str, Any] = {}
    #: Of the pixels of all samples; records made with other pixels are marked stale. None: any will do.
    digest: Sha256 | None = None


class SplitFile(Frozen):
    """A file beside the protocol, with the digest that it must have."""

    file: Text
    sha256: Sha256


class Keys(Frozen):
    """Which samples share a key, and where the master key comes from: a public seed or a secret file."""

    #: None under `scenarios:`, each of which has its own.
    policy: KeyPolicy | None = None
    seed: Text | None = None
    secret_file: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Keys:
        if (self.seed is None) == (self.secret_file is None):
            raise ValueError("needs either `seed` (public boards) or `secret_file` (hosted challenges)")
        return self


class Entry(Frozen):
    """A submission in one setting: its id, and parameters by preset, by name, or both (names win)."""

    id: Id
    name: Name | None = None
    preset: Name | None = None
    parameters: Mapping[str, Plain] = {}

    @model_validator(mode="after")
    def _is_named(self) -> Entry:
        if self.parameters and not (self.name or self.preset):
            raise ValueError("parameters need a `name:` for this setting, which its records will carry")
        return self

    @property
    def label(self) -> str:
        """`jpeg2000-window@lw4o6-document`, or the id alone."""
        name = self.name or self.preset
        return f"{self.id}@{name}" if name else self.id


class Bootstrap(Frozen):
    """The confidence intervals."""

    resamples: Annotated[int, Field(ge=1, le=100_000)] = 1000


class Portion(Frozen):
    """How many samples, the first ones, take part."""

    samples: Count = None


class Limits(Frozen):
    """What a submission may use; beyond that it is stopped, and its record says so."""

    seconds_per_sample: Annotated[float, Field(gt=0)] = 5.0
    memory_gib: Annotated[float, Field(gt=0)] = 4.0
    #: For starting, and once more for the first call of each kind, which may compile.
    seconds_to_start: Annotated[float, Field(gt=0)] = 60.0


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    seen = [value for position, value in enumerate(values) if value in values[:position]]
    if seen:
        raise ValueError(f"{seen[0]!r} occurs twice")
    return values


#: Keys of a protocol that have no meaning for one that compares pairs of a list, or all pairs of samples.
ALL_PAIRS_ALONE = ("samples", "scenarios")
PAIRS_ALONE = ("pairs", "comparisons", "recovery", "visual")

Settings: TypeAlias = Annotated[tuple[Entry, ...], Field(min_length=1)]
Names: TypeAlias = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_distinct)]


class Further(Frozen):
    """Recognisers that see some attacks only, beside those that see every attack."""

    recognisers: Names
    #: Names of settings, or ids, as under `attacks:`.
    attacks: Names


class ProtocolFile(Frozen):
    """The schema of a protocol's YAML file."""

    id: Id
    title: Text
    description: str = ""
    dataset: DatasetChoice
    #: Either the comparisons, in a CSV file, each made as `comparisons` says,
    pairs: SplitFile | None = None
    #: or the samples, every two of which are compared as `scenarios` say.
    samples: SplitFile | None = None
    attacker: SplitFile | None = None
    comparisons: Annotated[tuple[Comparison, ...], Field(min_length=1), AfterValidator(_distinct)] = ()
    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1), AfterValidator(_distinct)] | None = None
    keys: Keys
    protectors: Settings
    attacks: Settings
    recognisers: Names
    further_recognisers: Further | None = None
    metrics: Annotated[
        tuple[Annotated[str, AfterValidator(_metric)], ...], Field(min_length=1), AfterValidator(_distinct)
    ]
    bootstrap: Bootstrap = Bootstrap()
    recovery: Portion = Portion()
    visual: Portion = Portion()
    limits: Limits = Limits()


class Protocol(ProtocolFile):
    """A protocol whose ids, parameters and split files have been checked; presets are merged into the parameters."""

    path: Path

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what can change every result: not of titles, and of split files by their digest.

        What changes some results stands in their records by itself and is held against the protocol one by one: the
        data's digest, the settings of protectors and attacks, and the further recognisers of some attacks. So a
        protocol may take in another attack or a further recogniser, and its records stand.
        """
        beside = {"path", "title", "description", "limits", "protectors", "attacks", "further_recognisers"}
        beside |= set(PAIRS_ALONE if self.all_pairs else ALL_PAIRS_ALONE)
        content = self.model_dump(mode="json", exclude=beside)
        del content["dataset"]["digest"]
        if content["keys"]["secret_file"] is not None:
            content["keys"]["secret_file"] = "secret"
        return digest("protocol", content)

    @property
    def all_pairs(self) -> bool:
        """Whether every two samples of a list are compared, in key scenarios; else the rows of a pair list."""
        return self.samples is not None

    @property
    def all_recognisers(self) -> tuple[str, ...]:
        """Those that see every attack, then those that see some."""
        return self.recognisers + (self.further_recognisers.recognisers if self.further_recognisers else ())

    def further_for(self, *names: str) -> tuple[str, ...]:
        """The recognisers that see an attack beside `recognisers`; `names`: that of its setting, and its id."""
        further = self.further_recognisers
        return further.recognisers if further and set(names) & set(further.attacks) else ()

    def read_pairs(self) -> Pairs:
        """The comparisons; raises InvalidInputError for a malformed file, and where all are genuine, or none is."""
        if self.pairs is None:
            raise InvalidInputError(f"{self.id} has no pair list: it compares every two of its samples")
        path = self.path.parent / self.pairs.file
        pairs = read_pairs(path)
        if pairs.genuine.all() or not pairs.genuine.any():
            raise InvalidInputError(f"{path}: needs genuine and impostor pairs; it has only one kind")
        return pairs

    def read_compared(self) -> Pairs | SampleList:
        """What is compared: the pair list, or the samples every two of which are; raises as `read_pairs` does."""
        return self.read_pairs() if self.samples is None else read_sample_list(self.path.parent / self.samples.file)

    def attacker_ids(self) -> tuple[str, ...]:
        """The samples that an attack may learn from; empty without an attacker's split."""
        return read_ids(self.path.parent / self.attacker.file) if self.attacker else ()

    def master_key(self) -> bytes:
        """32 bytes: SHA-256 of the public seed under a label, or the secret file's 32 bytes (or 64 hex digits)."""
        if self.keys.secret_file is None:
            return hashlib.sha256(f"veilbench master key: {self.keys.seed}".encode()).digest()
        file = self.path.parent / self.keys.secret_file
        try:
            with file.open("rb") as stream:
                content = stream.read(1000)  # no more, whatever file was named
        except OSError as error:
            raise InvalidInputError(f"{file}: the secret master key cannot be read ({error.strerror})") from None
        if len(content) != 32:
            try:
                content = bytes.fromhex(content.decode("ascii"))
            except ValueError:
                content = b""
        if len(content) != 32:
            raise InvalidInputError(f"{file}: a master key is 32 bytes, or 64 hex digits")
        return content
