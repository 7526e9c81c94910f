"""What `veilbench store` understands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import InvalidInputError
from benchmark.listing import store_report
from benchmark.store import Artefact, Store


def test_a_kind_that_no_artefact_has_is_not_pruned_in_silence(tmp_path: Path) -> None:
    Store(tmp_path).put("protected", "ab12", Artefact({"x": np.zeros(3)}, {}))
    with pytest.raises(InvalidInputError, match="unknown kind of artefact 'protect'; did you mean 'protected'"):
        store_report(tmp_path, prune="0", kind="protect")
    with pytest.raises(InvalidInputError, match="goes with --prune"):
        store_report(tmp_path, kind="protected")
    with pytest.raises(InvalidInputError, match="write it like 500MiB"):
        store_report(tmp_path, prune="5 lots")
    assert store_report(tmp_path, prune="0", kind="protected").startswith("deleted 1 artefacts")
