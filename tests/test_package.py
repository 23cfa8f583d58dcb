"""The package as others get it: its names, its weight, its rooms, and what is installed."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module, util
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import maieutic

PROJECT = Path(__file__).parents[1]
ROOMS = {  # folder at the top: what it is imported as
    "maieutic": "maieutic",
    "solvers": "maieutic.solvers",
    "benchmarks": "maieutic.benchmarks",
    "cli": "maieutic.cli",
}
HEAVY = {"torch", "transformers", "tokenizers", "huggingface_hub", "numpy", "pydantic", "networkx", "pysat"}


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))


# -- names ---------------------------------------------------------------------------------------------


def test_every_public_name_has_a_home_and_every_home_a_public_name() -> None:
    assert set(maieutic.__all__) == {*maieutic._HOMES, "__version__"}
    assert list(maieutic.__all__) == sorted(set(maieutic.__all__))
    assert dir(maieutic) == sorted(maieutic.__all__)


@pytest.mark.parametrize(("name", "home"), maieutic._HOMES.items())
def test_a_public_name_exists_and_stays_the_one_of_its_home(name: str, home: str) -> None:
    module = import_module(home)
    assert name in module.__all__
    assert getattr(maieutic, name) is getattr(module, name)


def test_what_type_checkers_see_is_what_there_is() -> None:
    tree = ast.parse((PROJECT / "maieutic" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = (node for node in block.body if isinstance(node, ast.ImportFrom))
    seen = {alias.asname: node.module for node in imports for alias in node.names}
    assert seen == maieutic._HOMES


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError) as error:
        getattr(maieutic, "Socrates")  # noqa: B009 - mypy knows that there is none
    assert "'Socrates'" in str(error.value)


def test_the_version_is_the_one_of_the_project() -> None:
    assert maieutic.__version__ == project()["project"]["version"]


# -- weight --------------------------------------------------------------------------------------------

MODULES = "import json, sys; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
COMMAND = f"""
import sys
from maieutic.cli.main import main
sys.argv[0] = "maieutic"
try:
    main()
finally:
    {MODULES}
"""


def loaded(code: str, *arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after the code."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr))


def test_importing_the_package_loads_none_of_the_libraries_it_stands_on() -> None:
    modules = loaded(f"import maieutic; {MODULES}")
    assert "maieutic" in modules
    assert not modules & (HEAVY | {"typer", "rich"})


@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["--version"]], ids=" ".join)
def test_asking_for_help_loads_no_model_library(arguments: list[str]) -> None:
    modules = loaded(COMMAND, *arguments)
    assert "maieutic.cli.ask" in modules
    assert not modules & (HEAVY - {"pydantic"})  # typer itself reads parameters with pydantic


# -- rooms ---------------------------------------------------------------------------------------------


def sources(folder: str) -> Iterator[Path]:
    """The modules of a room; ``rglob`` does not follow the links in ``maieutic`` to the other folders."""
    return (PROJECT / folder).rglob("*.py")


def module_name(folder: str, path: Path) -> str:
    parts = path.relative_to(PROJECT / folder).with_suffix("").parts
    return ".".join((ROOMS[folder], *(part for part in parts if part != "__init__")))


def imports_of(folder: str, path: Path) -> Iterator[str]:
    """Dotted names of all that a module imports, wherever the statement stands; of ``from`` with the name."""
    name = module_name(folder, path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = util.resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imported(folder: str) -> Iterator[tuple[str, str]]:
    """(file, dotted name) of all that the modules of a room import."""
    return ((str(path), name) for path in sources(folder) for name in imports_of(folder, path))


def within(name: str, *packages: str) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def test_solvers_know_nothing_of_the_package_but_its_errors() -> None:
    own = [(path, name) for path, name in imported("solvers") if within(name, "maieutic")]
    assert own
    assert [row for row in own if not within(row[1], "maieutic.errors", "maieutic.solvers")] == []


@pytest.mark.parametrize(
    ("folder", "above"),
    [("maieutic", ("maieutic.cli", "maieutic.benchmarks")), ("benchmarks", ("maieutic.cli",))],
)
def test_no_room_imports_from_a_room_above_it(folder: str, above: tuple[str, ...]) -> None:
    found = list(imported(folder))
    assert any(within(name, "maieutic.errors") for _, name in found)
    assert [row for row in found if within(row[1], *above)] == []
    assert not any(within(home, *above) for home in maieutic._HOMES.values())


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for type checkers and inside functions count; a package stands for its ``__init__``."""
    modules = {module_name(folder, path): (folder, path) for folder in ROOMS for path in sources(folder)}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(modules)
    for module, place in modules.items():
        for name in imports_of(*place):
            target = name if name in modules else name.rpartition(".")[0]
            if target in modules:
                graph.add_edge(module, target)
    assert graph.has_edge("maieutic.models", "maieutic.inference.weights")
    assert graph.has_edge("maieutic.pipeline", "maieutic.inference")
    circles = [sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1]
    assert circles == []
    assert list(nx.selfloop_edges(graph)) == []


