"""Reading the tables of the world: rows, and the small languages of their cells."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path

from maieutic.errors import FileFormatError

__all__ = ["check_new", "check_signs", "exceptions_of", "listed", "rows", "signs_of"]


def rows(path: Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    """The lines of a table with their numbers, without the first; missing cells are "".

    Raises:
        FileFormatError: the file cannot be read, or a row has too many cells. It has the file and the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(path, None, f"cannot be read ({error}); restore it") from None
    for number, line in enumerate(lines[1:], start=2):  # the first line has the column names
        if not line.strip() or line.startswith("#"):
            continue
        row = [cell.strip() for cell in line.split("\t")]
        row += [""] * (columns - len(row))
        if len(row) > columns or not row[0]:
            raise FileFormatError(
                path, number, f"a row has 1 to {columns} tab-separated cells, not {len(row)}"
            )
        yield number, row


def listed(text: str) -> list[str]:
    """The items of a cell, with semicolons between them."""
    return [" ".join(item.split()) for item in text.split(";") if item.strip()]


def signs_of(have: str, lack: str) -> list[tuple[str, bool]]:
    """The properties of two cells, with whether they are had."""
    return [(name, True) for name in have.split()] + [(name, False) for name in lack.split()]


def exceptions_of(
    text: str, name: str, properties: Container[str], where: tuple[str, int]
) -> dict[str, bool]:
    """The exceptions of a cell, "-fly +swim": property id → truth value.

    Raises:
        FileFormatError: one has no sign, is not among the properties or occurs twice.
    """
    signs = [(item[1:], item[0] == "+") for item in text.split()]
    if any(item[0] not in "+-" for item in text.split()):
        raise FileFormatError(*where, f"{name}: an exception must begin with + or -, as in -fly")
    check_signs(signs, properties, where)
    return dict(signs)


def check_signs(signs: list[tuple[str, bool]], properties: Container[str], where: tuple[str, int]) -> None:
    """Check that the properties are declared and occur once; ``where`` is the file and the line."""
    for name, _ in signs:
        if name not in properties:
            raise FileFormatError(*where, f"property {name!r} is not in properties.tsv; correct or add it")
    names = [name for name, _ in signs]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise FileFormatError(*where, f"property {repeated[0]!r} occurs twice; remove one")


def check_new(name: str, known: Container[str], where: tuple[str, int]) -> None:
    """Check that a name is not declared yet."""
    if name in known:
        raise FileFormatError(*where, f"{name!r} is declared twice; remove one")
