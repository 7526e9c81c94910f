"""A submission's manifest (`submission.yaml`): discovery, validation, parameters. Nothing here imports a submission."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError

from benchmark import locations
from benchmark.errors import InvalidInputError, unknown
from benchmark.schema import Document, Frozen, near, read_yaml
from benchmark.source import source_digest

Kind: TypeAlias = Literal["protector", "attack"]
Domain: TypeAlias = Literal["codestream", "sample", "template"]
KeyPolicy: TypeAlias = Literal["sample", "subject", "system"]
#: What the files of a codestream-domain protector are to everybody: `opaque` files open in no decoder.
Format: TypeAlias = Literal["jpeg2000", "jpeg", "opaque"]
Grant: TypeAlias = Literal["algorithm", "window", "key", "pairs", "identities"]
#: What comes of an attack: what was stolen as it is, pictures, templates of the recogniser's own kind, or embeddings.
Returns: TypeAlias = Literal["images", "embeddings", "protected", "templates"]
#: Who attacks (ISO/IEC 30136): one who sees protected data alone; who knows the algorithm, and may learn; the key too.
Disclosure: TypeAlias = Literal["naive", "advanced", "full"]
Plain: TypeAlias = bool | int | float | str

#: Ids are folder and file names on every system.
Id: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
#: Names of presets and settings become file names too.
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
#: 1.0.0, or 1.0 that YAML reads as a number.
Version: TypeAlias = Annotated[str, BeforeValidator(str), Field(pattern=r"^\d+(\.\d+){0,2}([a-z0-9.+-]*)$")]


class Parameter(Frozen):
    """One declared parameter; it arrives in the constructor as a keyword."""

    type: Literal["int", "float", "bool", "str", "choice"]
    default: Plain
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] | None = None
    unit: str = ""
    description: str = ""

    def accept(self, value: Any) -> Plain:
        """The value in its declared type; raises ValueError with what is wrong with it."""
        if self.type == "choice":
            if value not in (self.choices or ()):
                raise ValueError(f"{value!r} is not one of its choices{near(str(value), self.choices or ())}")
            return str(value)
        if self.type == "bool" and isinstance(value, bool):
            return value
        if self.type == "str" and isinstance(value, str):
            return value
        if self.type in ("bool", "str"):
            raise ValueError(f"{value!r} is not of type {self.type}")
        return self._number(value)

    def _number(self, value: Any) -> int | float:
        try:
            number = float(value) if not isinstance(value, bool) else float("nan")
        except (TypeError, ValueError, OverflowError):
            number = float("nan")
        if number - number != 0 or (self.type == "int" and number != int(number)):
            raise ValueError(f"{value!r} is not of type {self.type}")
        if self.minimum is not None and number < self.minimum:
            raise ValueError(f"{value} is below its minimum {self.minimum:g}")
        if self.maximum is not None and number > self.maximum:
            raise ValueError(f"{value} is above its maximum {self.maximum:g}")
        if self.type == "float":
            return number
        return value if isinstance(value, int) else int(number)


class _Manifest(Frozen):
    """What protectors and attacks declare alike."""

    id: Id
    version: Version
    title: Text
    authors: Annotated[tuple[Text, ...], Field(min_length=1)]
    reference: str = ""
    licence: Text
    entry: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*\.py:[A-Za-z_]\w*$")]
    #: Whether the output depends on inputs, keys and parameters alone; else also on the generator that is handed in.
    deterministic: bool
    parameters: Mapping[str, Parameter] = {}
    presets: Mapping[Name, Mapping[str, Plain]] = {}
    needs: tuple[Literal["gpu"], ...] = ()


class ProtectorManifest(_Manifest):
    """`submission.yaml` of a protector."""

    kind: Literal["protector"]
    domain: Domain
    #: In the domain codestream, and there alone.
    format: Format | None = None
    reversible: bool
    #: Whether preparing a sample loses some of it: recovery then gives back what the prepared files show, exactly.
    lossy: bool = False
    #: Whether the output depends on the key; without one (a blur) everybody can do the same, and nothing is revocable.
    keyed: bool = True
    #: The key policies that it may be used under; a keystream cipher allows `sample` alone.
    keys: Annotated[tuple[KeyPolicy, ...], Field(min_length=1)]
    #: The parameters that `prepare()` depends on; None: it has no `prepare()`.
    prepare: tuple[str, ...] | None = None


class AttackManifest(_Manifest):
    """`submission.yaml` of an attack."""

    kind: Literal["attack"]
    domains: Annotated[tuple[Domain, ...], Field(min_length=1)]
    #: The formats of codestreams that it can work on; None: all.
    formats: Annotated[tuple[Format, ...], Field(min_length=1)] | None = None
    #: The protectors (ids) that it knows how to attack; None: all of its domains and formats.
    protectors: Annotated[tuple[Id, ...], Field(min_length=1)] | None = None
    returns: Returns
    #: In the domain sample: the protected images themselves, or what the recogniser makes of them.
    takes: Literal["protected", "templates"] = "protected"
    #: The threat model in the words of ISO/IEC 30136; its README says why.
    disclosure: Disclosure | None = None
    #: What it may know beside the protected samples; `pairs` means that it has a `fit()`.
    threat_model: tuple[Grant, ...] = ()


def applies(domains: Sequence[str], formats: Sequence[str] | None, to_domain: str, to_format: str | None) -> bool:
    """Whether an attack on these domains and formats can be run against a protector of that domain and format.

    >>> applies(["codestream"], ["jpeg2000"], "codestream", "jpeg"), applies(["codestream"], None, "codestream", "jpeg")
    (False, True)
    """
    return to_domain in domains and (formats is None or to_domain != "codestream" or to_format in formats)


@dataclass(frozen=True)
class Submission:
    """A validated manifest and the folder that it stands in."""

    manifest: ProtectorManifest | AttackManifest
    folder: Path

    @cached_property
    def source_digest(self) -> str:
        """SHA-256 of its code and of the parts of the package that it imports (`benchmark.source`)."""
        return source_digest(self.folder)

    @property
    def protector(self) -> ProtectorManifest:
        """The manifest of a protector; raises InvalidInputError for an attack."""
        if isinstance(self.manifest, ProtectorManifest):
            return self.manifest
        raise InvalidInputError(f"{self.manifest.id} is an attack; a protector is needed here")

    @property
    def attack(self) -> AttackManifest:
        """The manifest of an attack; raises InvalidInputError for a protector."""
        if isinstance(self.manifest, AttackManifest):
            return self.manifest
        raise InvalidInputError(f"{self.manifest.id} is a protector; an attack is needed here")

    def chosen(self, parameters: Mapping[str, Any], preset: str | None = None) -> dict[str, Plain]:
        """The preset's parameters with the given ones over them, in their types; defaults are not filled in.

        Raises InvalidInputError (all problems, one a line) for unknown or unfit names and values.
        """
        manifest = self.manifest
        if preset is not None and preset not in manifest.presets:
            raise unknown(f"preset of {manifest.id}", preset, manifest.presets)
        merged = {**(manifest.presets[preset] if preset is not None else {}), **parameters}
        accepted, problems = accept_parameters(manifest.parameters, merged)
        if problems:
            raise InvalidInputError("\n".join(f"{manifest.id}: {name}: {what}" for name, what in problems))
        return accepted

    def resolve(self, parameters: Mapping[str, Any], preset: str | None = None) -> dict[str, Plain]:
        """Every declared parameter: the given value, else the preset's, else the default."""
        defaults = {name: one.accept(one.default) for name, one in self.manifest.parameters.items()}
        return defaults | self.chosen(parameters, preset)


