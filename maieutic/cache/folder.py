"""The folder for data that can be computed or downloaded again."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

__all__ = ["CACHE_VARIABLE", "cache_root"]

CACHE_VARIABLE = "MAIEUTIC_CACHE_DIR"


def cache_root() -> Path:
    """The folder in ``MAIEUTIC_CACHE_DIR``, else the user's cache folder; it may not exist yet."""
    value = os.environ.get(CACHE_VARIABLE, "")
    return Path(value).expanduser() if value else user_cache_path("maieutic", appauthor=False)
