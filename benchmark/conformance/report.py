"""`veilbench validate`: everything that a pull request with a submission is checked for, on embedded data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmark.conformance.attack import attack_checks
from benchmark.conformance.protector import protector_checks
from benchmark.conformance.trial import Check, Skipped, Unmet
from benchmark.errors import InvalidInputError, SubmissionFailedError
from benchmark.protocol_schema import Limits
from benchmark.sandbox import SubmissionProcess
from benchmark.submission import Submission, load_submission


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    name: str
    status: Literal["pass", "fail", "skip"]
    message: str = ""


@dataclass
class Report:
    """What was checked, in order."""

    path: Path
    findings: list[Finding] = field(default_factory=list)
    #: Set by a check without which the others mean nothing.
    stopped: bool = False

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(finding.status != "fail" for finding in self.findings)

    def text(self) -> str:
        """One line a check, and the verdict."""
        width = max(len(finding.name) for finding in self.findings)
        lines = [f"{one.status:4}  {one.name:{width}}  {one.message}".rstrip() for one in self.findings]
        failed = sum(finding.status == "fail" for finding in self.findings)
        return "\n".join(
            [*lines, f"{self.path}: " + (f"{failed} checks failed" if failed else "ready to be submitted")]
        )

    def run(self, name: str, check: Callable[[], str | None], *, vital: bool = False) -> None:
        """Perform one check; after a vital one has failed the others are skipped."""
        if self.stopped:
            self.findings.append(Finding(name, "skip", "an earlier check failed"))
            return
        try:
            self.findings.append(Finding(name, "pass", check() or ""))
        except Skipped as reason:
            self.findings.append(Finding(name, "skip", str(reason)))
        except (Unmet, InvalidInputError, SubmissionFailedError) as reason:
            self.findings.append(Finding(name, "fail", str(reason)))
            self.stopped = vital


def validate(path: Path, *, limits: Limits | None = None) -> Report:
    """Check the submission in a folder: manifest, README, import, parameters, and conduct on embedded samples.

    It runs in its own confined process, as in a benchmark run, within `limits` (default: a protocol's defaults).
    """
    folder = Path(path)
    folder = folder.parent if folder.name == "submission.yaml" else folder
    if not (folder / "submission.yaml").is_file():
        raise InvalidInputError(
            f"{folder}: no submission.yaml here; name a submission's folder (`veilbench new` makes one)"
        )
    report = Report(folder)
    try:
        submission = load_submission(folder)
    except InvalidInputError as error:
        report.findings.append(Finding("manifest", "fail", str(error)))
        return report
    manifest = submission.manifest
    report.findings.append(Finding("manifest", "pass", f"{manifest.kind} {manifest.id} {manifest.version}"))
    report.run("README", lambda: _readme(submission))
    report.run("source digest", lambda: submission.source_digest[:16], vital=True)
    if report.stopped:
        return report  # what is not Python has no digest, and no process
    with SubmissionProcess(submission, limits=limits, watch=True) as process:
        report.run("import and defaults", lambda: _construct(process), vital=True)
        if manifest.kind == "attack":
            report.run("presets", lambda: _presets(process))
        checks: list[Check] = protector_checks(process) if manifest.kind == "protector" else attack_checks(process)
        for check in checks:
            report.run(check.name, check.perform, vital=check.vital)
    return report


def _readme(submission: Submission) -> str:
    file = submission.folder / "README.md"
    if not file.is_file() or len(file.read_text("utf-8", "replace").split()) < 20:
        raise Unmet("README.md is missing or says next to nothing: what it does, what it is based on, what is known")
    return f"{len(file.read_text('utf-8', 'replace').split())} words"


def _construct(process: SubmissionProcess) -> str:
    process.configure(process.submission.resolve({}))
    return f"confined by {', '.join(process.guards)}"


def _presets(process: SubmissionProcess) -> str:
    presets = process.submission.manifest.presets
    if not presets:
        raise Skipped("it has none")
    for preset in presets:
        try:
            process.configure(process.submission.resolve({}, preset))
        except SubmissionFailedError as error:
            raise Unmet(f"{preset}: {error.reason}") from None
        finally:
            process.configure(process.submission.resolve({}))
    return f"{len(presets)} constructed"
