"""Standard output in an encoding that lacks characters: they are escaped, and nothing fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.cli.main import _escaped

STATEMENT = "An iguana → has é scales 🦎."


@given(text=st.text(st.characters(min_codepoint=128), min_size=1))
def test_an_escaped_text_is_the_inside_of_a_json_string(text: str) -> None:
    escaped, end = _escaped(UnicodeEncodeError("ascii", text, 0, len(text), "not in range"))
    assert (json.loads(f'"{escaped}"'), end, escaped.isascii()) == (text, len(text), True)


@pytest.mark.parametrize("encoding", ["ascii:surrogateescape", "cp1252"])
def test_answers_in_json_are_the_same_in_any_encoding(encoding: str) -> None:
    command = [sys.executable, "-m", "maieutic.cli.main", "ask", STATEMENT, "--depth", "1", "--json"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    # Where the encoding is ASCII, click takes the locale for misconfigured and writes UTF-8.
    written = done.stdout.decode("utf-8" if encoding.startswith("ascii") else encoding)
    assert json.loads(written)["tree"]["question"] == STATEMENT


def test_answers_as_text_are_escaped_where_need_be() -> None:
    command = [sys.executable, "-m", "maieutic.cli.main", "ask", STATEMENT, "--depth", "1"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    shown = done.stdout.decode("cp1252")
    assert r"An iguana \u2192 " in shown
    assert r"é scales \ud83e\udd8e" in shown
