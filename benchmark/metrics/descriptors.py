"""One table of what every metric is called, measured in, bounded by, and which way is better.

Records hold shares (0..1); `scale` turns them into the unit that is shown. `better` is seen from whoever deploys the
protection: a high EER of the attacked samples is good, a high EER after recovery is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True)
class Metric:
    """How one metric is shown."""

    id: str
    title: str
    unit: str
    better: Better
    #: Lowest and highest possible value, as recorded (before scaling).
    bounds: tuple[float, float]
    #: Digits after the point, as shown.
    decimals: int
    scale: float = 1.0

    @property
    def heading(self) -> str:
        """Title, unit and the arrow that points to better.

        >>> METRICS["eer"].heading
        'EER (%) ↑'
        """
        unit = f" ({self.unit})" if self.unit else ""
        return self.title + unit + {"higher": " ↑", "lower": " ↓", "neither": ""}[self.better]

    def show(self, value: float | None) -> str:
        """A recorded value in the unit shown, without the unit; a dash where there is none.

        >>> METRICS["eer"].show(0.4755), METRICS["eer"].show(None)
        ('47.55', '–')
        """
        if value is None:
            return "–"
        text = f"{value * self.scale:.{self.decimals}f}"
        return text.removeprefix("-") if float(text) == 0 else text

    def better_of(self, values: list[float]) -> float:
        """The best of some values; raises ValueError where neither way is better.

        >>> METRICS["eer"].better_of([0.1, 0.4])
        0.4
        """
        if self.better == "neither":
            raise ValueError(f"{self.id} describes; it does not rank")
        return max(values) if self.better == "higher" else min(values)


def _share(id: str, title: str, better: Better, *, high: float = 1.0, low: float = 0.0, decimals: int = 2) -> Metric:
    return Metric(id, title, "%", better, (low, high), decimals, 100.0)


def _time(id: str, title: str) -> Metric:
    return Metric(id, title, "ms/sample", "lower", (0.0, math.inf), 3)


def _bytes(id: str, title: str, better: Better = "lower") -> Metric:
    return Metric(id, title, "bytes/sample", better, (0.0, math.inf), 0)


_ALL = (
    _share("eer", "EER", "higher"),
    _share("auc", "AUC", "lower"),
    Metric("d_prime", "d'", "", "lower", (0.0, math.inf), 2),
    _share("fnmr_at_fmr_0.01", "FNMR at FMR 1 %", "higher"),
    _share("fnmr_at_fmr_0.001", "FNMR at FMR 0.1 %", "higher"),
    _share("view2_accuracy", "View 2 accuracy", "lower"),
    _share("view2_accuracy_std", "std of the accuracy over folds", "neither"),
    _share("attack_success_rate", "attack success rate", "lower", decimals=1),
    Metric("psnr", "PSNR", "dB", "neither", (0.0, 130.0), 2),
    Metric("ssim", "SSIM", "", "neither", (-1.0, 1.0), 3),
    Metric("ms_ssim", "MS-SSIM", "", "neither", (0.0, 1.0), 3),
    _share("recovered_exactly", "recovered exactly", "higher", decimals=1),
    _share("eer_after_recovery", "EER after recovery", "lower"),
    _time("prepare_ms", "prepare"),
    _time("protect_ms", "protect"),
    _time("recover_ms", "recover"),
    _time("attack_ms", "attack"),
    _bytes("encrypted_bytes", "encrypted"),
    _bytes("protected_bytes", "protected"),
    _bytes("plain_bytes", "plain", "neither"),
    _share("encrypted_share", "bytes encrypted", "lower"),
    _share("size_overhead", "size overhead", "lower", low=-1.0, high=math.inf),
    _share("d_sys", "D_sys", "lower", decimals=1),
    Metric("maximal_linkability", "maximal linkability", "bit", "lower", (0.0, 1.0), 3),
    _share("d_sys_floor", "floor of D_sys", "neither", decimals=1),
    Metric("d_sys_null", "p of the permutation null", "", "neither", (0.0, 1.0), 3),
    _share("revoked_match_rate", "revoked template matches", "lower", decimals=1),
    _share("key_sensitivity", "key sensitivity", "higher", decimals=1),
    _share("stolen_key_rate", "stolen key accepted", "lower", decimals=1),
    _share("eer_same_key", "EER, same key", "lower"),
    _share("eer_key_per_subject", "EER, key per subject", "lower"),
)

#: Every metric, by id.
METRICS: dict[str, Metric] = {metric.id: metric for metric in _ALL}
