"""Where the package keeps what can be made or fetched again."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

__all__ = ["CACHE_VARIABLE", "cache_root"]

CACHE_VARIABLE = "MAIEUTIC_CACHE_DIR"


def cache_root() -> Path:
    """The folder that ``MAIEUTIC_CACHE_DIR`` names, else the user's cache folder; it need not be there."""
    named = os.environ.get(CACHE_VARIABLE, "")
    return Path(named).expanduser() if named else user_cache_path("maieutic", appauthor=False)