def test_every_module_is_imported_under_one_name() -> None:
    """The folders at the top are not packages of their own, though they lie on the path in a checkout."""
    top = {name.partition(".")[0] for name in sys.modules}
    assert "maieutic" in top
    assert not top & {"solvers", "benchmarks", "cli"}


# -- what is installed ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the project, built from a copy of the tree."""
    folder = tmp_path_factory.mktemp("install")
    ignored = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    copy = shutil.copytree(PROJECT, folder / "copy", ignore=ignored)
    options = ["--no-deps", "--no-build-isolation", "--no-compile", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder / "site"), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"pip cannot install the project:\n{done.stderr}"
    return folder / "site"


def test_one_import_package_is_installed_and_nothing_else(installed: Path) -> None:
    found = {path.name for path in installed.iterdir()}
    (record,) = (name for name in found if name.endswith(".dist-info"))
    assert record == f"maieutic-{project()['project']['version']}.dist-info"
    assert found == {"maieutic", "bin", record}
    assert [path.name for path in (installed / "bin").iterdir()] == ["maieutic"]


def test_every_module_and_data_file_of_the_four_folders_is_installed_and_no_other(installed: Path) -> None:
    expected = {
        Path(*package.split("."), path.relative_to(PROJECT / folder))
        for folder, package in ROOMS.items()
        for path in (PROJECT / folder).rglob("*")
        if path.suffix in {".py", ".toml", ".tsv", ".css", ".html", ".js"}
        or path.name == "py.typed"
        or "bundled" in path.parts
        if path.is_file() and path.suffix != ".pyc"
    }
    assert Path("maieutic", "py.typed") in expected
    assert Path("maieutic", "prompts", "paper.toml") in expected
    files = (path.relative_to(installed) for path in (installed / "maieutic").rglob("*") if path.is_file())
    assert set(files) == expected


def test_the_license_is_installed(installed: Path) -> None:
    (license_file,) = installed.glob("*.dist-info/**/LICENSE")
    assert license_file.read_bytes() == (PROJECT / "LICENSE").read_bytes()


@pytest.mark.slow
def test_a_wheel_in_an_empty_environment_answers_with_its_own_models(tmp_path: Path) -> None:
    """From the wheel alone: the dependencies it declares, the models it carries, the command it installs."""
    ignored = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    copy = shutil.copytree(PROJECT, tmp_path / "copy", ignore=ignored)
    quiet: tuple[str | Path, ...] = ("--disable-pip-version-check", "--quiet")
    build = ["wheel", "--no-deps", "--no-build-isolation", *quiet, "--wheel-dir", tmp_path, copy]
    called(sys.executable, "-m", "pip", *build)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < 25_000_000
    called(sys.executable, "-m", "venv", tmp_path / "empty")
    programs = tmp_path / "empty" / ("Scripts" if sys.platform == "win32" else "bin")
    constraints: list[str | Path] = ["-c", PROJECT / "constraints.txt"]
    called(programs / "python", "-m", "pip", "install", *quiet, "--no-compile", *constraints, wheel)
    answer = json.loads(called(programs / "maieutic", "ask", "Can a penguin fly?", "--json"))
    assert answer["models"]["lm"] == "agora"
    assert answer["tree"]["statement"] == "A penguin can fly."


def called(*command: str | Path) -> str:
    """What a program prints; it runs outside of the checkout, with none of its folders on the path."""
    line = list(map(str, command))
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tempfile.gettempdir())
    assert done.returncode == 0, f"{' '.join(line)}:\n{done.stderr}"
    return done.stdout


# -- tested versions -----------------------------------------------------------------------------------


@cache
def pins() -> dict[str, str]:
    """Name → version of constraints.txt, every line of which must pin one exactly."""
    found: dict[str, str] = {}
    for line in (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        requirement = Requirement(line)
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        assert "*" not in specifier.version
        name = canonicalize_name(requirement.name)
        assert name not in found
        found[name] = specifier.version
    return found


REQUIRED = [*project()["project"]["dependencies"], *project()["dependency-groups"]["dev"]]


@pytest.mark.parametrize("text", REQUIRED)
def test_every_requirement_is_pinned_to_a_version_that_it_allows(text: str) -> None:
    requirement = Requirement(text)
    version = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version, prereleases=True)


def test_the_torch_that_is_tested_is_the_one_users_are_told() -> None:
    assert pins()["torch"] == "2.13.0"
