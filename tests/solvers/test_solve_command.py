"""``maieutic solve``: exact output, line by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from maieutic.cli.solve import solve
from maieutic.errors import FileFormatError, InputError
from maieutic.solvers import SoftClause, Solution, WeightedCNF, write_wcnf

APP = typer.Typer()
APP.command()(solve)


def run(path: Path, *options: str) -> tuple[int, list[str]]:
    """Exit code and standard output; an error that the main program would translate is raised."""
    result = CliRunner().invoke(APP, [str(path), *options])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout.splitlines()


@pytest.fixture
def exclusive(tmp_path: Path) -> Path:
    path = tmp_path / "exclusive.wcnf"
    path.write_text("c two of three\nh -1 -2 0\n3 1 0\n2 2 0\n4 3 0\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("solver", ["rc2", "exhaustive"])
def test_an_optimum_is_printed_as_the_evaluation_prints_it(exclusive: Path, solver: str) -> None:
    code, (comment, *lines) = run(exclusive, "--solver", solver)
    assert re.fullmatch(rf"c solver {solver}, \d+\.\d{{3}} s", comment)
    assert (code, lines) == (0, ["o 2", "s OPTIMUM FOUND", "v 101"])


def test_rc2_is_the_default(exclusive: Path) -> None:
    assert run(exclusive)[1][0].startswith("c solver rc2, ")


def test_contradiction_exits_1(tmp_path: Path) -> None:
    path = tmp_path / "no.wcnf"
    path.write_text("p wcnf 1 2 9\n9 1 0\n9 -1 0\n", encoding="utf-8")
    assert run(path) == (1, ["s UNSATISFIABLE"])


def test_a_scaled_file_is_reported_in_its_own_integers(tmp_path: Path) -> None:
    path = tmp_path / "scaled.wcnf.gz"
    soft = (SoftClause((1,), 0.25), SoftClause((-1,), 0.5))
    write_wcnf(WeightedCNF(soft=soft, variables=2), path)
    assert run(path)[1][1:] == ["o 250000000", "s OPTIMUM FOUND", "v 00"]


def test_a_cost_beyond_53_bits_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "large.wcnf"
    path.write_text(f"{2**60} 1 0\n1 1 0\n{2**61} -1 0\n", encoding="utf-8")
    assert run(path)[1][1] == f"o {2**60 + 1}"


@pytest.mark.parametrize(
    ("weights", "cost"),
    [
        (["0.1", "0.2", "0.3"], "0.6"),
        (["0.1"] * 10, "1"),
        (["1e-7", "100"], "100.0000001"),
        (["2.50", f"{10**30}"], f"{10**30 + 2}.5"),
        ([], "0"),
    ],
)
def test_a_cost_is_the_sum_of_the_decimals_in_the_file(tmp_path: Path, weights: list[str], cost: str) -> None:
    path = tmp_path / "decimal.wcnf"
    path.write_text("h 1 0\n" + "".join(f"{weight} -1 0\n" for weight in weights), encoding="utf-8")
    assert run(path)[1][1] == f"o {cost}"


def test_a_certificate_exits_0_and_its_proof_is_written(exclusive: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof.drat"
    code, lines = run(exclusive, "--certify", "--proof", str(proof))
    assert code == 0
    assert [line.startswith("c certificate: ") for line in lines[-2:]] == [True, True]
    assert "0" in proof.read_text(encoding="utf-8").split("\n")
    assert (tmp_path / "proof.drat.cnf").read_text(encoding="utf-8").startswith("p cnf ")
    with pytest.raises(InputError) as exists:
        run(exclusive, "--certify", "--proof", str(proof))
    assert exists.value.subject == "--proof"
    with pytest.raises(InputError):
        run(exclusive, "--proof", str(tmp_path / "other"))


def test_a_certificate_that_does_not_hold_exits_1(exclusive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Careless:
        name = "careless"

        def solve(self, problem: WeightedCNF) -> Solution:
            return Solution((False, True, True), 3.0, 3.0, optimal=True)

    monkeypatch.setattr("maieutic.solvers.load_solver", lambda _: Careless())
    code, lines = run(exclusive, "--certify")
    assert code == 1
    assert "SOMETHING COSTS LESS" in lines[-1]


def test_bad_input_is_left_to_the_main_program(exclusive: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        run(exclusive, "--solver", "x")
    path = tmp_path / "absent.wcnf"
    with pytest.raises(FileFormatError) as caught:
        run(path)
    assert caught.value.path == str(path)


def test_help_explains_every_line() -> None:
    text = " ".join(CliRunner().invoke(APP, ["--help"]).stdout.split())
    for word in ("OPTIMUM FOUND", "UNSATISFIABLE", "o:", "v:", "--solver"):
        assert word in text