def accept_parameters(
    declared: Mapping[str, Parameter], given: Mapping[str, Any]
) -> tuple[dict[str, Plain], list[tuple[str, str]]]:
    """Given values in their declared types, and (name, what is wrong) of those that do not fit."""
    accepted: dict[str, Plain] = {}
    problems = []
    for name, value in given.items():
        if name not in declared:
            problems.append((name, "unknown parameter" + near(str(name), declared)))
            continue
        try:
            accepted[name] = declared[name].accept(value)
        except ValueError as error:
            problems.append((name, str(error)))
    return accepted, problems


def load_submission(folder: Path) -> Submission:
    """Read and check `submission.yaml`; raises InvalidInputError with every error, each with its file and line."""
    folder = Path(folder).resolve()
    document = read_yaml(folder / "submission.yaml")
    kind = document.data.get("kind")
    if kind not in ("protector", "attack"):
        document.problem(("kind",), f"{kind!r} is neither `protector` nor `attack`")
        document.check()
    manifest = document.parse(ProtectorManifest if kind == "protector" else AttackManifest)
    _check_names(document, folder)
    _check_parameters(document)
    if kind == "attack":
        _check_contract(document)
    document.check()
    assert isinstance(manifest, (ProtectorManifest, AttackManifest))  # else a problem was noted, and check() raised
    return Submission(manifest, folder)


