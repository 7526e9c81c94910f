"""Whole runs on small data: records, reuse, failures that cost one job, what is refused before it is computed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from made_submissions import ATTACK, write_submission
from PIL import Image

from benchmark import runner
from benchmark.datasets.pairs import Row, read_pairs, write_pairs
from benchmark.digest import digest_file, generator
from benchmark.errors import InvalidInputError
from benchmark.record import read_record
from benchmark.runner import Report

MIRROR = """
class Method(Protector):
    def protect(self, prepared, keys, *, generator):
        return np.ascontiguousarray(prepared[:, :, ::-1])
    def recover(self, protected, keys):
        return np.ascontiguousarray(protected[:, :, ::-1])
"""
LOOK = """
class Method(Attack):
    def run(self, evidence, *, generator):
        return evidence.protected
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a data set of 40 small faces, submissions, and a protocol `small`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VEILBENCH_STORE", str(tmp_path / "store"))
    random = generator("tests", "run")
    for person in range(10):
        face = random.integers(0, 256, (14, 14, 3)).repeat(8, 0).repeat(8, 1)
        for shot in range(4):
            noisy = np.clip(face + random.normal(0, 20, face.shape), 0, 255).astype(np.uint8)
            path = tmp_path / "faces" / f"p{person}" / f"{shot}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noisy).save(path)
    rows = [Row(1 + p % 2, True, f"p{p}/{a}", f"p{p}/{a + 1}") for p in range(10) for a in range(3)]
    rows += [Row(1 + p % 2, False, f"p{p}/{a}", f"p{(p + 2) % 10}/{a}") for p in range(10) for a in range(3)]
    (tmp_path / "protocols").mkdir()
    write_pairs(tmp_path / "protocols" / "pairs.csv", rows)
    write_submission(tmp_path / "submissions", "mirror", MIRROR)
    write_submission(tmp_path / "submissions", "look", LOOK, ATTACK)
    write_protocol(tmp_path, "small")
    return tmp_path


def write_protocol(place: Path, name: str, **keys: object) -> Path:
    pairs = place / "protocols" / "pairs.csv"
    content: dict[str, object] = {
        "id": name,
        "title": "A small protocol",
        "dataset": {"id": "folder", "parameters": {"path": str(place / "faces")}},
        "pairs": {"file": "pairs.csv", "sha256": digest_file(pairs)},
        "comparisons": ["protected-protected", "protected-original"],
        "keys": {"policy": "sample", "seed": "tests"},
        "protectors": [{"id": "mirror"}],
        "attacks": [{"id": "look"}],
        "recognisers": ["lbp"],
        "metrics": ["eer", "auc", "attack_success_rate", "psnr"],
        "bootstrap": {"resamples": 50},
        **keys,
    }
    path = place / "protocols" / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def run(name: str, **options: object) -> Report:
    return runner.execute(runner.order(name), workers=1, board=Path("board"), **options)  # type: ignore[arg-type]


def test_a_run_files_record_scores_and_pages_and_can_be_verified(place: Path) -> None:
    report = run("small")
    assert [(record.setting, record.status) for record in report.records] == [("mirror", "ok")]
    record = read_record(place / "board/records/small/mirror/look.json")
    assert record.utility.recovered_exactly is not None
    assert record.utility.recovered_exactly.value == 1.0
    assert record.utility.eer_after_recovery["lbp"] == record.baseline["lbp"].eer
    assert set(record.results) == {"protected-protected", "protected-original"}
    assert "mirror" in (place / "board/README.md").read_text()
    assert list(runner.verify_records([place / "board/records"])) == [
        (place / "board/records/small/mirror/look.json", [])
    ]
    assert runner.regenerate_board(place / "board", check_only=True) == (place / "board", [])


