"""Commands that are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic.cli import main as main_module
from maieutic.errors import InputError

Run = Callable[..., "CompletedProcess[str]"]
Refuse = Callable[..., InputError]


@pytest.fixture
def refuse(run: Run, monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """Run the program on bad input: ``refuse(*arguments, stdin=b"", stdout="")`` returns the error.

    It must end with exit code 2 after one line on stderr, and with this on stdout.
    """
    errors: list[InputError] = []
    app = main_module.app

    def recorded(**options: str) -> None:
        try:
            app(**options)
        except InputError as error:
            errors.append(error)
            raise

    monkeypatch.setattr(main_module, "app", recorded)

    def refuse(*arguments: str | Path, stdin: bytes | None = b"", stdout: str = "") -> InputError:
        done = run(*arguments, stdin=stdin)
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert len(line) < 500
        assert (done.returncode, done.stdout) == (2, stdout)
        return errors.pop()

    return refuse
