"""`veilbench new`: a submission to start from, which works and passes `veilbench validate` as it is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmark.errors import InvalidInputError
from benchmark.locations import PACKAGE

_FILES = ("submission.yaml", "method.py", "README.md")


def scaffold(kind: str, name: str, into: Path | None = None) -> Path:
    """Write `<into>/protectors/<name>` or `<into>/attacks/<name>` (default: `submissions/` here); returns the folder.

    Raises InvalidInputError for a name that is no id, or a folder that is there already.
    """
    if kind not in ("protector", "attack"):
        raise InvalidInputError(f"unknown kind {kind!r}; choose protector or attack")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or len(name) > 64:
        raise InvalidInputError(f"{name!r} is no id: lower-case letters, digits and single hyphens, such as my-{kind}")
    if name[0].isdigit():
        raise InvalidInputError(f"{name!r} begins with a digit, which the class {name.title()} could not")
    folder = (into or Path.cwd() / "submissions") / f"{kind}s" / name
    if folder.exists():
        raise InvalidInputError(f"{folder} is there already; choose another name or remove it")
    templates = Environment(
        loader=FileSystemLoader(PACKAGE / "templates" / kind), undefined=StrictUndefined, keep_trailing_newline=True
    )  # plain text, not HTML: nothing to escape
    class_name = "".join(part.capitalize() for part in name.split("-"))
    try:
        folder.mkdir(parents=True)
        for file in _FILES:
            text = templates.get_template(f"{file}.jinja").render(id=name, class_name=class_name)
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise InvalidInputError(f"{folder} cannot be written ({error.strerror}); choose another place") from None
    return folder
