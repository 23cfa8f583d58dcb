"""The files that ``ask`` and ``show`` write: a page, a graph, a MaxSAT problem.

A file that exists is refused before the work begins; with ``--force`` it is replaced, and only once the new
text is complete.
"""

from __future__ import annotations

import gzip
import lzma
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maieutic.cli.options import OUTPUT
from maieutic.errors import InputError, MaieuticError

if TYPE_CHECKING:
    from maieutic.answer import Answer

__all__ = [
    "DotOption",
    "ForceOption",
    "GraphmlOption",
    "HtmlOption",
    "MermaidOption",
    "Outputs",
    "WcnfOption",
    "file_option",
    "try_output",
    "write_output",
]


def file_option(option: str, what: str, panel: str = OUTPUT) -> Any:
    """The option of a file, by default one to write."""
    return typer.Option(option, metavar="FILE", help=what, rich_help_panel=panel, show_default=False)


HtmlOption = Annotated[Path | None, file_option("--html", "Write a page with the trees of all answers.")]
DotOption = Annotated[Path | None, file_option("--dot", "Write the tree of one answer for Graphviz.")]
MermaidOption = Annotated[Path | None, file_option("--mermaid", "Write the tree of one answer for Mermaid.")]
GraphmlOption = Annotated[
    Path | None, file_option("--graphml", "Write the propositions and relations of one answer as GraphML.")
]
WcnfOption = Annotated[
    Path | None, file_option("--wcnf", "Joint, vote: write the MaxSAT problem of one answer.")
]
ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Overwrite output files that exist.", rich_help_panel=OUTPUT),
]


@dataclass
class Outputs:
    """The output files. As a context manager it writes them on exit, after an error too.

    Args:
        html: takes any number of answers; the others take exactly one.
        force: whether to overwrite files that exist.
        answers: those collected so far.
    """

    html: Path | None = None
    dot: Path | None = None
    mermaid: Path | None = None
    graphml: Path | None = None
    wcnf: Path | None = None
    force: bool = False
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

    def check(self, remedy: str, *, several: bool, reads: Path | None = None) -> None:
        """Refuse files that cannot be written, before the long work.

        Args:
            remedy: how to get only one answer, for the message.
            several: whether there is, or may be, more than one answer.
            reads: the file that the answers come from, which is never overwritten.

        Raises:
            InputError: a file exists and is not to be overwritten, or cannot be made, or a format of one
                answer would get several.
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
            try_output(option, path, force=self.force, reads=() if reads is None else (reads,))

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
            write_output(path, _packed(path, _text(option, self.answers)), force=self.force)
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


def try_output(option: str, path: Path, *, force: bool, reads: Iterable[Path] = ()) -> None:
    """Find out whether the file can be written, so that long work does not end with one that cannot.

    Args:
        force: whether it may exist.
        reads: files that are read, which are never overwritten.

    Raises:
        InputError: it exists and is not to be overwritten, or it cannot be made. ``subject`` is the option.
    """
    if str(path) == "-":
        raise InputError(f"{option} takes the name of a file, not -; name one", subject=option)
    if force and path.exists():
        _check_replaceable(option, path, reads)
        return
    try:
        path.open("xb").close()
    except FileExistsError:
        raise InputError(
            f"{option}: {path} exists already; give a new name, or overwrite it with --force", subject=option
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


def _check_replaceable(option: str, path: Path, reads: Iterable[Path]) -> None:
    if any(other.exists() and path.samefile(other) for other in reads):
        raise InputError(f"{option}: {path} is read by this command; name another", subject=option)
    if not path.is_file():
        raise InputError(f"{option}: {path} is not a file; name another", subject=option)
    if not (os.access(path, os.W_OK) and os.access(path.resolve().parent, os.W_OK)):
        raise InputError(f"{option}: {path} may not be overwritten; name another", subject=option)


def write_output(path: Path, data: bytes, *, force: bool) -> None:
    """Write the file whole or not at all; with ``force`` in the place of one that exists.

    Raises:
        MaieuticError: it cannot be written; ``subject`` is the path.
    """
    try:
        if force and path.exists():
            _replace(path.resolve(), data)  # what a link points to, not the link
        else:
            _create(path, data)
    except OSError as error:
        raise MaieuticError(
            f"{path} cannot be written ({error.strerror}); make room and try again", subject=str(path)
        ) from None


def _create(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a full disk may only show here
        except OSError:
            path.unlink(missing_ok=True)  # no partial file is left
            raise


def _replace(path: Path, data: bytes) -> None:
    """Write beside the file and rename, so that it is lost only once the new one is complete."""
    mode = path.stat().st_mode
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        new = Path(folder, path.name)
        _create(new, data)
        new.chmod(mode)
        new.replace(path)


def _packed(path: Path, text: str) -> bytes:
    """The text as bytes, compressed if the name ends in .gz or .xz."""
    data = text.encode()
    if path.suffix == ".gz":
        return gzip.compress(data, mtime=0)
    return lzma.compress(data) if path.suffix == ".xz" else data
