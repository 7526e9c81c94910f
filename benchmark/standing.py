"""What a filed record already tells of a job: recognisers that joined its protocol later are all that is left to see.

A record stands while every digest in it is current, and then its scores are what computing them again would give. The
job is attacked anew for the recognisers it lacks, which checks the record: what is filed is taken only where the
attacked images fail and look as they did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import InvalidInputError
from benchmark.filing import same_result
from benchmark.record import Failures, Flag, Record, Value, read_record, record_path
from benchmark.scores import ScoreTable, read_scores, score_path, scores_digest


@dataclass(frozen=True)
class Standing:
    """A filed record with its scores."""

    record: Record
    scores: ScoreTable

    def agrees(self, failures: Failures, visual: Mapping[str, Value]) -> bool:
        """Whether what was attacked anew fails as often, and looks as much like its originals, as what was filed."""
        again = self.record.model_copy(update={"failures": failures, "visual": dict(visual)})
        return same_result(self.record, again)

    def flags(self, view: str) -> list[Flag]:
        """The flags that are about one view."""
        return [flag for flag in self.record.flags if view in flag.where.split("/")]


def read_standing(folder: Path, protocol: str, setting: str, attack: str) -> Standing | None:
    """The filed record under the leaderboard folder with its scores; None where either is missing or damaged."""
    names = protocol, setting, attack
    try:
        record, scores = read_record(record_path(folder, *names)), read_scores(score_path(folder, *names))
    except InvalidInputError:
        return None
    sound = record.status == "ok" and record.scores is not None and scores_digest(scores) == record.scores.digest
    return Standing(record, scores) if sound else None