def test_verify_notices_an_altered_record_and_altered_scores(place: Path) -> None:
    run("small")
    path = place / "board/records/small/mirror/look.json"
    content = json.loads(path.read_text())
    content["results"]["protected-protected"]["lbp"]["eer"]["value"] += 0.01
    path.write_text(json.dumps(content))
    [(_, problems)] = runner.verify_records([path])
    assert any("protected-protected/lbp/eer.value" in problem for problem in problems)
    run("small")  # mends the record
    scores = place / "board/scores/small/mirror/look.npz"
    scores.write_bytes(scores.read_bytes()[:-40])
    [(_, [problem])] = runner.verify_records([path])
    assert "look.npz: not a readable score file" in problem
    with pytest.raises(InvalidInputError, match=r"none.json: no such file"):
        list(runner.verify_records([place / "none.json"]))


def test_a_damaged_record_does_not_keep_the_others_from_being_verified(place: Path) -> None:
    run("small")
    path = place / "board/records/small/mirror/look.json"
    for name, content in {"a.json": "{", "b.json": path.read_text().replace('"id": "small"', '"id": "smal"')}.items():
        (path.parent / name).write_text(content)
    found = dict(runner.verify_records([place / "board"]))
    assert found[path] == []
    assert "invalid json" in found[path.parent / "a.json"][0]
    assert found[path.parent / "b.json"] == ["unknown protocol 'smal'; did you mean 'small'?"]


def test_a_board_that_is_not_there_is_not_made_up(place: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"no leaderboard at .*elsewhere; run a protocol first"):
        runner.regenerate_board(place / "elsewhere", check_only=False)
    assert not (place / "elsewhere").exists()


def test_verify_notices_a_protocol_that_has_changed(place: Path) -> None:
    run("small")
    write_protocol(place, "small", bootstrap={"resamples": 51})
    [(_, problems)] = runner.verify_records([place / "board/records"])
    assert problems == ["the protocol small has changed since, and a record holds for its own: run it again"]


def test_a_record_of_a_protocol_that_was_run_by_its_path_can_be_verified(place: Path) -> None:
    own = write_protocol(place, "elsewhere").rename(place / "protocols" / "_elsewhere.yaml")  # as if in no folder
    run(str(own))
    records = place / "board/records"
    [(_, problems)] = runner.verify_records([records])
    assert "unknown protocol 'elsewhere'" in problems[0]
    assert [problems for _, problems in runner.verify_records([records], protocol=own)] == [[]]
    [(_, [problem])] = runner.verify_records([records], protocol="small")
    assert problem == "a record of the protocol elsewhere, not of small (small.yaml)"
    with pytest.raises(InvalidInputError, match=r"none\.yaml: cannot be read"):
        list(runner.verify_records([records], protocol=place / "none.yaml"))


def test_a_second_run_computes_nothing_and_leaves_the_record(place: Path) -> None:
    run("small")
    before = (place / "board/records/small/mirror/look.json").read_bytes()
    again = run("small")
    assert set(again.run.stages) == {"score"}
    assert again.filed == ("unchanged",)
    assert (place / "board/records/small/mirror/look.json").read_bytes() == before


