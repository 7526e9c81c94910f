"""Whole runs of all-pairs protocols on small data, held against protecting and comparing by hand."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import yaml
from eyes import Thumbnail, thumbnail
from made_submissions import ATTACK, PROTECTOR, write_submission
from PIL import Image

from benchmark import runner
from benchmark.crypto import derive_key
from benchmark.datasets import open_dataset
from benchmark.digest import digest_file, generator
from benchmark.errors import InvalidInputError
from benchmark.metrics.template_protection import unlinkability
from benchmark.metrics.verification import eer
from benchmark.pipeline.all_pairs import JobBatch, impostors_of
from benchmark.pipeline.workshop import Workshop
from benchmark.protocol import load_protocol
from benchmark.protocol_schema import ALL_PAIRS_METRICS
from benchmark.recognisers import load_recogniser
from benchmark.record import read_record
from benchmark.results import survey
from benchmark.score_sets.counts import read_counts
from benchmark.show import contact_sheet

__all__ = ["thumbnail"]

POLICIES = ["sample", "subject", "system"]
#: Adds a picture of noise that the key draws.
VEIL = """
class Method(Protector):
    def protect(self, prepared, keys, *, generator):
        return np.stack([self.veiled(sample, key) for sample, key in zip(prepared, keys)])
    def veiled(self, sample, key):
        noise = np.random.default_rng(int.from_bytes(key, "big")).integers(0, 60, sample.shape)
        return np.clip(sample + noise, 0, 255).astype(np.uint8)
"""
#: Turns the signs of a template's numbers round as the key says; of templates of unit length.
SIGNS = """
class Method(Protector):
    def protect(self, prepared, keys, *, generator):
        assert np.allclose(np.linalg.norm(prepared, axis=1), 1, atol=1e-5)
        flips = [np.random.default_rng(int.from_bytes(key, "big")).integers(0, 2, prepared.shape[1]) for key in keys]
        return (prepared * (1 - 2 * np.stack(flips))).astype(np.float32)
    def compare(self, a, b):
        return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
"""
SEE = "class Method(Attack):\n    def run(self, evidence, *, generator):\n        return evidence.protected\n"
#: Knows the key: turns the signs back.
BACK = """
class Method(Attack):
    def run(self, evidence, *, generator):
        held = evidence.protected
        assert evidence.algorithm["template"] == {"dimension": held.shape[1]}
        draw = [np.random.default_rng(int.from_bytes(key, "big")) for key in evidence.keys]
        return (held * (1 - 2 * np.stack([one.integers(0, 2, held.shape[1]) for one in draw]))).astype(np.float32)
"""
#: Learns the mean of the attacker's templates, and takes it off.
LINK = """
class Method(Attack):
    def fit(self, training, *, generator):
        assert len(training.originals) == len(training.evidence.protected) == 4
        return {"mean": training.evidence.protected.mean(axis=0)}
    def restore(self, learned):
        self.mean = learned["mean"]
    def run(self, evidence, *, generator):
        return evidence.protected - self.mean
