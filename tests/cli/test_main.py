"""The ``maieutic`` command as a whole: help, exit codes, completion, reference, a closed pipe."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from subprocess import CompletedProcess
from typing import NoReturn

import pytest
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command
from typer.testing import CliRunner

from maieutic.cli import docs
from maieutic.cli import main as main_module
from maieutic.cli.main import app, program
from maieutic.errors import (
    ContextLengthError,
    FileFormatError,
    InputError,
    MaieuticError,
    ModelError,
    ProblemError,
    UnsatisfiableError,
)
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.render.terms import terms
from maieutic.tree import Proposition, Tree

Run = Callable[..., "CompletedProcess[str]"]

PROJECT = Path(__file__).parents[2]
COMMANDS = (
    "ask",
    "bench",
    "cache",
    "calibrate",
    "check",
    "choose",
    "distill",
    "explain-terms",
    "mcp",
    "memory",
    "models",
    "show",
    "solve",
)
GROUPS = {"bench": "run", "cache": "info", "distill": "generate", "memory": "info"}  # with a command of each


# -- help ----------------------------------------------------------------------------------------------


def test_the_version_is_the_one_of_the_project(run: Run) -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"maieutic {version}\n", "")


def subcommands(*path: str) -> dict[str, TyperCommand | TyperGroup]:
    """The commands of the program, or of one of its groups."""
    group = get_command(app)
    for name in path:
        assert isinstance(group, TyperGroup)
        group = group.commands[name]
    assert isinstance(group, TyperGroup)
    known = (TyperCommand, TyperGroup)
    return {name: command for name, command in group.commands.items() if isinstance(command, known)}


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_lists_every_command_and_what_it_does(run: Run, option: str) -> None:
    done = run(option)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(subcommands()) == list(COMMANDS)
    for name, command in subcommands().items():
        assert any(
            line.split()[1:2] == [name] and command.get_short_help_str(200) in line
            for line in done.stdout.splitlines()
        )


@pytest.mark.parametrize("path", [*((name,) for name in COMMANDS if name not in GROUPS), *GROUPS.items()])
def test_the_help_of_a_command_explains_every_option(run: Run, path: tuple[str, ...]) -> None:
    done = run(*path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    words = done.stdout.split()
    options = [
        option for option in subcommands(*path[:-1])[path[-1]].params if isinstance(option, TyperOption)
    ]
    assert options or path == ("explain-terms",)
    for option in options:
        assert option.help
        assert set(option.opts) <= set(words)
        assert " ".join(option.help.split()[:3]) in " ".join(words)


PANELS = {
    "Models": {"lm", "nli", "prompts", "beliefs", "device", "dtype", "download", "cache"},
    "Reasoning": {"inference", "depth", "belief", "seed", "weights", "merge", "pruned", "assume"}
    | {"growth", "confidence", "budget", "prune", "priors", "explain"}
    | {"assume_false", "abstain_below", "flip", "memory"},
    "Output": {"verbose", "json", "html", "dot", "mermaid", "graphml", "wcnf", "force"},
}


@pytest.mark.parametrize("name", ["ask", "show"])
def test_the_options_of_answers_are_in_three_panels(name: str) -> None:
    panels = {
        option.name: option.rich_help_panel
        for option in subcommands()[name].params
        if isinstance(option, TyperOption)
    }
    known = {option: panel for panel, options in PANELS.items() for option in options}
    expected = known if name == "ask" else {option: known[option] for option in ("flip", *PANELS["Output"])}
    assert {option: panel for option, panel in panels.items() if panel is not None} == expected


def test_without_arguments_the_help_is_shown(run: Run) -> None:
    done = run()
    assert done.returncode == 2
    assert (done.stdout + done.stderr).strip() == run("--help").stdout.strip()


@pytest.mark.parametrize("wrong", ["reply", "--verbatim"])
def test_an_unknown_command_or_option_is_named(run: Run, wrong: str) -> None:
    done = run(wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert wrong in done.stderr
    assert "Traceback" not in done.stderr


# -- how the process ends ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MaieuticError("it failed"), 1),
        (UnsatisfiableError("it failed"), 1),
        (InputError("it failed"), 2),
        (ProblemError("it failed"), 2),
        (ModelError("it failed"), 2),
        (ContextLengthError("it failed"), 2),
        (FileFormatError("file", 3, "it failed"), 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_becomes_one_line_and_the_exit_code_of_its_kind(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: MaieuticError, code: int
) -> None:
    def fail(**_: str) -> NoReturn:
        raise error

    monkeypatch.setattr(main_module, "app", fail)
    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"error: {error}\n")


def test_the_installed_command_is_this_one() -> None:
    (script,) = metadata.entry_points(group="console_scripts", name="maieutic")
    assert script.load() is program


@pytest.mark.parametrize("option", [[], ["--json"]], ids=["text", "json"])
def test_a_reader_that_closes_the_pipe_gets_no_traceback(tmp_path: Path, option: list[str]) -> None:
    root = Proposition("Q", None, "Ice is cold.", "Ice is hot.", 0.9, 0.1, integral=True)
    tree = Tree(root.statement, root.statement, root.negation, (root,))
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    (answer,) = Maieutic(lm, ScriptedVerifier(lambda *_: "neutral")).conclude([tree])
    file = tmp_path / "answers.jsonl"
    file.write_text((answer.to_json() + "\n") * 1000)  # far more than a pipe holds
    with subprocess.Popen(
        [sys.executable, "-m", "maieutic.cli.main", "show", str(file), *option],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1
    assert b"Ice is cold" in first


# -- completion ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_gets_a_completion_script(run: Run, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("_MAIEUTIC_COMPLETE", f"source_{shell}")
    done = run()
    assert done.returncode == 0
    assert f"_MAIEUTIC_COMPLETE=complete_{shell}" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"), [("maieutic ", COMMANDS), ("maieutic s", ("show", "solve")), ("maieutic x", ())]
)
def test_the_shell_completes_the_commands(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: str, expected: tuple[str, ...]
) -> None:
    monkeypatch.setenv("_MAIEUTIC_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", "1")
    assert tuple(sorted(run().stdout.split())) == expected


# -- the reference -------------------------------------------------------------------------------------


def test_the_reference_in_the_repository_is_the_one_the_commands_make() -> None:
    assert (PROJECT / "docs" / "cli.md").read_text(encoding="utf-8") == docs.reference()


def test_the_reference_has_a_chapter_for_every_command() -> None:
    chapters = [line for line in docs.reference().splitlines() if line.startswith("## ")]
    assert sorted(chapters) == [f"## `maieutic {name}`" for name in COMMANDS]


def test_a_reference_that_was_written_is_fresh_and_a_changed_or_missing_one_stale(tmp_path: Path) -> None:
    program = typer.Typer()
    program.command()(docs.write)

    def written(*arguments: str) -> int:
        return CliRunner().invoke(program, [*arguments, str(file)]).exit_code

    file = tmp_path / "cli.md"
    assert written("--check") == 1
    assert not file.exists()
    assert (written(), written("--check")) == (0, 0)
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert written("--check") == 1


def test_the_check_fails_on_a_stale_file_and_names_the_command(tmp_path: Path) -> None:
    (tmp_path / "cli.md").write_text("# maieutic\n")
    command = [sys.executable, "-m", "maieutic.cli.docs", "--check", "cli.md"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "python -m maieutic.cli.docs cli.md" in done.stderr


# -- the glossary --------------------------------------------------------------------------------------


def test_one_term_or_all_are_explained(run: Run) -> None:
    every = run("explain-terms").stdout
    for term, text in terms().items():
        one = run("explain-terms", term.upper())
        assert (one.returncode, " ".join(one.stdout.split())) == (0, f"{term}: {text}")
        assert one.stdout in every


def test_an_unknown_term_is_refused_with_similar_ones(run: Run) -> None:
    done = run("explain-terms", "nat\x1b[1m")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nats" in done.stderr
    assert "\x1b" not in done.stderr
