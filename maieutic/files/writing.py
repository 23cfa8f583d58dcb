"""Files that survive a crash: cut after their last whole line, or written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from maieutic.errors import MaieuticError

__all__ = ["remove_unfinished_line", "write_whole"]


def remove_unfinished_line(path: Path) -> None:
    """Cut a file after its last newline; a missing file stays missing."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        kept, step = end, 1 << 16
        while kept > 0:
            start = max(0, kept - step)
            file.seek(start)
            newline = file.read(kept - start).rfind(b"\n")
            if newline >= 0:
                kept = start + newline + 1
                break
            kept = start
        if kept < end:
            file.truncate(kept)


def write_whole(path: Path, text: str) -> None:
    """Write a whole file or nothing.

    Raises:
        MaieuticError: it cannot be written.
    """
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        problem = f"cannot write {path} ({error.strerror}); make room and start again"
        raise MaieuticError(problem, subject=str(path)) from None