"""
PROTECT = "class Method(Protector):\n    def protect(self, prepared, keys, *, generator):\n"
NETWORK = "thumbnail"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, thumbnail: Thumbnail) -> Path:
    """A current folder with 12 faces of 4 people, those of 2 more for the attacker, submissions, and a protocol."""
    del thumbnail
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VEILBENCH_STORE", str(tmp_path / "store"))
    random = generator("tests", "all pairs")
    for person in range(6):
        face = random.integers(0, 256, (14, 14, 3)).repeat(8, 0).repeat(8, 1)
        for shot in range(3 if person < 4 else 2):
            noisy = np.clip(face + random.normal(0, 40, face.shape), 0, 255).astype(np.uint8)
            path = tmp_path / "faces" / f"p{person}" / f"{shot}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noisy).save(path)
    keyed = {**PROTECTOR, "reversible": False, "keys": POLICIES}
    write_submission(tmp_path / "submissions", "veil", VEIL, keyed)
    write_submission(tmp_path / "submissions", "signs", SIGNS, keyed, domain="template")
    both = {"domains": ["sample", "template"]}
    write_submission(tmp_path / "submissions", "see", SEE, ATTACK, **both, returns="protected")
    knows = {"threat_model": ["algorithm", "key"], "disclosure": "full"}
    write_submission(tmp_path / "submissions", "back", BACK, ATTACK, domains=["template"], returns="templates", **knows)
    links = {"returns": "embeddings", "takes": "templates", "threat_model": ["pairs"]}
    write_submission(tmp_path / "submissions", "link", LINK, ATTACK, **both, **links)
    write_protocol(tmp_path, "keyed")
    return tmp_path


def write_protocol(place: Path, name: str, **keys: object) -> Path:
    folder = place / "protocols"
    folder.mkdir(exist_ok=True)
    (folder / "all.txt").write_text("".join(f"p{n}/{shot}\n" for n in range(4) for shot in range(3)))
    (folder / "learn.txt").write_text("".join(f"p{n}/{shot}\n" for n in (4, 5) for shot in range(2)))
    content: dict[str, object] = {
        "id": name,
        "title": "A small protocol of key scenarios",
        "dataset": {"id": "folder", "parameters": {"path": str(place / "faces")}},
        "samples": {"file": "all.txt", "sha256": digest_file(folder / "all.txt")},
        "attacker": {"file": "learn.txt", "sha256": digest_file(folder / "learn.txt")},
        "scenarios": ["same-key", "key-per-subject", "different-keys", "stolen-key", "protected-original"],
        "keys": {"seed": "tests"},
        "protectors": [{"id": "veil"}, {"id": "signs"}],
        "attacks": [{"id": "see"}, {"id": "back"}, {"id": "link"}],
        "recognisers": ["lbp", NETWORK],
        "metrics": list(ALL_PAIRS_METRICS),
        "bootstrap": {"resamples": 20},
        **keys,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return path


def run(name: str, **options: list[str]) -> runner.Report:
    return runner.execute(runner.order(name, **options), workers=1, board=Path("board"))  # type: ignore[arg-type]


IDS = tuple(f"p{person}/{shot}" for person in range(4) for shot in range(3))


def label(policy: str, sample: str) -> str:
    return {"system": "", "subject": sample.split("/")[0], "sample": sample}[policy]


def veiled(place: Path, policy: str, shown: tuple[str, ...] = IDS) -> np.ndarray:
    """The samples `shown` under the keys of IDS, by hand."""
    pixels = open_dataset("folder", {"path": str(place / "faces")}, None).load(shown).samples
    master = load_protocol("keyed").master_key()
    keys = [derive_key(master, "owner", policy, label(policy, sample)) for sample in IDS]
    noise = [np.random.default_rng(int.from_bytes(key, "big")).integers(0, 60, pixels.shape[1:]) for key in keys]
    return np.clip(pixels + np.stack(noise), 0, 255).astype(np.uint8)


def split(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mated and non-mated scores of N x N, every two once."""
    pairs = list(combinations(range(len(IDS)), 2))
    same = np.array([IDS[a].split("/")[0] == IDS[b].split("/")[0] for a, b in pairs])
    values = np.array([scores[a, b] for a, b in pairs])
    return values[same], values[~same]


