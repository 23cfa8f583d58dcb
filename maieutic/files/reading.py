"""Read data files, plain or gzipped, and TOML files; every error names the file."""

from __future__ import annotations

import gzip
import tomllib
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from maieutic.errors import FileFormatError

__all__ = ["open_data", "read_toml"]

_GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def open_data(
    path: Path, line: Callable[[], int | None] = lambda: None
) -> Iterator[BufferedReader | gzip.GzipFile]:
    """Open a file for reading bytes, without UTF-8's byte order mark, which some editors write.

    Gzip data are recognised by content and decompressed.

    Args:
        line: returns the 1-based number of the line being read, or None; used in errors about gzip data.

    Raises:
        FileFormatError: the file cannot be opened, or reading it fails later.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.peek(2)[:2] == _GZIP_MAGIC
            with gzip.open(raw) if zipped else raw as file:
                if file.peek(len(BOM_UTF8)).startswith(BOM_UTF8):
                    file.read(len(BOM_UTF8))
                yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        problem = f"the gzip data are damaged ({error}); fetch the file again"
        raise FileFormatError(path, line(), problem) from None
    except OSError as error:
        raise FileFormatError(path, None, f"cannot be read ({error.strerror}); check the path") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file.

    Raises:
        FileFormatError: the file cannot be read or is not valid TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FileFormatError(path, None, f"cannot be read ({error.strerror}); check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(path, None, f"is not valid TOML ({error}); correct it") from None
