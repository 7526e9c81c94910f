"""Whose threshold of FMR 0.1 % says that a comparison succeeds, in each key scenario."""

from __future__ import annotations

from benchmark.score_sets.counts import UNPROTECTED

#: The scenario in which the non-mated comparisons are the attacks.
STOLEN_KEY = "stolen-key"


def threshold_source(scenario: str, domain: str) -> str | None:
    """The score set whose threshold counts in a scenario for a protector of a domain; None where none does.

    What is compared like unprotected samples (attacks' results with originals, and protected samples, which are images
    to a recogniser) has to pass the threshold of unprotected ones. Protected templates are compared by their scheme,
    whose scores lie elsewhere: under different keys they have to pass that of one key for all. A stolen key is one that
    impostors should not have, so that of a key for each subject counts.

    >>> threshold_source("different-keys", "sample"), threshold_source("different-keys", "template")
    ('unprotected', 'same-key')
    """
    if scenario == "different-keys":
        return UNPROTECTED if domain == "sample" else "same-key"
    return {"protected-original": UNPROTECTED, STOLEN_KEY: "key-per-subject"}.get(scenario)
