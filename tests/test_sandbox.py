"""A well-behaved submission through its process: every call, timings, restarts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_submissions import ATTACK, made

from benchmark.digest import generator
from benchmark.errors import InvalidInputError, SubmissionFailedError
from benchmark.interfaces import Evidence, TrainingPairs
from benchmark.sandbox import SubmissionProcess

SHAPE = (4, 4, 3)
SAMPLES = np.arange(3 * 48, dtype=np.uint8).reshape(3, *SHAPE)
KEYS = [bytes([number]) * 32 for number in range(3)]

FILES = """
class Method(Protector):
    def __init__(self, *, step):
        self.step = step
        if step > 9:
            raise ValueError("step over 9")
    def prepare(self, samples):
        return [sample.tobytes() for sample in samples]
    def protect(self, prepared, keys, *, generator):
        noise = generator.integers(0, 256)
        moved = [bytes((b + self.step + key[0]) % 256 for b in item) for item, key in zip(prepared, keys)]
        return [item + bytes([noise]) for item in moved]
    def recover(self, protected, keys):
        plain = [bytes((b - self.step - key[0]) % 256 for b in item[:-1]) for item, key in zip(protected, keys)]
        return [None if n == 1 else np.frombuffer(p, np.uint8).reshape(4, 4, 3) for n, p in enumerate(plain)]
    def encrypted_ranges(self, protected):
        return np.array([[0, len(item) - 1, len(item) - 1] for item in protected], np.int64)
    def render(self, protected):
        return [None] * len(protected)
"""
TEMPLATES = """
class Method(Protector):
    def protect(self, prepared, keys, *, generator):
        return -prepared
    def compare(self, a, b):
        return (a * b).sum(axis=1)
"""
BY_PRODUCT = (
    "from benchmark.template_protector import TemplateProtector\n"
    + TEMPLATES.replace("Protector", "TemplateProtector")
    + """
    def compare_all(self, a, b):
        return a.astype(np.float64) @ b.T
"""
)
LEARNER = """
class Method(Attack):
    def fit(self, training, *, generator):
        assert training.identities.tolist() == [7, 7, 9] and training.evidence.keys is None
        return {"mean": training.originals.mean(axis=0), "draw": np.array(generator.random())}
    def restore(self, learned):
        self.learned = learned
    def run(self, evidence, *, generator):
        assert evidence.algorithm == {"id": "x", "parameters": {"a": 1}}
        assert evidence.windows.tolist() == [[0, 1, 1]] * 3
        return np.float32(evidence.protected.reshape(3, -1) + self.learned["draw"])
    def embed(self, samples, *, algorithm=None, prepared=None):
        if algorithm is not None:
            assert algorithm == {"id": "x", "parameters": {"a": 1}} and prepared in (None, [b"1", b"22", b"333"])
        return np.float32(samples.reshape(len(samples), -1))