def test_a_damaged_artefact_is_computed_again(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run("small")
    [path] = (place / "store" / "protected").rglob("*/*")
    path.write_bytes(path.read_bytes()[:-5])
    assert run("small").filed == ("unchanged",)
    assert "damaged artefact protected/" in capfd.readouterr().err


FAULTS = {
    "raises": ("raise RuntimeError('no luck today')", "failed", "no luck today"),
    "short": ("return evidence.protected[:-1]", "failed", "returned"),
    "sleeps": ("time.sleep(60)", "timeout", "longer than its limit"),
    "dies": ("os._exit(3)", "failed", "run"),
}


def test_a_failing_attack_costs_its_own_job_and_no_other(place: Path) -> None:
    for name, (line, _, _) in FAULTS.items():
        code = f"class Method(Attack):\n    def run(self, evidence, *, generator):\n        {line}\n"
        write_submission(place / "submissions", name, code, ATTACK)
    limits = {"seconds_per_sample": 0.01, "seconds_to_start": 8}
    attacks = [{"id": name} for name in [*FAULTS, "look"]]
    write_protocol(place, "faulty", attacks=attacks, limits=limits)
    report = run("faulty")
    found = {record.attack.id: record for record in report.records}
    assert found["look"].status == "ok"
    for name, (_, status, reason) in FAULTS.items():
        assert found[name].status == status, found[name].reason
        assert reason in (found[name].reason or ""), found[name].reason
        filed = read_record(place / f"board/records/faulty/mirror/{name}.json")
        assert (filed.status, filed.results) == (status, {})
    page = (place / "board/README.md").read_text()
    assert "no luck today" in page + (place / "board/faulty.md").read_text()


def test_missing_and_damaged_images_are_named_and_counted(place: Path) -> None:
    (place / "faces/p0/0.png").unlink()
    (place / "faces/p1/1.png").write_bytes((place / "faces/p1/1.png").read_bytes()[:200])
    Image.new("RGB", (50, 112)).save(place / "faces/p2/2.png")
    report = run("small")
    [record] = report.records
    assert set(record.dataset.failed) == {"p0/0", "p1/1", "p2/2"}
    assert record.failures.acquire == 3
    assert record.failures.attack == 0
    assert any(flag.id == "dataset-failures" for flag in record.flags)
    pairs = read_pairs(place / "protocols/pairs.csv")
    scores = np.load(place / "board/scores/small/mirror/look.npz")["protected-protected/lbp"]
    ids = np.array(pairs.ids)
    touched = np.isin(ids[pairs.a_index], list(record.dataset.failed)) | np.isin(
        ids[pairs.b_index], list(record.dataset.failed)
    )
    np.testing.assert_array_equal(np.isneginf(scores), touched)


def test_a_submission_that_is_not_python_stops_its_own_jobs_alone(place: Path) -> None:
    write_submission(place / "submissions", "garbled", "def (", ATTACK)
    assert not run("small").failed
    assert runner.regenerate_board(place / "board", check_only=True)[1] == []
    with pytest.raises(InvalidInputError, match=r"method\.py:4: not valid Python"):
        runner.order("small", attacks=["look", "garbled"])


def test_reasons_do_not_name_the_folder_of_this_machine(place: Path) -> None:
    (place / "faces/p0/0.png").unlink()
    order = runner.order("small", data=place)
    [record] = runner.execute(order, workers=1, board=Path("board")).records
    assert record.dataset.failed == {"p0/0": "faces/p0/0.* is missing"}


def test_data_of_which_nothing_is_there_are_refused(place: Path) -> None:
    for path in (place / "faces").glob("*/*.png"):
        path.unlink()
    with pytest.raises(InvalidInputError, match="none of the protocol's 40 samples is there"):
        run("small")


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ({"id": "synthetic", "parameters": {"sed": 1}}, "'sed'; did you mean 'seed'"),
        ({"id": "synthetic", "parameters": {"seed": "x"}}, "seed: Input should be a valid integer"),
        ({"id": "synthetic"}, "'p0/0' is no sample id of data set 'synthetic'"),
        ({"id": "folder", "parameters": {"path": "/nowhere"}}, "no folder /nowhere"),
    ],
)
def test_a_data_set_that_does_not_fit_is_refused_before_anything_is_started(
    place: Path, monkeypatch: pytest.MonkeyPatch, dataset: dict[str, object], said: str
) -> None:
    write_protocol(place, "unfit", dataset=dataset)
    monkeypatch.setattr(runner, "run_tasks", lambda *_, **__: pytest.fail("workers were started"))
    with pytest.raises(InvalidInputError, match=said):
        run("unfit")


