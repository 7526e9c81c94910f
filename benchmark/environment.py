"""What a result was computed with: package versions, processor, system, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

#: Packages whose version may change a number.
PACKAGES = (
    "numpy", "pillow", "glymur", "pycryptodome", "numba", "scikit-image", "opencv-python-headless",
    "torch", "pytorch-msssim", "onnxruntime", "scikit-learn",
)  # fmt: skip


@cache
def codec_versions() -> dict[str, str]:
    """Versions of the codecs that make and show samples: their output changes between versions."""
    from benchmark.jpeg2000 import openjpeg_version

    return {"openjpeg": openjpeg_version(), "pillow": metadata.version("pillow")}


def package_versions() -> dict[str, str]:
    """{package: version} of those that are installed.

    >>> "numpy" in package_versions()
    True
    """
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed took no part
    return versions


def environment() -> dict[str, Any]:
    """The environment of a record: plain data, no host name and no path."""
    return {
        "python": platform.python_version(),
        "packages": package_versions(),
        "openjpeg": codec_versions()["openjpeg"],
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "os": f"{platform.system()} {platform.machine()}",
        "git_commit": git_commit(),
    }


def git_commit() -> str | None:
    """The checkout's commit, with `+` where the package differs from it; None outside a checkout."""
    root = Path(__file__).resolve().parents[1]
    try:
        commit = _git(root, "rev-parse", "HEAD")
        changed = _git(
            root, "status", "--porcelain", "--untracked-files=no", "--", "benchmark", "baselines", "protocols"
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+" if changed else "")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