"""


def test_codestreams_go_there_and_back(tmp_path: Path) -> None:
    step = {"type": "int", "default": 1}
    submission = made(tmp_path, "files", FILES, domain="codestream", parameters={"step": step})
    with SubmissionProcess(submission, sample_shape=SHAPE, compiler_cache=tmp_path / "c") as process:
        process.configure({"step": 2})
        prepared = process.prepare(SAMPLES)
        assert prepared == [sample.tobytes() for sample in SAMPLES]
        random = generator("a")
        protected = process.protect(prepared, KEYS, generator=random)
        assert process.last_timing.calls_before == 0
        assert isinstance(protected, list)
        assert protected[0][:-1] == bytes(np.roll(np.arange(256), -2)[:48].astype(np.uint8))
        assert protected[0][-1] == generator("a").integers(0, 256)
        assert protected == process.protect(prepared, KEYS, generator=random), "the generator does not move here"
        timing = process.last_timing
        assert timing.calls_before == 1
        assert 0 < timing.wall < timing.round_trip
        assert 0 < timing.cpu < timing.round_trip
        assert process.encrypted_ranges(protected).tolist() == [[0, 48, 48]] * 3
        recovered = process.recover(protected, KEYS)
        assert recovered.failed.tolist() == [False, True, False]
        assert np.array_equal(recovered.values[[0, 2]], SAMPLES[[0, 2]])
        assert process.render(protected).failed.all()


def test_parameters_change_without_a_new_process_and_survive_a_restart(tmp_path: Path) -> None:
    step = {"type": "int", "default": 1}
    submission = made(tmp_path, "files", FILES, domain="codestream", parameters={"step": step})
    with SubmissionProcess(submission, sample_shape=SHAPE, compiler_cache=tmp_path / "c") as process:

        def first() -> int:
            return process.protect([bytes(48)], [bytes(32)], generator=generator("a"))[0][0]

        process.configure({"step": 2})
        assert first() == 2
        process.configure({"step": 3})
        assert first() == 3
        process.close()
        assert first() == 3
        with pytest.raises(SubmissionFailedError, match="the constructor raised ValueError: step over 9"):
            process.configure({"step": 10})
        with pytest.raises(ValueError, match="configure"):
            first()
        process.configure({"step": 4})
        assert first() == 4


@pytest.mark.parametrize("code", [TEMPLATES, BY_PRODUCT])
def test_all_templates_are_compared_with_all(tmp_path: Path, code: str) -> None:
    submission = made(tmp_path, "templates", code, domain="template", reversible=False)
    random = np.random.default_rng(0)
    a, b = (random.normal(size=(count, 5)).astype(np.float32) for count in (3, 4))
    with SubmissionProcess(submission, sample_shape=SHAPE) as process:
        process.configure({})
        scores = process.compare_all(a, b)
        assert scores.dtype == np.float32
        assert scores == pytest.approx(a @ b.T, abs=1e-5)


@pytest.mark.parametrize(("returned", "message"), [
    ("a @ b.T[:, 1:]", r"float32 \(3, 3\); 3 x 4 floats are expected"),
    ("np.full((3, 4), 1e300)", "NaN or infinity in 12 of 12 values"),
    ("np.zeros((3, 4), int)", r"int64 \(3, 4\); 3 x 4 floats"),
])  # fmt: skip
def test_a_matrix_of_scores_that_is_none_is_refused(tmp_path: Path, returned: str, message: str) -> None:
    code = BY_PRODUCT.replace("a.astype(np.float64) @ b.T", returned)
    submission = made(tmp_path, "templates", code, domain="template", reversible=False)
    with SubmissionProcess(submission, sample_shape=SHAPE) as process:
        process.configure({})
        with pytest.raises(SubmissionFailedError, match=message):
            process.compare_all(np.zeros((3, 2), np.float32), np.zeros((4, 2), np.float32))


def test_templates_are_protected_and_compared(tmp_path: Path) -> None:
    templates = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    submission = made(tmp_path, "templates", TEMPLATES, domain="template", reversible=False)
    with SubmissionProcess(submission, compiler_cache=tmp_path / "c") as process:
        process.configure({})
        protected = process.protect(templates, KEYS, generator=generator("a"))
        assert np.array_equal(protected, -templates)
        scores = process.compare(templates, templates)
        assert scores.dtype == np.float64
        assert np.allclose(scores, (templates**2).sum(axis=1))


def test_an_attack_learns_and_is_restored_in_a_fresh_process(tmp_path: Path) -> None:
    grants = ["algorithm", "window", "pairs", "identities"]
    submission = made(tmp_path, "a", LEARNER, ATTACK, returns="embeddings", threat_model=grants)
    windows = np.array([[0, 1, 1]] * 3)
    evidence = Evidence(SAMPLES, windows, None, {"id": "x", "parameters": {"a": 1}})
    with SubmissionProcess(submission, sample_shape=SHAPE, compiler_cache=tmp_path / "c") as process:
        process.configure({})
        pairs = TrainingPairs(SAMPLES, evidence, np.array([7, 7, 9]))
        learned = process.fit(pairs, generator=generator("fit"))
        assert np.array_equal(learned["mean"], SAMPLES.mean(axis=0))
        assert learned["draw"] == generator("fit").random()
        process.restore(learned)
        before = process.run(evidence, generator=generator("run"))
        assert before.values.dtype == np.float32
        assert not before.failed.any()
        process.close()
        assert np.array_equal(process.run(evidence, generator=generator("run")).values, before.values)
        algorithm = {"id": "x", "parameters": {"a": 1}}
        assert np.array_equal(process.embed(SAMPLES), SAMPLES.reshape(3, -1))
        assert np.array_equal(process.embed(SAMPLES, algorithm=algorithm), SAMPLES.reshape(3, -1))
        prepared = [b"1", b"22", b"333"]
        given = process.embed(SAMPLES, algorithm=algorithm, prepared=prepared)
        assert np.array_equal(given, SAMPLES.reshape(3, -1))


def test_keys_are_32_bytes_and_as_many_as_samples(tmp_path: Path) -> None:
    with SubmissionProcess(made(tmp_path, "t", TEMPLATES, domain="template"), compiler_cache=tmp_path / "c") as process:
        process.configure({})
        for keys in (KEYS[:2], [b"short"] * 3):
            with pytest.raises(InvalidInputError, match="3 samples need 3 keys of 32 bytes"):
                process.protect(np.zeros((3, 2), np.float32), keys, generator=generator("a"))


def test_watching_tells_which_arguments_were_changed(tmp_path: Path) -> None:
    code = """
    class Method(Protector):
        def protect(self, prepared, keys, *, generator):
            prepared += 1
            return prepared
        def recover(self, protected, keys):
            return protected - 1
    """
    submission = made(tmp_path, "m", code)
    with SubmissionProcess(submission, sample_shape=SHAPE, compiler_cache=tmp_path / "c", watch=True) as process:
        process.configure({})
        process.protect(SAMPLES, KEYS, generator=generator("a"))
        assert process.changed == ["prepared"]
        process.recover(SAMPLES, KEYS)
        assert process.changed == []


def test_compiled_code_is_kept_apart_and_found_again(tmp_path: Path) -> None:
    code = """
    import numba
    @numba.njit(cache=True)
    def total(x):
        return x.sum()
    class Method(Protector):
        def protect(self, prepared, keys, *, generator):
            total(np.ones(3))
            return prepared + np.uint8(sum(total.stats.cache_hits.values()))
    """
    submission = made(tmp_path, "n", code)
    hits = []
    for _ in range(2):
        with SubmissionProcess(submission, sample_shape=SHAPE, compiler_cache=tmp_path / "c") as process:
            process.configure({})
            hits.append(int(process.protect(SAMPLES, KEYS, generator=generator("a"))[0, 0, 0, 0]))
    assert hits == [0, 1]
    assert list((tmp_path / "c").rglob("*.nbc"))
