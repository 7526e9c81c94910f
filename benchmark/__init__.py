"""VeilBench: how well does a protection of face data hold against the strongest known attack, and what does it cost?"""

from __future__ import annotations

__version__ = "0.1.0"
