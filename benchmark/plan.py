"""protocol x protectors x attacks -> jobs: pure, and printable before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from benchmark.digest import digest
from benchmark.errors import InvalidInputError, unknown
from benchmark.protocol import Entry, Protocol
from benchmark.recognisers import recogniser_digest
from benchmark.scenarios import check_protector, scenarios_of, sees
from benchmark.submission import Submission, applies

#: Samples per artefact and per task: a kill loses at most one such batch of work for each worker.
CHUNK = 128


@dataclass(frozen=True)
class Setting:
    """A submission with one set of parameters, as a protocol names it: `jpeg2000-window@lw4o6-document`."""

    name: str
    submission: Submission
    parameters: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Names code and parameters: equal digests do the same."""
        return digest(self.submission.source_digest, dict(self.parameters))


@dataclass(frozen=True)
class Job:
    """One record to come: a protector's setting under one attack, seen through some recognisers."""

    protector: Setting
    attack: Setting
    #: Empty where the attack returns embeddings: it is its own recogniser.
    recognisers: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.protector.name} / {self.attack.name}"


@dataclass(frozen=True)
class Plan:
    """The jobs of one protocol."""

    protocol: Protocol
    jobs: tuple[Job, ...]
    #: Whether recognisers of the protocol were left out: what comes of the jobs are no records of the protocol then.
    partial: bool = False

    @property
    def recognisers(self) -> tuple[str, ...]:
        """Those that see any of the jobs, in the protocol's order, then those that joined."""
        listed = self.protocol.all_recognisers
        joined = (name for job in self.jobs for name in job.recognisers if name not in listed)
        everyone = (*listed, *dict.fromkeys(joined))
        return tuple(name for name in everyone if any(name in job.recognisers for job in self.jobs))

    def lines(self) -> list[str]:
        """The plan as text, one line a job, which says what further recognisers see it."""
        common = [name for name in self.recognisers if name in self.protocol.recognisers]
        head = f"{self.protocol.id}: {len(self.jobs)} jobs, recognisers {', '.join(common)}"
        lines = []
        for job in self.jobs:
            further = [name for name in job.recognisers if name not in common]
            lines.append(f"  {job.name}" + (f" (also {', '.join(further)})" if further else ""))
        return [head, *lines]


def plan(
    protocol: Protocol,
    submissions: Mapping[tuple[str, str], Submission],
    *,
    protectors: Sequence[str] | None = None,
    attacks: Sequence[str] | None = None,
    recognisers: Sequence[str] | None = None,
    data: Path | None = None,
) -> Plan:
    """The jobs of a protocol, or of the part of it that the filters name.

    A filter is a submission's id, or a setting's full name. A submission that the protocol does not list but that is
    installed (under `submissions/`) joins with its default parameters when a filter names it. Attacks meet the
    protectors of the domains and formats that they declare; an attack that none of the chosen recognisers sees has no
    job. A recogniser that the protocol does not list joins likewise and sees every attack; it may be an `onnx:FILE`, or
    one whose weights are the user's (in the data folder `data`, else VEILBENCH_DATA). Raises InvalidInputError for
    unknown names and for a protector that may not be used under the protocol's key policy.
    """
    defenders = _settings("protector", protocol.protectors, submissions, protectors)
    attackers = _settings("attack", protocol.attacks, submissions, attacks)
    known = protocol.all_recognisers
    joining = _joining(known, recognisers, data)
    chosen = (*(name for name in known if recognisers is None or name in recognisers), *joining)
    for setting in defenders:
        _check_protector(setting, protocol)
    jobs = []
    for defender, attacker in product(defenders, attackers):
        _check_attack(attacker, protocol)
        if _meet(protocol, defender, attacker):
            own = recognisers_of(protocol, attacker, defender)
            seen = tuple(name for name in (*own, *joining) if name in chosen) if own else ()
            if protocol.all_pairs:  # one that joined may compare otherwise than the scheme can
                seen = tuple(name for name in seen if _sees(name, defender, attacker))
            if seen or not own:
                jobs.append(Job(defender, attacker, seen))
    for attacker in attackers:
        if "pairs" in attacker.submission.attack.threat_model and protocol.attacker is None:
            raise InvalidInputError(
                f"{attacker.name} learns from pairs, but {protocol.id} has no attacker's split; "
                "choose a protocol with an `attacker:` key"
            )
    return Plan(protocol, tuple(jobs), partial=chosen != known)


