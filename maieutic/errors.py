"""The one error tree.

MaieuticError                     anything this package refuses or fails at      exit code 1
├── InputError                    what the caller gave cannot be used            exit code 2
│   ├── FileFormatError           a data file is broken: path, line, what        exit code 2
│   ├── ProblemError              a MaxSAT problem is not well formed            exit code 2
│   └── ModelError                a model cannot be loaded or is the wrong kind  exit code 2
│       └── ContextLengthError    a prompt does not fit the model's window       exit code 2
├── ServerError                   a server failed, and asking again did not help exit code 1
└── UnsatisfiableError            the hard clauses contradict each other         exit code 1

Every message says what was wrong, where, and what to do about it, in one sentence or two. Errors of
other libraries are translated where they enter; ``assert`` guards internal invariants only.
This module imports nothing of the project, so every room may import it.
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "ContextLengthError",
    "FileFormatError",
    "InputError",
    "MaieuticError",
    "ModelError",
    "ProblemError",
    "ServerError",
    "UnsatisfiableError",
]


class MaieuticError(Exception):
    """Base of every error this package raises on purpose.

    Args:
        problem: what is wrong and what to do about it, in one sentence or two.
        subject: the name of what is at fault: a parameter, an option, a field, a node, a model, a file; ""
            where no single thing is. Programs and tests read this instead of the message.
    """

    exit_code = 1

    def __init__(self, problem: str, *, subject: str = "") -> None:
        super().__init__(problem)
        self.subject = subject


class InputError(MaieuticError):
    """What the caller gave (a statement, an option, a path) cannot be used."""

    exit_code = 2


class FileFormatError(InputError):
    """A data file is broken at a known place.

    Args:
        path: the file, as the caller named it.
        line: 1-based line number, or None when the file as a whole is at fault.
        problem: what is wrong there and what to do.
    """

    def __init__(self, path: str | Path, line: int | None, problem: str) -> None:
        where = f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {problem}", subject=str(path))
        self.path = str(path)
        self.line = line
        self.problem = problem


class ProblemError(InputError):
    """A weighted MaxSAT problem is not well formed (a literal 0, a weight that is not > 0, …)."""


class ModelError(InputError):
    """A model folder or name cannot be loaded, or holds a model of another kind."""


class ContextLengthError(ModelError):
    """A prompt and the tokens asked for do not fit the model's context window."""


class ServerError(MaieuticError):
    """A server that answers prompts failed, or cannot be reached any more; asking again did not help."""


class UnsatisfiableError(MaieuticError):
    """The hard clauses of a problem cannot all be satisfied."""
