"""The record of one (protocol, protector setting, attack): its schema, how it is written, read and compared.

Numbers are numbers, rounded to SIGNIFICANT digits when a record is made, so that what is in memory, what is written and
what is read back are equal. Files have sorted keys and are byte-stable for equal content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from benchmark.errors import InvalidInputError
from benchmark.schema import Frozen
from benchmark.store import write_atomically

SCHEMA_VERSION: Literal[1] = 1
#: Significant digits of every measured number.
SIGNIFICANT = 6
#: Relative (below 1: absolute) difference that rounding and another processor's last bit may make.
TOLERANCE = 2e-5
#: Bootstrap EERs kept for paired comparisons between records, and the digits after their point.
KEPT_REPLICATES = 200
REPLICATE_DECIMALS = 5
#: Name, in score files, of the comparisons after recovery by the key holder.
RECOVERED = "recovered"
#: Id of the flag that says that the operating threshold accepts impostors too.
IMPOSTORS_ACCEPTED_FLAG = "impostors-accepted"


def significant(value: float) -> float:
    """A number rounded to SIGNIFICANT digits; -0 becomes 0.

    >>> significant(0.123456789), significant(-0.0)
    (0.123457, 0.0)
    """
    return float(f"{value:.{SIGNIFICANT}g}") + 0.0


Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False), AfterValidator(significant)]
Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Kebab: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Count: TypeAlias = Annotated[int, Field(ge=0)]
Status: TypeAlias = Literal["ok", "failed", "timeout", "incomplete"]


class Part(Frozen):
    """Base of a record's parts: immutable, strict, unknown keys refused, every field documented."""

    model_config = ConfigDict(strict=True, use_attribute_docstrings=True)


class Value(Part):
    """One metric: its estimate with a 95 % bootstrap interval over subjects."""

    value: Number | None
    """The estimate; null where it is not estimable, and a flag says why."""
    low: Number | None = None
    """Lower end of the interval; null where there is none."""
    high: Number | None = None
    """Upper end of the interval."""
    n: Count
    """How many comparisons (visual metrics and recovery: samples) the estimate rests on."""


class Quartiles(Part):
    """A measured time per sample in milliseconds, after warm-up."""

    median: Number
    """Half of the measurements lie below."""
    q1: Number
    """A quarter of them lies below."""
    q3: Number
    """Three quarters of them lie below."""
    n: Count
    """How many measurements (batches, as a rule)."""


class ProtocolRef(Part):
    """Which protocol."""

    id: str
    """Its id."""
    digest: Sha256
    """SHA-256 of everything in it that can change a result."""


class DatasetRef(Part):
    """Which data."""

    id: str
    """The data set's id."""
    digest: Sha256
    """SHA-256 over sample ids and pixel bytes."""
    samples: Count
    """How many samples the protocol names."""
    failed: Mapping[str, str] = {}
    """Samples that could not be acquired, with the reason; they count as non-matches."""


class ProtectorRef(Part):
    """Which protector, in which setting."""

    id: str
    """The submission's id."""
    version: str
    """The submission's version."""
    parameters: dict[str, Any]
    """Every parameter's value, as constructed."""
    source_digest: Sha256
    """SHA-256 of its code and manifest."""
    domain: Literal["codestream", "sample", "template"]
    """What it protects."""
    format: Literal["jpeg2000", "jpeg", "opaque"] | None = None
    """What its files are, in the domain codestream."""
    reversible: bool
    """Whether the key holder can undo it."""


