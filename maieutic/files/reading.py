"""Data files as bytes, plain or gzipped whatever their name, and TOML, with errors that name the file."""

from __future__ import annotations

import gzip
import tomllib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from maieutic.errors import FileFormatError

__all__ = ["opened", "read_toml"]

_GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def opened(path: Path, line: Callable[[], int | None] = lambda: None) -> Iterator[BufferedIOBase]:
    """The unzipped content of a file, to be read.

    Args:
        line: the 1-based number of the line that is being read, for messages about broken data.

    Raises:
        FileFormatError: it cannot be read, now or further on.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.peek(2)[:2] == _GZIP_MAGIC
            with gzip.open(raw) if zipped else raw as file:
                yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        problem = f"the gzip data is broken ({error}); fetch the file again"
        raise FileFormatError(path, line(), problem) from None
    except OSError as error:
        raise FileFormatError(path, None, f"cannot be read ({error.strerror}); check the path") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The document in a TOML file.

    Raises:
        FileFormatError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileFormatError(path, None, f"cannot be read ({error.strerror}); check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(path, None, f"is no TOML ({error}); correct it") from None