def test_changed_pixels_change_the_result_and_nothing_else_is_reused_wrongly(place: Path) -> None:
    [before] = run("small").records
    face = np.asarray(Image.open(place / "faces/p3/1.png")).copy()
    Image.fromarray(255 - face).save(place / "faces/p3/1.png")
    [after] = run("small").records
    assert before.dataset.digest != after.dataset.digest
    assert before.scores != after.scores


def test_samples_that_the_protocol_was_not_made_for_are_named_and_make_its_rows_stale(place: Path) -> None:
    def ordered(expected: str) -> Report:
        folder = {"id": "folder", "parameters": {"path": str(place / "faces")}}
        write_protocol(place, "pinned", dataset={**folder, "digest": expected})
        return run("pinned")

    first = ordered("0" * 64)
    page = place / "board/pinned.md"
    assert "data set folder was not the protocol's" in page.read_text()
    assert "these samples are not the ones that pinned was made for" in first.text()
    again = ordered(first.records[0].dataset.digest)
    assert again.filed == ("unchanged",) * len(again.records)
    assert "was not the protocol's" not in page.read_text()
    assert "these samples" not in again.text()


def test_key_policy_and_unknown_names_are_refused_in_one_line(place: Path) -> None:
    path = write_protocol(place, "shared", keys={"policy": "system", "seed": "tests"})
    with pytest.raises(InvalidInputError, match="may not be used under the key policy 'system'"):
        runner.order(path)
    with pytest.raises(InvalidInputError, match=r"unknown protector 'miror'; did you mean 'mirror'\?"):
        runner.order("small", protectors=["miror"])
    with pytest.raises(InvalidInputError, match=r"unknown protocol 'smal'; did you mean 'small'\?"):
        runner.order("smal")


LEARNS = """
class Method(Attack):
    def fit(self, training, *, generator):
        assert training.identities.tolist() == [0, 0, 1, 1], training.identities
        assert len(training.evidence.protected) == 4 and training.evidence.windows is None
        assert training.evidence.algorithm["id"] == "mirror"
        same = (training.originals[:, :, ::-1] == training.evidence.protected).all()
        return {"mirrored": np.array([same]), "drawn": generator.random(2)}
    def restore(self, learned):
        self.mirrored = bool(learned["mirrored"][0])
    def run(self, evidence, *, generator):
        assert evidence.keys is None
        return np.ascontiguousarray(evidence.protected[:, :, ::-1]) if self.mirrored else evidence.protected
"""
OWN_EYES = """
class Method(Attack):
    def run(self, evidence, *, generator):
        return self.embed(evidence.protected)
    def embed(self, samples):
        small = samples[:, 4::8, 4::8].reshape(len(samples), -1).astype(np.float32)
        return np.abs(np.fft.rfft(small - small.mean(1, keepdims=True), axis=1)).astype(np.float32)
"""


def test_an_attack_that_learns_gets_the_attackers_split_and_undoes_the_protection(place: Path) -> None:
    (place / "protocols" / "attacker.txt").write_text("p8/0\np8/1\np9/2\np9/3\n")
    pairs = read_pairs(place / "protocols" / "pairs.csv")
    rows = [
        Row(int(f), bool(g), pairs.ids[a], pairs.ids[b])
        for f, g, a, b in zip(pairs.fold, pairs.genuine, pairs.a_index, pairs.b_index, strict=True)
        if not {pairs.subjects[a], pairs.subjects[b]} & {"p8", "p9"}
    ]
    write_pairs(place / "protocols" / "pairs.csv", rows)
    write_submission(place / "submissions", "learns", LEARNS, ATTACK, threat_model=["algorithm", "pairs", "identities"])
    attacker = {"file": "attacker.txt", "sha256": digest_file(place / "protocols" / "attacker.txt")}
    write_protocol(place, "trained", attacks=[{"id": "learns"}], attacker=attacker)
    [record] = run("trained").records
    assert record.status == "ok", record.reason
    assert record.visual["psnr"].value == 130.0  # the mirrored sample, mirrored back
    [again] = run("trained").records
    assert again.scores == record.scores