class AttackRef(Part):
    """Which attack, in which setting."""

    setting: str
    """The name under which the protocol lists it: its id, or id@name."""
    id: str
    """The submission's id."""
    version: str
    """The submission's version."""
    parameters: dict[str, Any]
    """Every parameter's value, as constructed."""
    source_digest: Sha256
    """SHA-256 of its code and manifest."""
    returns: Literal["images", "embeddings", "protected", "templates"]
    """What it returns: embeddings are compared by cosine, what was stolen by the scheme's own comparator, templates by
    the recogniser's."""
    domains: tuple[str, ...]
    """The protectors' domains that it can be run against."""
    formats: tuple[str, ...] | None = None
    """The formats of codestreams that it can be run against; null means all."""
    protectors: tuple[str, ...] | None = None
    """The protectors that it can be run against, where it undoes these alone; left out where there is no such limit."""
    threat_model: tuple[str, ...]
    """What it was allowed to know."""
    disclosure: Literal["naive", "advanced", "full"] | None = None
    """The same in the words of ISO/IEC 30136; left out where its manifest does not say."""

    @model_serializer(mode="wrap")
    def _without_what_was_not_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Records from before these fields were there stay byte for byte what they were."""
        content: dict[str, Any] = handler(self)
        for name in ("disclosure", "protectors"):
            if content[name] is None:
                del content[name]
        return content


class RecogniserRef(Part):
    """Which recogniser."""

    digest: Sha256
    """SHA-256 of its code, weights and engine."""
    weights: Mapping[str, Sha256] = {}
    """{file: SHA-256} of its weights."""


class Baseline(Part):
    """Unprotected data of the same protocol, seen through one recogniser."""

    eer: Value
    """EER of the unprotected samples."""
    threshold: float | None
    """The score from which attacked comparisons count as accepted; null where impostors are too few."""
    fmr: Number
    """The false match rate that this threshold gives on unprotected data."""
    impostors: Count
    """How many impostor comparisons the threshold rests on."""
    scores_digest: Sha256
    """Digest of the unprotected scores."""


class Utility(Part):
    """What the key holder gets back; only of reversible protectors."""

    recovered_exactly: Value | None = None
    """Share of samples that come back bit by bit."""
    eer_after_recovery: Mapping[str, Value] = {}
    """EER of the recovered samples, by recogniser."""


class Decoded(Part):
    """What one decoder that others wrote, or the standard's rule on marker codes, makes of protected samples."""

    version: str | None
    """Its version and that of the codec in it; null where it was not installed, and then nothing was tried."""
    streams: Count
    """How many protected samples it was given."""
    failures: Count
    """How many of them it refused."""