def recognisers_of(protocol: Protocol, attack: Setting, protector: Setting) -> tuple[str, ...]:
    """The recognisers that see an attack on a protector; none where it returns embeddings and is its own."""
    listed = protocol.recognisers + protocol.further_for(attack.name, attack.submission.manifest.id)
    if protocol.all_pairs:
        return tuple(name for name in listed if _sees(name, protector, attack))
    return () if attack.submission.attack.returns == "embeddings" else listed


def listed_settings(protocol: Protocol, submissions: Mapping[tuple[str, str], Submission]) -> list[Setting]:
    """Every setting of a protector or an attack that the protocol lists, with all its parameters."""
    return _settings("protector", protocol.protectors, submissions, None) + _settings(
        "attack", protocol.attacks, submissions, None
    )


def _sees(recogniser: str, protector: Setting, attack: Setting) -> bool:
    return sees(recogniser, protector.submission.protector, attack.submission.attack)


def _meet(protocol: Protocol, protector: Setting, attack: Setting) -> bool:
    met, by = protector.submission.protector, attack.submission.attack
    if by.protectors is not None and met.id not in by.protectors:
        return False
    if not protocol.all_pairs:
        return applies(by.domains, by.formats, met.domain, met.format)
    if not scenarios_of(protocol, met, by):
        return False
    # A scheme for templates is not judged by recognisers that have others: then there is nothing to run.
    return bool(recognisers_of(protocol, attack, protector)) or (by.returns == "embeddings" and met.domain == "sample")


def _check_protector(setting: Setting, protocol: Protocol) -> None:
    """Raise InvalidInputError where a protector is not meant for what the protocol does with its keys."""
    manifest = setting.submission.protector
    if protocol.all_pairs:
        check_protector(setting.name, manifest, protocol)
        return
    if manifest.domain == "template":
        raise InvalidInputError(
            f"{setting.name} protects templates; {protocol.id} has a pair list of samples. Choose a protocol with "
            "`scenarios:`, such as demo-cancelable"
        )
    if protocol.keys.policy not in manifest.keys:
        raise InvalidInputError(
            f"{setting.name} may not be used under the key policy {protocol.keys.policy!r} of {protocol.id} "
            f"(its submission.yaml allows {', '.join(manifest.keys)}): its keystream would repeat"
        )


def _check_attack(setting: Setting, protocol: Protocol) -> None:
    """Raise InvalidInputError for an attack whose results only key scenarios can tell anything of."""
    manifest = setting.submission.attack
    apart = manifest.returns in ("protected", "templates") or manifest.takes == "templates"
    if apart and not protocol.all_pairs:
        raise InvalidInputError(
            f"{setting.name} is for protocols with `scenarios:`, such as demo-cancelable; {protocol.id} has a pair list"
        )


def _settings(
    kind: str,
    entries: Iterable[Entry],
    submissions: Mapping[tuple[str, str], Submission],
    only: Sequence[str] | None,
) -> list[Setting]:
    installed = {name for k, name in submissions if k == kind}
    settings = []
    for entry in entries:
        if entry.id not in installed:
            raise unknown(kind, entry.id, installed)
        submission = submissions[kind, entry.id]
        settings.append(Setting(entry.label, submission, submission.resolve(entry.parameters, entry.preset)))
    if only is None:
        return settings
    kept = [setting for setting in settings if setting.name in only or setting.submission.manifest.id in only]
    named = {name for setting in kept for name in (setting.name, setting.submission.manifest.id)}
    for name in only:
        if name in named:
            continue
        if name not in installed:
            raise unknown(kind, name, installed | {setting.name for setting in settings})
        submission = submissions[kind, name]
        kept.append(Setting(name, submission, submission.resolve({}, None)))
    return kept


def _joining(listed: Sequence[str], only: Sequence[str] | None, data: Path | None) -> tuple[str, ...]:
    joining = tuple(name for name in dict.fromkeys(only or ()) if name not in listed)
    for name in joining:
        recogniser_digest(name, data=data)  # raises where it is unknown, or lacks what its digest counts
    return joining
