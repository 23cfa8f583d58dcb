"""The files that ``ask`` and ``show`` write: a page, a graph, a MaxSAT problem."""

from __future__ import annotations

import gzip
import lzma
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from maieutic.errors import InputError, MaieuticError

if TYPE_CHECKING:
    from maieutic.answer import Answer

__all__ = ["Outputs", "try_new_file"]


@dataclass
class Outputs:
    """The output files. As a context manager it writes them on exit, after an error too.

    Args:
        html: takes any number of answers; the others take exactly one.
        answers: those collected so far.
    """

    html: Path | None = None
    dot: Path | None = None
    mermaid: Path | None = None
    graphml: Path | None = None
    wcnf: Path | None = None
    answers: list[Answer] = field(default_factory=list)

    @property
    def paths(self) -> dict[str, Path]:
        """Option → file, for the options that were given."""
        paths = {f"--{name}": getattr(self, name) for name in ("html", "dot", "mermaid", "graphml", "wcnf")}
        return {option: path for option, path in paths.items() if path is not None}

    @property
    def takes_one(self) -> bool:
        """Whether a format takes one answer only."""
        return bool(self.paths.keys() - {"--html"})

    def check(self, remedy: str, *, several: bool) -> None:
        """Refuse files that cannot be written, before the long work.

        Args:
            remedy: how to get only one answer, for the message.
            several: whether there is, or may be, more than one answer.

        Raises:
            InputError: a file exists or cannot be made, or a format of one answer would get several.
                ``subject`` is the option.
        """
        taken: dict[Path, str] = {}
        for option, path in self.paths.items():
            if several and option != "--html":
                raise InputError(
                    f"{option} takes one answer: {remedy}, or use --html, which takes all", subject=option
                )
            if path.absolute() in taken:
                raise InputError(
                    f"{taken[path.absolute()]} and {option} name the same file; give each its own",
                    subject=option,
                )
            taken[path.absolute()] = option
            try_new_file(option, path)

    def collect(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        """The answers as they come; they are kept if a file is to be written."""
        for answer in answers:
            if self.paths:
                self.answers.append(answer)
            yield answer

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the answers so far, after Ctrl-C or an error too. Without answers no file is written."""
        from maieutic.cli.console import complain

        if not self.answers:
            return
        for option, path in self.paths.items():
            _write(path, _text(option, self.answers))
            complain(f"wrote {path}")


def _text(option: str, answers: list[Answer]) -> str:
    if option == "--html":
        from maieutic.render.html import page

        return page(answers)
    from maieutic.render.dot import render_dot
    from maieutic.render.graphml import render_graphml
    from maieutic.render.mermaid import render_mermaid
    from maieutic.render.wcnf import render_wcnf

    render: dict[str, Callable[[Answer], str]] = {
        "--dot": render_dot,
        "--mermaid": render_mermaid,
        "--graphml": render_graphml,
        "--wcnf": render_wcnf,
    }
    return render[option](answers[0])


def try_new_file(option: str, path: Path) -> None:
    """Make the file and remove it again, so that long work does not end with a file that cannot be written.

    Raises:
        InputError: it exists or cannot be made. ``subject`` is the option.
    """
    if str(path) == "-":
        raise InputError(f"{option} takes the name of a file, not -; name one", subject=option)
    try:
        path.open("xb").close()
    except FileExistsError:
        raise InputError(
            f"{option}: {path} exists already; give a new name, or move it away", subject=option
        ) from None
    except OSError as error:
        if not path.parent.exists():
            raise InputError(
                f"{option}: there is no folder {path.parent}; make it first", subject=option
            ) from None
        raise InputError(
            f"{option}: {path} cannot be written ({error.strerror}); name another", subject=option
        ) from None
    path.unlink()


def _write(path: Path, text: str) -> None:
    """Write a new file, compressed if its name ends in .gz or .xz."""
    data = text.encode()
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    elif path.suffix == ".xz":
        data = lzma.compress(data)
    try:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a full disk may only show here
    except OSError as error:
        if not isinstance(error, FileExistsError):
            with suppress(OSError):
                path.unlink()  # no partial file is left
        raise MaieuticError(
            f"{path} cannot be written ({error.strerror}); make room and try again", subject=str(path)
        ) from None