class Cost(Part):
    """What protecting costs; null where it does not apply."""

    prepare_ms: Quartiles | None = None
    """Preparing without a key (encoding)."""
    protect_ms: Quartiles | None = None
    """Protecting what was prepared."""
    recover_ms: Quartiles | None = None
    """Recovering with the key."""
    attack_ms: Quartiles | None = None
    """Attacking."""
    encrypted_bytes: Number | None = None
    """Mean bytes encrypted a sample."""
    encrypted_share: Number | None = None
    """Bytes encrypted / bytes of the protected codestream, over all samples."""
    protected_bytes: Number | None = None
    """Mean bytes of a protected sample."""
    plain_bytes: Number | None = None
    """Mean bytes of a plain lossless codestream."""
    size_overhead: Number | None = None
    """Protected bytes / plain bytes - 1, over all samples."""
    compliance: Mapping[str, Decoded] = {}
    """{decoder: what it makes of the first protected samples}; left out where it was not measured or does not apply."""

    @model_serializer(mode="wrap")
    def _without_what_was_not_measured(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Records from before this field was there stay byte for byte what they were."""
        content: dict[str, Any] = handler(self)
        if not self.compliance:
            content.pop("compliance", None)
        return content


class Failures(Part):
    """Samples that could not be processed, by stage; counted as non-matches, never dropped."""

    acquire: Count = 0
    """Missing or damaged in the data set."""
    attack: Count = 0
    """The attack returned nothing."""
    recover: Count = 0
    """Recovery returned nothing."""


class Flag(Part):
    """A self-check that says when a number should not be trusted at once."""

    id: Kebab
    """What was found."""
    where: str
    """In what: comparison/recogniser/metric, as far as it applies."""
    message: str
    """One sentence for a reader."""


class ScoreFile(Part):
    """The scores behind the record."""

    digest: Sha256
    """SHA-256 over their names and values."""
    file: str
    """Path, from the leaderboard folder."""


class Environment(Part):
    """What it was computed with; never part of the result."""

    python: str
    """Python's version."""
    packages: dict[str, str]
    """Versions of the packages that may change a number."""
    openjpeg: str
    """OpenJPEG's version."""
    cpu: str
    """The processor."""
    cores: int | None = None
    """How many cores it has."""
    gpu: str | None = None
    """The GPU, where one was used."""
    os: str
    """The operating system."""
    git_commit: str | None
    """The checkout's commit (`+`: with changes); null outside a checkout."""


class Record(Part):
    """The result of one attack on one setting of a protector under one protocol, with its provenance."""

    schema_version: Literal[1] = SCHEMA_VERSION
    """Version of this schema."""
    status: Status
    """How it ended: only `ok` is ranked."""
    reason: str | None = None
    """Why it did not end well, in one line."""
    protocol: ProtocolRef
    """Under which rules."""
    dataset: DatasetRef
    """On which data."""
    setting: str
    """The protector's setting as the protocol names it: jpeg2000-window@lw4o6-document."""
    protector: ProtectorRef
    """What was attacked."""
    attack: AttackRef
    """What attacked it."""
    recognisers: dict[str, RecogniserRef]
    """Through which recognisers it was seen."""
    results: Mapping[str, dict[str, dict[str, Value]]] = {}
    """{comparison: {recogniser: {metric: value}}}."""
    replicates: Mapping[str, dict[str, tuple[float | None, ...]]] = {}
    """{comparison: {recogniser: bootstrap EERs}}: equal positions in records of one protocol share their resample."""
    baseline: Mapping[str, Baseline] = {}
    """{recogniser: what unprotected data gives}."""
    visual: Mapping[str, Value] = {}
    """How much attacked images look like their originals: describes, never ranks."""
    utility: Utility = Utility()
    """What the key holder gets."""
    failures: Failures = Failures()
    """What could not be processed."""
    cost: Cost = Cost()
    """What it costs."""
    flags: tuple[Flag, ...] = ()
    """What a reader should know before trusting it."""
    scores: ScoreFile | None = None
    """Where its scores are."""
    resamples: Count
    """Bootstrap resamples behind every interval."""
    seeds: dict[str, str]
    """{use: the named parts that its random generator was seeded from}."""
    environment: Environment
    """What it was computed with."""


def record_path(folder: Path, protocol: str, setting: str, attack: str) -> Path:
    """Where a record lies under the leaderboard folder.

    >>> record_path(Path("leaderboard"), "demo", "identity", "direct-decode").as_posix()
    'leaderboard/records/demo/identity/direct-decode.json'
    """
    return folder / "records" / protocol / setting / f"{attack}.json"


def dump_record(record: Record) -> str:
    """A record as JSON: sorted keys, one value a line, lists of plain values on one line."""
    return _pretty(record.model_dump(mode="json"), "") + "\n"


def write_record(path: Path, record: Record) -> None:
    """Write a record atomically; raises InvalidInputError where the disk does not take it."""
    write_atomically(path, dump_record(record).encode())


def read_record(path: Path) -> Record:
    """Read and check a record; raises InvalidInputError naming the file and its first fault."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInputError(f"{path}: cannot be read as text: {reason}") from None
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        hint = "; run the protocol again, or restore the file"
        raise InvalidInputError(f"{path}: {where}: {first['msg'].lower()}{more}{hint}") from None


def _pretty(value: Any, indent: str) -> str:
    if isinstance(value, dict) and value:
        inner = indent + "  "
        items = (f"{inner}{json.dumps(key, ensure_ascii=False)}: {_pretty(value[key], inner)}" for key in sorted(value))
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        inner = indent + "  "
        return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