def _check_names(document: Document, folder: Path) -> None:
    data = document.data
    if isinstance(data.get("id"), str) and data["id"] != folder.name:
        document.problem(("id",), f"{data['id']!r} has to be its folder's name, {folder.name!r}")
    file = str(data.get("entry", "")).partition(":")[0]
    if file.endswith(".py") and not (folder / file).is_file():
        document.problem(("entry",), f"there is no {file} beside this file")


def _check_parameters(document: Document) -> None:
    """Defaults, bounds, presets and `prepare`: checked on plain data, so that they are reported beside other errors."""
    files = document.data.get("domain") == "codestream"
    if document.data.get("lossy") and (not files or document.data.get("prepare") is None):
        document.problem(("lossy",), "only a protector of domain codestream that has a `prepare` can be lossy")
    if files and document.data.get("keyed") is False:
        document.problem(("keyed",), "is for the domains sample and template; a file is encrypted under a key")
    if document.data.get("kind") == "protector" and files != (document.data.get("format") is not None):
        named = "domain" if files else "format"
        document.problem((named,), "the domain codestream, and no other, needs a `format:` (jpeg2000, jpeg or opaque)")
    raw = _mapping(document.data.get("parameters"))
    declared: dict[str, Parameter] = {}
    for name, one in raw.items():
        place = ("parameters", name)
        if not name.isidentifier() or keyword.iskeyword(name):
            document.problem(place, "a parameter's name has to be a Python keyword argument")
        try:
            declared[name] = Parameter.model_validate(one)
        except ValidationError:
            continue  # parse() has noted why
        if (declared[name].type == "choice") != bool(declared[name].choices):
            document.problem(place, "`choices` belongs to type choice, and that needs some")
            continue
        try:
            declared[name].accept(declared[name].default)
        except ValueError as error:
            document.problem((*place, "default"), str(error))
    known = {name: declared[name] for name in raw if name in declared}
    for preset, values in _mapping(document.data.get("presets")).items():
        given = {name: value for name, value in _mapping(values).items() if name in known or name not in raw}
        for name, what in accept_parameters(known, given)[1]:
            document.problem(("presets", preset, name), what)
    prepare = document.data.get("prepare")
    for position, name in enumerate(prepare if isinstance(prepare, list) else ()):
        if name not in raw:
            document.problem(("prepare", position), f"unknown parameter {name!r}" + near(str(name), raw))


def _check_contract(document: Document) -> None:
    """What an attack takes and returns has to fit its domains."""
    given = document.data.get("domains")
    domains = set(map(str, given)) if isinstance(given, list) else set()
    returns, grants = document.data.get("returns"), document.data.get("threat_model")
    if document.data.get("takes") == "templates" and "codestream" in domains:
        document.problem(("takes",), "a recogniser makes no templates of files; leave the domain codestream out")
    if returns in ("protected", "templates") and "codestream" in domains:
        document.problem(("returns",), f"{returns} is for the domains sample and template; files are not compared")
    if returns == "templates" and "sample" in domains and document.data.get("takes") != "templates":
        document.problem(("returns",), "templates come of templates: say `takes: templates`, or the domain template")
    if returns == "protected" and (grants or document.data.get("takes") == "templates"):
        document.problem(("returns",), "protected data go to the comparator as they are: no `threat_model`, no `takes`")


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def discover(folders: Iterable[Path] | None = None) -> dict[tuple[str, str], Submission]:
    """{(kind, id): submission} of every `protectors/<id>` and `attacks/<id>` in the folders, sorted.

    Raises InvalidInputError with all errors of all manifests, and for an id that occurs twice.
    """
    found: dict[tuple[str, str], Submission] = {}
    problems = []
    for folder in locations.submission_folders() if folders is None else folders:
        for kind in ("protector", "attack"):
            for manifest in sorted((folder / f"{kind}s").glob("*/submission.yaml")):
                try:
                    submission = load_submission(manifest.parent)
                except InvalidInputError as error:
                    problems.append(str(error))
                    continue
                key = (kind, submission.manifest.id)
                if submission.manifest.kind != kind:
                    problems.append(f"{manifest}:1: kind: {submission.manifest.kind}, but under {kind}s/; move it")
                elif key in found:
                    problems.append(f"{manifest}:1: id: taken by {found[key].folder}; choose another")
                else:
                    found[key] = submission
    if problems:
        raise InvalidInputError("\n".join(problems))
    return dict(sorted(found.items()))
