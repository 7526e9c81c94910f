"""A contact sheet for a protocol: a handful of samples as they are, as protected, and as each attack restores them.

What is committed to a board shows drawn faces, under the protocol's own settings: nobody's photograph is published.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.datasets.sample_list import SampleList
from benchmark.digest import digest
from benchmark.pipeline.attack import learns
from benchmark.pipeline.workshop import Assignment
from benchmark.plan import Job, Plan
from benchmark.plots.chart import sweep_of
from benchmark.protocol_schema import DatasetChoice
from benchmark.show import contact_sheet

#: Rows of each part of a sweep: its ends, and what lies evenly between them.
ROWS = 5
#: Pixels of a sample's side on the sheet: small, for a page with many.
SIDE = 64


def draw_sheet(assignment: Assignment, path: Path, *, samples: int = 3, drawn_faces: bool = True) -> None:
    """Write the contact sheet of a protocol as JPEG or PNG: a row a setting, a block an attack.

    A sweep shows ROWS of its settings. `drawn_faces`: of the synthetic data set, else the protocol's first samples,
    each of another person. Attacks that learn from the attacker's split, or return no images, are left out. Raises
    InvalidInputError where the data are missing.
    """
    shown = set(shown_settings(assignment.plan))
    jobs = [job for job in assignment.plan.jobs if job.protector.name in shown and not learns(job)]
    jobs = [job for job in jobs if job.attack.submission.attack.returns == "images"]
    contact_sheet(few(assignment, jobs, samples, drawn_faces), path, samples=samples, side=SIDE, recovered=False)


def shown_settings(plan: Plan) -> list[str]:
    """The protector settings that the sheet shows, in the plan's order."""
    settings = {job.protector.name: job.protector for job in plan.jobs}
    sweep = sweep_of({name: (one.submission.manifest.id, one.parameters) for name, one in settings.items()})
    if sweep is None:
        return list(settings)
    parts: dict[str, list[str]] = defaultdict(list)
    for name, (_, part) in sorted(sweep.places.items(), key=lambda item: item[1][0]):
        parts[part].append(name)
    shown = {names[round(at)] for names in parts.values() for at in np.linspace(0, len(names) - 1, ROWS)}
    return [name for name in settings if name in shown]


def few(assignment: Assignment, jobs: Sequence[Job], samples: int, drawn_faces: bool) -> Assignment:
    """The assignment, of some jobs and a few samples: drawn faces, or its own, each of another person."""
    plan, compared = assignment.plan, assignment.compared
    protocol = plan.protocol
    if drawn_faces:
        protocol = protocol.model_copy(update={"dataset": DatasetChoice(id="synthetic")})
        ids = tuple(f"s{number:04d}/0" for number in range(samples))
    else:
        first = dict(zip(reversed(compared.subjects), reversed(compared.ids), strict=True))
        ids = tuple(name for name in compared.ids if name in set(first.values()))[:samples]
    return replace(assignment, plan=replace(plan, protocol=protocol, jobs=tuple(jobs)), compared=_alone(ids))


def _alone(ids: tuple[str, ...]) -> SampleList:
    """Samples that nobody is going to compare."""
    return SampleList(ids, tuple(name.rpartition("/")[0] for name in ids), digest("sheet", list(ids)))
