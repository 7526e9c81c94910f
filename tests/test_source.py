"""Digests of code: what counts, what does not, and what is followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import InvalidInputError
from benchmark.locations import PACKAGE
from benchmark.source import compiled_digest, module_digest, source_digest, source_modules

METHOD = '''\
"""A docstring."""
from benchmark.jpeg2000 import encode

class Method:
    """Another."""
    size = 0x10  # in pixels

    def run(self, x):
        return f"{x!r:>{self.size}}" + "a"
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package like ours: a facade that passes names on from submodules, relative and lazy imports."""
    root = tmp_path / "benchmark"
    for name, text in {
        "__init__.py": "",
        "errors.py": "class Error(Exception): pass",
        "crypto.py": "def key():\n    from benchmark.errors import Error\n    raise Error",
        "typing_only.py": "X = 1",
        "unrelated.py": "X = 1",
        "jpeg2000/__init__.py": "from .encoder import encode\nfrom .decoder import decode as show\nVERSION = 1",
        "jpeg2000/encoder.py": (
            "from typing import TYPE_CHECKING\nfrom . import markers\n"
            "if TYPE_CHECKING:\n    from benchmark.typing_only import X\ndef encode(): pass"
        ),
        "jpeg2000/decoder.py": "from ..crypto import key\ndef decode(): pass",
        "jpeg2000/markers.py": "SOC = 0xFF4F",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    folder = tmp_path / "method"
    folder.mkdir()
    (folder / "method.py").write_text(METHOD)
    (folder / "submission.yaml").write_text("id: method\nentry: method.py:Method\ntitle: x\n")
    return folder


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A docstring."""', '"""Quite another."""\n\n\n# and a remark'),
        ('    """Another."""\n', ""),
        ('"a"', "('a')"),
        ("0x10  # in pixels", "16"),
        ("def run(self, x):", "def run(\n        self,\n        x,\n    ):"),
        ("    ", "  "),
    ],
)
def test_formatting_and_remarks_do_not_count(submission: Path, package: Path, old: str, new: str) -> None:
    before = source_digest(submission, package=package)
    assert old in METHOD
    (submission / "method.py").write_text(METHOD.replace(old, new))
    assert source_digest(submission, package=package) == before


@pytest.mark.parametrize(
    ("old", "new"), [('"a"', '"b"'), ("0x10", "0x11"), ("x!r", "x!s"), (">{", "<{"), ("run", "runs"), ('"a"', 'b"a"')]
)
def test_names_numbers_and_strings_count(submission: Path, package: Path, old: str, new: str) -> None:
    before = source_digest(submission, package=package)
    (submission / "method.py").write_text(METHOD.replace(old, new))
    assert source_digest(submission, package=package) != before


def test_data_and_the_entry_count_but_descriptions_do_not(submission: Path, package: Path) -> None:
    before = source_digest(submission, package=package)
    (submission / "README.md").write_text("about it")
    (submission / "submission.yaml").write_text("id: method\nentry: method.py:Method\ntitle: another\n")
    (submission / "__pycache__").mkdir()
    (submission / "__pycache__" / "method.cpython-311.pyc").write_bytes(b"x")
    assert source_digest(submission, package=package) == before
    (submission / "weights.npz").write_bytes(b"x")
    with_data = source_digest(submission, package=package)
    (submission / "submission.yaml").write_text("id: method\nentry: method.py:Other\n")
    assert len({before, with_data, source_digest(submission, package=package)}) == 3


def test_only_the_submodule_behind_an_imported_name_is_followed(submission: Path, package: Path) -> None:
    followed = source_modules(submission / "method.py", package=package)
    assert followed == ["benchmark.jpeg2000.encoder", "benchmark.jpeg2000.markers"]


@pytest.mark.parametrize(
    ("line", "followed"),
    [
        ("from benchmark.jpeg2000 import show", ["crypto", "errors", "jpeg2000.decoder"]),
        ("from benchmark.jpeg2000.markers import SOC", ["jpeg2000.markers"]),
        ("from benchmark.jpeg2000 import markers", ["jpeg2000.markers"]),
        ("def f():\n    import benchmark.errors", ["errors"]),
        (
            "import benchmark.jpeg2000 as j",
            ["crypto", "errors", "jpeg2000", "jpeg2000.decoder", "jpeg2000.encoder", "jpeg2000.markers"],
        ),
        (
            "from benchmark.jpeg2000 import VERSION",
            ["crypto", "errors", "jpeg2000", "jpeg2000.decoder", "jpeg2000.encoder", "jpeg2000.markers"],
        ),
        ("import numpy, os.path", []),
        ("from benchmark import nothing", []),
    ],
)
def test_imports_are_followed_wherever_they_stand(
    tmp_path: Path, package: Path, line: str, followed: list[str]
) -> None:
    file = tmp_path / "x.py"
    file.write_text(line)
    assert source_modules(file, package=package) == [f"benchmark.{name}" for name in followed]


def test_a_change_behind_the_imports_counts_and_one_beside_them_does_not(submission: Path, package: Path) -> None:
    before = source_digest(submission, package=package)
    for beside in ("unrelated.py", "typing_only.py", "jpeg2000/decoder.py"):
        (package / beside).write_text("X = 2")
    facade = package / "jpeg2000" / "__init__.py"
    facade.write_text(facade.read_text() + "\nfrom .more import anything")
    assert source_digest(submission, package=package) == before
    (package / "jpeg2000" / "markers.py").write_text("SOC = 0xFF50")
    assert source_digest(submission, package=package) != before


def test_a_module_of_ours_has_a_digest_and_an_unknown_one_none(package: Path) -> None:
    before = module_digest("benchmark.jpeg2000.decoder", package=package)
    (package / "errors.py").write_text("class Error(ValueError): pass")
    assert module_digest("benchmark.jpeg2000.decoder", package=package) != before
    with pytest.raises(InvalidInputError, match=r"no module benchmark\.none"):
        module_digest("benchmark.none", package=package)


def test_broken_python_is_named_with_its_line(submission: Path, package: Path) -> None:
    (submission / "method.py").write_text("x = 1\ny = (\n")
    with pytest.raises(InvalidInputError, match=r"method\.py:2: not valid Python"):
        source_digest(submission, package=package)


def test_recognisers_do_not_go_stale_with_the_coders() -> None:
    for module in ("lbp", "mobilefacenet"):
        used = source_modules(PACKAGE / "recognisers" / f"{module}.py")
        assert "benchmark.interfaces" in used
        assert not [name for name in used if name.split(".")[1] in ("jpeg2000", "jpeg", "render")]


def test_compiled_code_is_named_by_all_that_was_compiled_into_it(package: Path) -> None:
    def now() -> str:
        compiled_digest.cache_clear()
        return compiled_digest(package=package)

    (package / "loops").mkdir()
    (package / "loops" / "passes.py").write_text("from numba import njit\n")
    (package / "loops" / "tables.py").write_text("SIZE = 4\n")
    before = now()
    (package / "unrelated.py").write_text("SIZE = 4\n")
    assert now() == before
    (package / "loops" / "tables.py").write_text("SIZE = 5\n")
    assert now() != before
    compiled_digest.cache_clear()