def test_an_attack_that_returns_embeddings_is_its_own_recogniser(place: Path) -> None:
    write_submission(place / "submissions", "own-eyes", OWN_EYES, ATTACK, returns="embeddings")
    write_protocol(place, "seen", attacks=[{"id": "own-eyes"}])
    [record] = run("seen").records
    assert record.status == "ok", record.reason
    assert set(record.results["protected-original"]) == {"own-eyes"}
    assert record.visual == {}
    assert record.results["protected-protected"]["own-eyes"]["eer"].value == pytest.approx(0.0, abs=0.05)
    assert next(runner.verify_records([place / "board/records"]))[1] == []


def test_a_job_that_cannot_be_scored_is_a_failed_job_with_a_record(place: Path) -> None:
    code = OWN_EYES.replace("self.embed(", "self.seen(").replace("def embed", "def seen")
    code += "    def embed(self, samples):\n        return 1 / 0\n"  # only asked for when originals are scored
    write_submission(place / "submissions", "blind", code, ATTACK, returns="embeddings")
    write_protocol(place, "unseen", attacks=[{"id": "blind"}, {"id": "look"}])
    report = run("unseen")
    assert report.failed
    assert {record.attack.id: record.status for record in report.records} == {"blind": "failed", "look": "ok"}
    assert "ZeroDivisionError" in report.text()
    assert "ZeroDivisionError" in (read_record(place / "board/records/unseen/mirror/blind.json").reason or "")


def test_the_ranking_of_one_protocol_can_be_printed(place: Path) -> None:
    run("small")
    assert runner.ranking_of(place / "board", "small").splitlines()[2].split("|")[2].strip() == "mirror"
    with pytest.raises(InvalidInputError, match="did you mean 'small'"):
        runner.ranking_of(place / "board", "smal")


def test_a_changed_recogniser_makes_its_rows_stale(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("small")
    assert "Stale" not in (place / "board/small.md").read_text()
    monkeypatch.setattr(runner, "recogniser_digest", lambda _, data: "0" * 64)
    runner.regenerate_board(place / "board", check_only=False)
    assert "recogniser lbp has changed" in (place / "board/small.md").read_text()


def test_images_that_are_equal_are_embedded_once_whoever_makes_them(place: Path) -> None:
    write_submission(place / "submissions", "stare", LOOK, ATTACK)
    write_submission(
        place / "submissions",
        "plain",
        "class Method(Protector):\n    def protect(self, p, k, *, generator):\n        return p\n",
    )
    write_protocol(place, "twice", attacks=[{"id": "look"}, {"id": "stare"}], protectors=[{"id": "mirror"}])
    first, second = run("twice").records
    assert first.results == second.results
    assert len(list((place / "store" / "templates").rglob("*/*"))) == 2  # the originals', and the mirrored ones'
    write_protocol(place, "unprotected", protectors=[{"id": "plain"}])
    run("unprotected")
    assert len(list((place / "store" / "templates").rglob("*/*"))) == 2  # what is shown are the originals


def test_an_attack_whose_images_come_out_differently_later_is_seen_whole(place: Path) -> None:
    """As on a GPU: templates that were filed for the images of before are not mixed with those of now."""
    code = "class Method(Attack):\n    def run(self, evidence, *, generator):\n"
    code += "        return evidence.protected ^ np.uint8(os.getpid() % 251)\n"
    write_submission(place / "submissions", "unsteady", code, ATTACK)
    write_protocol(place, "shaky", attacks=[{"id": "unsteady"}], recognisers=["lbp"])
    [before] = run("shaky").records
    for path in (place / "store" / "templates").rglob("*/*"):
        path.unlink()  # pruned: the images have to be made once more
    [after] = run("shaky").records
    assert before.scores != after.scores
    assert run("shaky").filed == ("unchanged",)