def test_every_scenario_says_what_protecting_and_comparing_by_hand_says(place: Path) -> None:
    report = run("keyed", protectors=["veil"], attacks=["see"])
    assert [record.status for record in report.records] == ["ok"], report.remarks()
    record = read_record(place / "board/records/keyed/veil/see.json")
    lbp = load_recogniser("lbp")
    sets = {policy: lbp.embed(veiled(place, policy)) for policy in POLICIES}
    plain = lbp.embed(open_dataset("folder", {"path": str(place / "faces")}, None).load(IDS).samples)
    found = {scenario: cells["lbp"] for scenario, cells in record.results.items()}
    assert found["same-key"]["eer"].value == pytest.approx(eer(*split(lbp.compare_all(sets["system"], sets["system"]))))
    own = split(lbp.compare_all(sets["subject"], sets["subject"]))
    assert found["key-per-subject"]["eer"].value == pytest.approx(eer(*own))
    apart = split(lbp.compare_all(sets["sample"], sets["sample"]))
    assert found["different-keys"]["eer"].value == pytest.approx(eer(*apart))
    assert found["different-keys"]["d_sys"].value == pytest.approx(unlinkability(*apart)[0], rel=1e-5)
    original = split(lbp.compare_all(sets["sample"], plain))
    assert found["protected-original"]["eer"].value == pytest.approx(eer(*original))
    assert {found["different-keys"][name].n for name in ("revoked_match_rate", "key_sensitivity")} == {len(IDS)}
    impostors = tuple(impostors_of(IDS)[name] for name in IDS)
    assert all(a.split("/")[0] != b.split("/")[0] for a, b in zip(IDS, impostors, strict=True))
    stolen = lbp.compare(lbp.embed(veiled(place, "subject", impostors)), sets["subject"])
    assert found["stolen-key"]["eer"].value == pytest.approx(eer(own[0], stolen))
    assert found["stolen-key"]["eer"].n == len(own[0]) + len(IDS)
    assert record.baseline["lbp"].eer.value == pytest.approx(eer(*split(lbp.compare_all(plain, plain))))
    assert record.cost.protected_bytes == record.cost.plain_bytes == 112 * 112 * 3
    counts = read_counts(place / "board" / record.scores.file)  # type: ignore[union-attr]  # it is ok, so it has one
    assert set(counts) == {*found, "unprotected"}
    assert counts["different-keys"]["lbp"].non_mated.sum() == len(apart[1])


def test_flipped_keys_are_one_bit_off_in_places_of_their_own(place: Path) -> None:
    """And what is protected under them is what protecting by hand gives."""
    workshop = Workshop(runner.order("keyed", protectors=["veil"], attacks=["see"]).assignment)
    try:
        known, flipped = (workshop.sample_keys(IDS, holder="owner", policy="sample", flipped=f) for f in (False, True))
        apart = [int.from_bytes(a, "big") ^ int.from_bytes(b, "big") for a, b in zip(known, flipped, strict=True)]
        assert [one.bit_count() for one in apart] == [1] * len(IDS)
        assert len(set(apart)) > len(IDS) / 2
        batch = JobBatch(workshop, workshop.assignment.plan.jobs[0], 0).protected["flipped"]
        noise = [np.random.default_rng(int.from_bytes(key, "big")).integers(0, 60, (112, 112, 3)) for key in flipped]
        pixels = open_dataset("folder", {"path": str(place / "faces")}, None).load(IDS).samples
        assert np.array_equal(batch.images()[0], np.clip(pixels + np.stack(noise), 0, 255).astype(np.uint8))
    finally:
        workshop.close()


def test_templates_are_protected_inverted_and_linked(place: Path) -> None:
    report = run("keyed", protectors=["signs"])
    assert [record.status for record in report.records] == ["ok"] * 3, report.remarks()
    folder = place / "board/records/keyed/signs"
    see, back, link = (read_record(folder / f"{name}.json") for name in ("see", "back", "link"))
    assert set(see.results) == {"same-key", "key-per-subject", "different-keys", "stolen-key"}
    assert set(see.recognisers) == {NETWORK}  # no histograms
    plain = see.baseline[NETWORK].eer.value
    assert see.results["same-key"][NETWORK]["eer"].value == pytest.approx(plain)  # signs leave cosines as they are
    assert set(back.results) == {"protected-original"}
    assert back.results["protected-original"][NETWORK]["eer"].value == pytest.approx(plain)
    assert (back.attack.disclosure, back.attack.returns) == ("full", "templates")
    assert set(link.results) == {"different-keys"}
    assert "attack_success_rate" not in link.results["different-keys"][NETWORK]
    assert see.cost.plain_bytes == see.cost.protected_bytes == 4 * Thumbnail.dimension


def test_a_second_run_computes_nothing_and_changes_nothing(place: Path) -> None:
    run("keyed", protectors=["signs"])
    files = {path: path.read_bytes() for path in (place / "board").rglob("*") if path.is_file()}
    again = run("keyed", protectors=["signs"])
    assert set(again.filed) == {"unchanged"}
    assert set(again.run.stages) <= {"score"}
    assert {path: path.read_bytes() for path in (place / "board").rglob("*") if path.is_file()} == files


