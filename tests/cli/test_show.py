"""``maieutic show``: saved answers come back unchanged, or the file is refused."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from maieutic.answer import Answer
from maieutic.elicit import Growth
from maieutic.errors import FileFormatError, InputError, ProblemError
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.tree import Proposition, Tree

Run = Callable[..., "CompletedProcess[str]"]
Refuse = Callable[..., InputError]


@pytest.fixture
def show(run: Run) -> Run:
    """Run the command in this process: ``show(*arguments)``."""
    return partial(run, "show")


def tree(statement: str, p: float, reason: str) -> Tree:
    """Q, on which the model wavers, and one integral reason against it."""
    return Tree(
        statement,
        statement,
        f"Not so: {statement}",
        (
            Proposition("Q", None, statement, f"Not so: {statement}", p, 0.5),
            Proposition("QF0", "Q", reason, f"Not so: {reason}", 0.95, 0.02, True),
        ),
    )


TREES = (
    tree("Penguins fly.", 0.6, "Penguins are heavy."),
    tree("Ice is cold.", 0.9, "Fire is hot."),
    tree("Grün ist 绿.", 0.9, "Say \x1b]0;owned\x07 [red]:cat:[/red]."),
)


def judge(premise: str, hypothesis: str) -> str:
    return "contradiction" if (premise, hypothesis) == ("Penguins are heavy.", "Penguins fly.") else "neutral"


@pytest.fixture
def lines() -> list[str]:
    """Three answers as JSON; the first is false, the others true."""
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    growths = [Growth(tree, lm="a model") for tree in TREES]
    answers = Maieutic(lm, ScriptedVerifier(judge)).conclude(growths)
    return [answer.to_json() for answer in answers]


@pytest.fixture
def file(tmp_path: Path, lines: list[str]) -> Path:
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_every_answer_of_the_file_is_shown_in_its_order(show: Run, file: Path) -> None:
    done = show(file)
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = done.stdout.split("─" * 200)
    assert first.startswith("False. Not so: Penguins fly (")
    assert "“Penguins are heavy.”" in first
    assert all(Answer.from_json(line).answer for line in file.read_text("utf-8").splitlines()[1:])
    assert second.strip().startswith("True. Ice is cold (")
    assert third.strip().startswith("True. Grün ist 绿 (")
    assert all("a model" in part for part in (first, second, third))


@pytest.mark.parametrize("option", ["--verbose", "-v"])
def test_verbose_adds_the_tree_the_beliefs_and_the_constraints(show: Run, file: Path, option: str) -> None:
    plain, verbose = show(file, "--line", "1").stdout, show(file, "--line", "1", option).stdout
    assert verbose.startswith(plain)
    more = verbose.removeprefix(plain).lstrip()
    assert more.startswith("FALSE  Penguins fly.\nmargin ")
    assert "QF0 true   False, because: Penguins are heavy." in more
    assert "the model believes 0.60, its negation 0.50, wavers" in more


@pytest.mark.parametrize("options", [(), ("--verbose",)])
def test_texts_of_an_answer_cannot_control_the_terminal(
    show: Run, file: Path, options: tuple[str, ...]
) -> None:
    shown = show(file, *options).stdout
    assert "\x1b" not in shown
    assert r"Say \x1b]0;owned\x07 [red]:cat:[/red]." in shown


def test_one_line_can_be_picked(show: Run, file: Path, lines: list[str]) -> None:
    assert show(file, "--line", "2").stdout.startswith("True. Ice is cold (")
    assert show(file, "--line", "3", "--json").stdout == lines[2] + "\n"


def test_json_comes_out_as_it_went_in(show: Run, file: Path) -> None:
    done = show(file, "--json")
    assert (done.returncode, done.stdout) == (0, file.read_text(encoding="utf-8"))


def test_a_gzipped_file_is_read_and_blank_lines_are_skipped(
    show: Run, tmp_path: Path, lines: list[str]
) -> None:
    path = tmp_path / "answers.jsonl.gz"
    path.write_bytes(gzip.compress("\n\n".join(lines).encode()))
    assert show(path, "--json").stdout.split("\n") == [*lines, ""]
    assert show(path, "--json", "--line", "3").stdout == lines[1] + "\n"  # lines count as they stand


@pytest.mark.parametrize("broken", [b"{", b'"text"', b'{"question": "Half?"}', b"\xff"])
def test_a_broken_line_is_named_after_the_answers_before_it(
    refuse: Refuse, file: Path, lines: list[str], broken: bytes
) -> None:
    file.write_bytes(b"\n".join([lines[0].encode(), b"", broken, lines[1].encode()]))
    error = refuse("show", file, "--json", stdout=lines[0] + "\n")
    assert isinstance(error, FileFormatError)
    assert (error.path, error.line) == (str(file), 3)


@pytest.mark.parametrize("option", [(), ("--json",)])
@pytest.mark.parametrize(
    "changes",
    [
        {"labels": {}},
        {"labels": {"Q": True}},
        {"constraints": [{"kind": "tree", "source": "Q", "target": "QT7", "weight": 1.0}], "violated": []},
        {"violated": [99]},
        {"votes": {"Z": 1}},
    ],
    ids=str,
)
def test_an_answer_whose_parts_do_not_fit_is_refused_by_its_line(
    refuse: Refuse, file: Path, lines: list[str], changes: dict[str, Any], option: tuple[str, ...]
) -> None:
    answer = json.loads(lines[0])
    answer["verdict"] |= changes
    file.write_text(json.dumps(answer), encoding="utf-8")
    error = refuse("show", file, *option)
    assert isinstance(error, FileFormatError)
    assert (error.path, error.line) == (str(file), 1)


def test_a_file_that_is_missing_a_folder_or_a_truncated_archive_is_refused(
    refuse: Refuse, tmp_path: Path, lines: list[str]
) -> None:
    archive = tmp_path / "answers.jsonl.gz"
    archive.write_bytes(gzip.compress("\n".join(lines).encode())[:-20])
    for path in (tmp_path / "absent.json", tmp_path, archive):
        error = refuse("show", path, "--json", "--line", "3")
        assert isinstance(error, FileFormatError)
        assert error.path == str(path)


def test_a_file_without_the_answer_asked_for_is_refused(show: Run, refuse: Refuse, file: Path) -> None:
    assert refuse("show", file, "--line", "4").subject == str(file)
    file.write_text("\n")
    assert refuse("show", file).subject == str(file)
    zero = show(file, "--line", "0")
    assert zero.returncode == 2
    assert "--line" in zero.stderr


# -- files ---------------------------------------------------------------------------------------------


def test_answers_are_shown_and_written_as_a_page(show: Run, file: Path, tmp_path: Path) -> None:
    html = tmp_path / "answers.html"
    done = show(file, "--json", "--html", html)
    assert (done.returncode, done.stdout) == (0, file.read_text(encoding="utf-8"))
    assert done.stderr == f"wrote {html}\n"
    page = html.read_text(encoding="utf-8")
    assert all(text in page for text in ("Penguins fly.", "Ice is cold.", "Grün ist 绿."))
    assert "\x1b" not in page


@pytest.mark.parametrize("option", ["--dot", "--mermaid", "--graphml", "--wcnf"])
def test_one_answer_of_a_file_becomes_a_graph_or_a_problem(
    show: Run, refuse: Refuse, file: Path, tmp_path: Path, option: str
) -> None:
    out = tmp_path / "answer.gz"  # compressed, as the readers of such a name expect
    assert refuse("show", file, option, out).subject == option
    assert not out.exists()
    assert show(file, "--line", "2", option, out).returncode == 0
    assert "Fire is hot." in gzip.decompress(out.read_bytes()).decode()
    assert refuse("show", file, "--line", "2", option, out).subject == option


@pytest.mark.parametrize("option", ["--html", "--dot", "--mermaid", "--graphml", "--wcnf"])
def test_a_file_that_exists_is_refused_and_with_force_overwritten(
    show: Run, refuse: Refuse, file: Path, tmp_path: Path, option: str
) -> None:
    out = tmp_path / "answer.txt"
    out.write_text("precious")
    out.chmod(0o640)
    error = refuse("show", file, "--line", "1", option, out)
    assert error.subject == option
    assert "--force" in str(error)
    assert out.read_text() == "precious"
    assert show(file, "--line", "1", option, out, "--force").returncode == 0
    assert "Penguins" in out.read_text(encoding="utf-8")
    assert out.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.txt", "answers.jsonl"]


def test_force_makes_a_new_file_too_and_overwrites_what_a_link_points_to(
    show: Run, file: Path, tmp_path: Path
) -> None:
    out, link = tmp_path / "answer.html", tmp_path / "link.html"
    link.symlink_to(out)
    assert show(file, "--html", out, "--force").returncode == 0
    out.write_text("old")
    assert show(file, "--html", link, "--force").returncode == 0
    assert link.is_symlink()
    assert "Penguins" in out.read_text(encoding="utf-8")


def test_force_never_overwrites_the_file_that_is_read_or_a_folder(
    refuse: Refuse, file: Path, tmp_path: Path
) -> None:
    before = file.read_bytes()
    for out in (file, tmp_path):
        assert refuse("show", file, "--html", out, "--force").subject == "--html"
    assert file.read_bytes() == before


def test_a_failed_write_leaves_the_old_file(
    show: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    out = tmp_path / "answer.html"
    out.write_text("precious")
    monkeypatch.setattr(os, "fsync", full)
    assert show(file, "--html", out, "--force").returncode == 1
    assert out.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.html", "answers.jsonl"]


def test_a_problem_that_is_shown_can_be_solved_to_the_same_cost(
    show: Run, run: Run, file: Path, tmp_path: Path, lines: list[str]
) -> None:
    out = tmp_path / "answer.wcnf.xz"
    assert show(file, "--line", "1", "--wcnf", out).returncode == 0
    solved = run("solve", out).stdout
    cost = json.loads(lines[0])["verdict"]["cost"]
    assert f"o {round(cost * 10**9)}\n" in solved
    assert "s OPTIMUM FOUND" in solved


def test_the_only_answer_of_a_file_needs_no_line(
    show: Run, file: Path, tmp_path: Path, lines: list[str]
) -> None:
    file.write_text(lines[0], encoding="utf-8")
    assert show(file, "--mermaid", tmp_path / "answer.mmd").returncode == 0


def test_a_broken_line_leaves_a_page_of_the_answers_before_it(
    show: Run, file: Path, tmp_path: Path, lines: list[str]
) -> None:
    file.write_text(f"{lines[0]}\nnone\n", encoding="utf-8")
    html = tmp_path / "answers.html"
    assert show(file, "--html", html).returncode == 2
    assert "Penguins fly." in html.read_text(encoding="utf-8")


def test_an_answer_with_an_impossible_weight_is_shown_and_its_problem_refused(
    show: Run, refuse: Refuse, file: Path, tmp_path: Path, lines: list[str]
) -> None:
    answer = json.loads(lines[0])
    answer["verdict"]["constraints"][0]["weight"] = -1.0
    file.write_text(json.dumps(answer), encoding="utf-8")
    printed = show(file).stdout
    assert printed.startswith("False. Not so: Penguins fly (")
    error = refuse("show", file, "--wcnf", tmp_path / "answer.wcnf", stdout=printed)
    assert isinstance(error, ProblemError)
    assert list(tmp_path.glob("*.wcnf")) == []
