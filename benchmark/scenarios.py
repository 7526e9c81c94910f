"""Key scenarios (ISO/IEC 24745, 30136): what each compares, and in which of them a protector and an attack are scored.

Every sample is protected once for each of these sets:

- `system`: under one key for all;
- `subject`: under its subject's key;
- `sample`: under a key of its own;
- `flipped`: under that key with one bit flipped;
- `stolen`: in its place a sample of another subject, under the key of its subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from benchmark.errors import InvalidInputError
from benchmark.protocol_schema import Protocol, Scenario
from benchmark.recognisers.registry import compares_by_cosine
from benchmark.submission import AttackManifest, KeyPolicy, ProtectorManifest

SetName: TypeAlias = Literal["system", "subject", "sample", "flipped", "stolen"]

#: The scenarios, those first whose thresholds others are measured by, with the protected sets that they compare.
SETS: Mapping[Scenario, tuple[SetName, ...]] = {
    "same-key": ("system",),
    "key-per-subject": ("subject",),
    "different-keys": ("sample",),
    "stolen-key": ("subject", "stolen"),
    "protected-original": ("sample",),
}
#: What is left of them without a key.
KEYLESS: Mapping[Scenario, tuple[SetName, ...]] = {"same-key": ("system",), "protected-original": ("system",)}
#: The policy of a set's keys.
POLICY: Mapping[SetName, KeyPolicy] = {
    "system": "system",
    "subject": "subject",
    "sample": "sample",
    "flipped": "sample",
    "stolen": "subject",
}


def scenarios_of(protocol: Protocol, protector: ProtectorManifest, attack: AttackManifest) -> tuple[Scenario, ...]:
    """The protocol's scenarios in which an attack on a protector is scored, in the order of `SETS`; maybe none.

    What was stolen is compared in all of them, but protected templates never with the recogniser's own; what an attack
    gets back (images, templates) is compared with originals; what tells whom a template is of (embeddings), with its
    like under other keys.
    """
    if protector.domain not in attack.domains or protector.domain == "codestream":
        return ()
    apart = protector.domain == "template"
    meant: set[Scenario] = {"protected-original"} if attack.returns in ("images", "templates") else {"different-keys"}
    if attack.returns == "protected":
        meant = set(SETS) - ({"protected-original"} if apart else set())
    if apart and attack.returns == "images":
        meant = set()  # nothing that a recogniser's templates were made of
    known = SETS if protector.keyed else KEYLESS
    return tuple(name for name in known if name in meant and name in (protocol.scenarios or ()))


def sets_of(
    scenarios: tuple[Scenario, ...], protector: ProtectorManifest, attack: AttackManifest, metrics: Sequence[str]
) -> tuple[SetName, ...]:
    """The protected sets behind scenarios, with those that some of the metrics need: what another key is worth."""
    known = SETS if protector.keyed else KEYLESS
    wanted = [name for scenario in scenarios for name in known[scenario]]
    if attack.returns == "protected" and "different-keys" in scenarios:
        wanted += ["subject"] if "revoked_match_rate" in metrics else []
        wanted += ["flipped"] if "key_sensitivity" in metrics else []
    return tuple(dict.fromkeys(wanted))


def check_protector(name: str, protector: ProtectorManifest, protocol: Protocol) -> None:
    """Raise InvalidInputError where a protector cannot be judged in key scenarios."""
    if protector.domain == "codestream":
        raise InvalidInputError(
            f"{name} encrypts files; {protocol.id} compares every two samples in key scenarios, which is for "
            "protectors of the domains sample and template"
        )
    lacking = set(POLICY.values() if protector.keyed else ("system",)) - set(protector.keys)
    if lacking:
        raise InvalidInputError(
            f"{name} may not be used under the key policy {sorted(lacking)[0]!r}, which the scenarios of {protocol.id} "
            f"need (its submission.yaml allows {', '.join(protector.keys)})"
        )


def sees(recogniser: str, protector: ProtectorManifest, attack: AttackManifest) -> bool:
    """Whether a recogniser takes part: schemes of the template domain are made for templates compared by cosine.

    An attack that makes embeddings of images is its own recogniser.
    """
    if protector.domain == "template":
        return compares_by_cosine(recogniser)
    return attack.returns != "embeddings" or attack.takes == "templates"