def test_a_damaged_sample_counts_as_a_failure_and_the_others_go_on(place: Path) -> None:
    (place / "faces/p1/1.png").write_bytes(b"no picture")
    [record] = run("keyed", protectors=["veil"], attacks=["see"]).records
    assert (record.status, record.failures.acquire) == ("ok", 1)
    assert {"dataset-failures", "failures-to-process"} <= {flag.id for flag in record.flags}


def test_an_attacker_of_whose_samples_none_is_there_is_refused(place: Path) -> None:
    for path in (place / "faces").glob("p[45]/*.png"):
        path.unlink()
    with pytest.raises(InvalidInputError, match="none of the attacker's 4 samples is there"):
        run("keyed")


def test_a_protector_without_a_key_is_flagged_and_scored_where_no_key_is_needed(place: Path) -> None:
    code = f"{PROTECT}        return prepared // 9\n"
    write_submission(place / "submissions", "dim", code, {**PROTECTOR, "reversible": False}, keyed=False, keys=POLICIES)
    [record] = run("keyed", protectors=["dim"], attacks=["see"]).records
    assert set(record.results) == {"same-key", "protected-original"}
    assert "keyless" in {flag.id for flag in record.flags}


def test_a_failing_scheme_costs_its_own_record_alone(place: Path) -> None:
    code = f"{PROTECT}        return prepared[:1]\n"
    keyed = {**PROTECTOR, "reversible": False, "keys": POLICIES}
    write_submission(place / "submissions", "short", code, keyed, domain="template")
    report = run("keyed", protectors=["short", "signs"], attacks=["see"])
    assert {record.setting: record.status for record in report.records} == {"short": "failed", "signs": "ok"}


def test_results_finds_what_is_missing_and_show_draws_what_can_be_seen(place: Path) -> None:
    run("keyed", protectors=["veil"], attacks=["see"])
    found = survey(board=Path("board"), workers=1)
    assert set(found.due[0].reasons) == {"veil / link", "signs / see", "signs / back", "signs / link"}
    assert found.total.seconds > 0
    contact_sheet(runner.order("keyed").assignment, place / "sheet.png", samples=2)
    assert Image.open(place / "sheet.png").width > 2 * 112
    with pytest.raises(InvalidInputError, match="templates, of which there are no images"):
        contact_sheet(runner.order("keyed", protectors=["signs"]).assignment, place / "none.png")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"samples": None}, "samples: is missing"),
        ({"scenarios": None}, "scenarios: is missing"),
        ({"scenarios": ["some-key"]}, "'some-key' is not one of same-key, key-per-subject"),
        (
            {"keys": {"policy": "sample", "seed": "x"}},
            "keys.policy: each of the `scenarios:` has its own",
        ),
        ({"comparisons": ["protected-original"]}, "comparisons: does not go with `scenarios:`"),
        ({"visual": {"samples": 3}}, "visual: does not go with `scenarios:`"),
        ({"metrics": ["auc"]}, "auc is no metric of all pairs of samples; known here: eer, d_sys"),
        ({"samples": {"file": "all.txt", "sha256": "0" * 64}}, "all.txt has the digest"),
    ],
)
def test_a_protocol_of_the_wrong_form_is_refused_with_its_line(place: Path, keys: dict[str, object], said: str) -> None:
    path = write_protocol(place, "wrong", **keys)
    with pytest.raises(InvalidInputError, match=rf"wrong.yaml:\d+: .*{said}"):
        load_protocol(path)


def test_samples_of_one_person_cannot_be_compared(place: Path) -> None:
    lone = place / "protocols/lone.txt"
    lone.write_text("p1/0\np1/1\n")
    write_protocol(place, "lone", samples={"file": "lone.txt", "sha256": digest_file(lone)})
    with pytest.raises(InvalidInputError, match="needs samples of two subjects, and two samples of one of them"):
        runner.order("lone")
