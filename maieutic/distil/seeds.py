"""The heads of a run: a file with one a line."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from maieutic.distil.triples import MOST_HEAD_CHARS
from maieutic.errors import FileFormatError, InputError
from maieutic.files.reading import open_data
from maieutic.text import as_question, text_key

__all__ = ["EVERYDAY", "check_heads", "read_seeds"]

EVERYDAY = "everyday"  # the name of the built-in heads


def read_seeds(name_or_path: str | Path) -> list[str]:
    """The heads of a file, or the built-in ones of the name "everyday". Lines that begin with # are comments.

    Raises:
        FileFormatError: the file cannot be read, has no heads, has one twice, or one cannot be used.
    """
    if name_or_path == EVERYDAY:
        with resources.as_file(resources.files(__package__) / f"{EVERYDAY}.tsv") as path:
            return read_seeds(path)
    path = Path(name_or_path)
    with open_data(path) as file:
        lines = file.read().split(b"\n")
    heads: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode().strip()
        except UnicodeDecodeError:
            raise FileFormatError(path, number, "is not UTF-8; convert the file") from None
        if not text or text.startswith("#"):
            continue
        try:
            heads.append(_head(text))
        except InputError as error:
            raise FileFormatError(path, number, str(error)) from error
        first = seen.setdefault(text_key(heads[-1]), number)
        if first != number:
            raise FileFormatError(path, number, f"{text!r} is in line {first} already; remove one")
    if not heads:
        raise FileFormatError(path, None, "has no heads; write one a line, such as 'a spoon'")
    return heads


def check_heads(heads: list[str]) -> list[str]:
    """Heads that come from a program, checked like those of a file.

    Raises:
        InputError: there are none, one occurs twice, or one cannot be used.
    """
    found = [_head(head) for head in heads]
    keys = [text_key(head) for head in found]
    if not found:
        raise InputError("there are no heads; give some", subject="heads")
    if twice := next((head for head in found if keys.count(text_key(head)) > 1), None):
        raise InputError(f"the head {twice!r} occurs twice; give it once", subject="heads")
    return found


def _head(text: str) -> str:
    head = as_question(text).rstrip(" .")
    if len(head) > MOST_HEAD_CHARS or not head.isprintable() or not any(map(str.isalnum, head)):
        raise InputError(f"the head {text[:40]!r} is not a short text; correct it", subject="heads")
    return head
