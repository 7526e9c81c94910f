"""Digests of code: of a submission, or of a module of this package, with all that it imports from the package.

Two sources have the same digest where they are the same syntax tree: comments, docstrings, blank lines, quotes, line
breaks and other formatting do not count; any other change of a name, a string or a number does. The tree is written
down by our own rule (below), so that one source has one digest on every supported version of Python.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from benchmark.digest import digest, digest_file
from benchmark.errors import InvalidInputError
from benchmark.locations import PACKAGE
from benchmark.schema import read_yaml

#: Files of a submission that describe it and do nothing; of the manifest only `entry` counts (parameters have their
#: own place in every key).
_DESCRIPTIONS = ("README", "LICENSE", "LICENCE", "CHANGELOG", "submission.yaml")


def source_digest(folder: Path, *, package: Path = PACKAGE) -> str:
    """SHA-256 (64 hex digits) of a submission: its files, its entry, and the modules of the package that it imports.

    Python files count by their syntax tree, others (data, weights) by their bytes. Raises InvalidInputError for a
    file that is not Python.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and _counts(path.relative_to(folder)))
    code = [path for path in files if path.suffix == ".py"]
    own = {path.relative_to(folder).as_posix(): _file_digest(path) for path in files}
    manifest = folder / "submission.yaml"
    entry = read_yaml(manifest).data.get("entry") if manifest.is_file() else None
    return digest("submission", entry, own, _modules(code, package))


def module_digest(module: str, *, package: Path = PACKAGE) -> str:
    """SHA-256 (64 hex digits) of a module of this package and of all that it imports from the package.

    >>> module_digest("benchmark.digest") == module_digest("benchmark.digest")
    True
    """
    file = _module_file(module, package)
    if file is None:
        raise InvalidInputError(f"there is no module {module}")
    return digest("module", {module: _file_digest(file)}, _modules([file], package))


@lru_cache(maxsize=1)
def compiled_digest(*, package: Path = PACKAGE) -> str:
    """SHA-256 (64 hex digits) of every module that numba compiles, and of those beside it, whose constants it takes.

    Of their bytes, which takes a hundredth of the time that their syntax trees take: numba compiles a file that has
    changed anew, were it a comment alone, and every worker asks.
    """
    folders = {path.parent for path in package.rglob("*.py") if b"import njit" in path.read_bytes()}
    files = sorted(path for folder in folders for path in folder.glob("*.py"))
    return digest("compiled", {path.relative_to(package).as_posix(): digest_file(path) for path in files})


def source_modules(file: Path, *, package: Path = PACKAGE) -> list[str]:
    """The modules of the package whose change would change the digest of `file`, sorted."""
    return sorted(_modules([file], package))


def _counts(path: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    return not hidden and path.suffix != ".pyc" and not path.name.startswith(_DESCRIPTIONS)


def _modules(files: list[Path], package: Path) -> dict[str, str]:
    """{module: digest} of the package's modules that the files import, directly or through each other."""
    found: dict[str, Path] = {}
    waiting = [name for file in files for name in _imports(file, package)]
    while waiting:
        name = waiting.pop()
        file = _module_file(name, package)
        if name not in found and file is not None:
            found[name] = file
            waiting += _imports(file, package)
    return {name: _file_digest(file) for name, file in found.items()}


def _module_file(module: str, package: Path) -> Path | None:
    """The file of `benchmark.x.y`; None for what is no module of the package."""
    head, *rest = module.split(".")
    if head != package.name:
        return None
    base = package.joinpath(*rest)
    return next((file for file in (base / "__init__.py", base.with_suffix(".py")) if rest and file.is_file()), None)


def _imports(file: Path, package: Path) -> set[str]:
    """The package's modules that a file imports, anywhere in it, functions included."""
    found: set[str] = set()
    stat = file.stat()
    for node in _import_statements(file, stat.st_mtime_ns, stat.st_size):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        else:
            source = _absolute(node, file, package)
            for alias in node.names:
                found |= _origin(source, alias.name, package)
    return {name for name in found if _module_file(name, package)}


def _origin(source: str, name: str, package: Path, depth: int = 0) -> set[str]:
    """Where `from source import name` really comes from.

    A package's `__init__.py` that only passes a name on from a submodule is stepped through: what else it passes on
    does not matter to the one who imports.
    """
    if _module_file(f"{source}.{name}", package):
        return {f"{source}.{name}"}
    file = _module_file(source, package)
    if file is None or file.name != "__init__.py" or depth > 8:
        return {source}
    for node in _tree(file).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _origin(_absolute(node, file, package), alias.name, package, depth + 1)
    return {source}


def _absolute(node: ast.ImportFrom, file: Path, package: Path) -> str:
    """`from ..x import` as an absolute name."""
    if not node.level:
        return node.module or ""
    if package != file.parent and package not in file.parents:
        return ""  # relative imports between a submission's own files: they are all counted anyway
    parts = file.relative_to(package.parent).parts[: -node.level]
    return ".".join((*parts, *([node.module] if node.module else [])))


@lru_cache(maxsize=1024)
def _import_statements(file: Path, changed: int, size: int) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """A file's import statements: some files are imported by every submission, and walked through once."""
    nodes = _walk(_parsed(file, changed, size))
    return tuple(node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)))


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Every node except those under `if TYPE_CHECKING:`, which never run."""
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        children: list[ast.AST] = list(node.orelse)
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield from _walk(child)


def _tree(file: Path) -> ast.Module:
    stat = file.stat()
    return _parsed(file, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _parsed(file: Path, _changed: int, _size: int) -> ast.Module:
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise InvalidInputError(f"{file}:{line}: not valid Python: {getattr(error, 'msg', error)}") from None


def _file_digest(file: Path) -> str:
    if file.suffix != ".py":
        return digest_file(file)
    stat = file.stat()
    return _code_digest(file, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1024)
def _code_digest(file: Path, changed: int, size: int) -> str:
    return hashlib.sha256(written(_parsed(file, changed, size)).encode()).hexdigest()


def written(node: object) -> str:
    """A syntax tree as text, the same on every supported version of Python.

    Fields that are empty are left out, since newer versions add such fields; so are docstrings and other strings that
    stand alone as a statement.

    >>> import ast
    >>> written(ast.parse("x = 'a'  # why")) == written(ast.parse('"A docstring"; x = ("a")'))
    True
    """
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__}:{node.value!a}"
    if isinstance(node, ast.AST):
        fields = [(name, getattr(node, name, None)) for name in node._fields if name not in ("ctx", "type_comment")]
        inner = ",".join(f"{name}={written(value)}" for name, value in fields if value not in (None, []))
        return f"{type(node).__name__}({inner})"
    if isinstance(node, list):
        return f"[{','.join(written(item) for item in node if not _is_remark(item))}]"
    return ascii(node)


def _is_remark(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
