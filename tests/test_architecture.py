"""The shape of the code: imports point one way, files stay small, the command line starts light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "benchmark"

#: From the ground up; a module may import from its own layer and from those before it.
LAYERS = [
    {"errors", "digest", "interfaces"},
    {"compiling", "crypto", "erasure", "npz", "locations", "schema", "template_protector"},
    {"jpeg", "jpeg2000", "cancelable", "metrics", "datasets", "source"},
    {"alignment", "recognisers", "render", "environment", "template_schemes"},
    {"submission", "protocol_schema", "protocol"},
    {"scenarios"},
    {"plan"},
    {"store", "confinement", "worker", "child", "returned", "sandbox"},
    {"compliance", "pipeline", "record", "score_sets", "scores", "scoring", "training"},
    {"filing", "standing"},
    {
        "assembly",
        "verify",
        "ranking",
        "scenario_ranking",
        "tables",
        "scenario_tables",
        "plots",
        "leaderboard",
        "conformance",
        "scaffold",
        "show",
    },
    {"all_pairs"},
    {"drafting"},
    {"stages"},
    {"tasks"},
    {"engine"},
    {"checkpoints", "preparation", "progress", "runner", "listing", "estimate", "scenario_estimate", "results"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def part(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def runtime_imports(tree: ast.AST) -> set[str]:
    """Modules of the package that a file imports, but for those under `if TYPE_CHECKING:`."""
    found: set[str] = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "benchmark" else set()
            found.add(node.module)
        waiting += ast.iter_child_nodes(node)
    return {name for name in found if name.split(".")[0] == "benchmark" and "." in name}


def sources() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if "templates" not in path.parts]


def test_imports_point_one_way() -> None:
    upward = []
    for path in sources():
        own = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if own == "__init__":
            continue  # the public names, imported when they are asked for
        assert own in LEVEL, f"{own} has no layer yet: add it to LAYERS"
        for module in runtime_imports(ast.parse(path.read_text())):
            if part(module) in LEVEL and LEVEL[part(module)] > LEVEL[own]:
                upward.append(f"{path.relative_to(ROOT)} imports {module}")
    assert upward == []


def test_the_core_names_no_submission() -> None:
    ids = [manifest.parent.name for manifest in (ROOT / "baselines").glob("*/*/submission.yaml")]
    assert ids
    for path in sources():
        strings = {n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)}
        assert not strings & (set(ids) - {"identity"}), path


def test_no_file_is_over_400_lines() -> None:
    folders = ["benchmark", "baselines", "tests", "tools", "perf"]
    long = {
        str(path.relative_to(ROOT)): count
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_help_imports_no_numpy_and_no_torch() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from benchmark.cli import main\n"
        "result = CliRunner().invoke(main, ['--help']); assert result.exit_code == 0, result.output\n"
        "print(sorted({'numpy', 'torch', 'numba', 'pydantic', 'rich', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
