"""WCNF files: both forms, exact round trips, and one clear error for each way to be broken."""

from __future__ import annotations

import gzip
import lzma
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pysat.formula import WCNF

from maieutic.errors import FileFormatError, InputError, ProblemError
from maieutic.solvers import SoftClause, WeightedCNF, dumps, loads, read_wcnf, write_wcnf
from maieutic.solvers.wcnf import Format

FORMATS: tuple[Format, ...] = ("2022", "p-line")
FORM = pytest.mark.parametrize("form", FORMATS)
EXAMPLE = WeightedCNF(
    hard=((-1, -2), (2, 3)), soft=(SoftClause((1,), 3), SoftClause((), 1), SoftClause((2, -3), 2))
)
EXAMPLE_2022 = """\
c maieutic variables 3
c maieutic clauses 5
h -1 -2 0
h 2 3 0
3 1 0
1 0
2 2 -3 0
"""
EXAMPLE_P_LINE = """\
p wcnf 3 5 7
7 -1 -2 0
7 2 3 0
3 1 0
1 0
2 2 -3 0
"""
CLAUSES = st.lists(st.integers(1, 6).flatmap(lambda v: st.sampled_from([v, -v])), max_size=3).map(tuple)


def problems(weights: st.SearchStrategy[float]) -> st.SearchStrategy[WeightedCNF]:
    return st.builds(
        lambda hard, soft: WeightedCNF(tuple(hard), tuple(soft), 7),
        st.lists(CLAUSES, max_size=5),
        st.lists(st.builds(SoftClause, CLAUSES, weights), max_size=5),
    )


@FORM
@given(problem=problems(st.integers(1, 2**60)))
def test_integer_weights_round_trip_exactly(form: Format, problem: WeightedCNF) -> None:
    assert loads(dumps(problem, form)) == problem


@FORM
@given(problem=problems(st.floats(min_value=1e-3, max_value=1e6)))
def test_other_weights_round_trip_up_to_the_scale(form: Format, problem: WeightedCNF) -> None:
    back = loads(dumps(problem, form))
    assert back.hard == problem.hard
    assert [s.clause for s in back.soft] == [s.clause for s in problem.soft]
    for one, two in zip(problem.soft, back.soft, strict=True):
        # Half a unit of the scale from rounding, and half a unit in the last place from dividing.
        error = Fraction(one.weight) - Fraction(two.weight)
        assert abs(error) <= Fraction(1, 2 * 10**9) + Fraction(two.weight) / 2**53
    assert loads(dumps(back, form)) == back


@FORM
@given(problem=problems(st.decimals("0.001", "1000", places=3).map(float)))
def test_decimal_weights_round_trip_exactly(form: Format, problem: WeightedCNF) -> None:
    assert loads(dumps(problem, form)) == problem


@given(problem=problems(st.integers(1, 1000)))
def test_python_sat_reads_what_we_write(problem: WeightedCNF) -> None:
    assume(all(problem.hard) and all(item.clause for item in problem.soft))
    theirs = WCNF(from_string=dumps(problem, "p-line"))
    assert [tuple(clause) for clause in theirs.hard] == list(problem.hard)
    ours = [SoftClause(tuple(c), w) for c, w in zip(theirs.soft, theirs.wght, strict=True)]
    assert ours == list(problem.soft)


def test_both_forms_are_written_line_by_line() -> None:
    assert dumps(EXAMPLE) == EXAMPLE_2022
    assert dumps(EXAMPLE, "p-line") == EXAMPLE_P_LINE
    assert loads(EXAMPLE_2022) == loads(EXAMPLE_P_LINE) == EXAMPLE


def test_weights_that_are_not_integers_are_scaled_and_say_so() -> None:
    problem = WeightedCNF(soft=(SoftClause((1,), 0.25), SoftClause((-1,), 2.0)))
    text = dumps(problem)
    assert text.splitlines()[0] == "c maieutic weight-scale 1000000000"
    assert text.splitlines()[-2:] == ["250000000 1 0", "2000000000 -1 0"]
    assert loads(text) == problem
    assert loads(text, rescale=False).soft[0].weight == 250_000_000


def test_the_scale_shrinks_until_the_sum_fits() -> None:
    problem = WeightedCNF(soft=(SoftClause((1,), 1e12 + 0.5), SoftClause((-1,), 0.5)))
    assert dumps(problem).startswith("c maieutic weight-scale 1000000\n")
    assert loads(dumps(problem)) == problem


@FORM
def test_unused_variables_and_no_clauses_survive(form: Format) -> None:
    for problem in (WeightedCNF(), WeightedCNF(variables=4), WeightedCNF(((2,),), variables=4)):
        assert loads(dumps(problem, form)) == problem


@FORM
@pytest.mark.parametrize("suffix", [".wcnf", ".wcnf.gz", ".wcnf.xz"])
def test_files_plain_and_compressed(tmp_path: Path, suffix: str, form: Format) -> None:
    path = tmp_path / f"example{suffix}"
    write_wcnf(EXAMPLE, path, form)
    assert read_wcnf(path) == EXAMPLE
    first = path.read_bytes()
    write_wcnf(EXAMPLE, str(path), form)
    assert path.read_bytes() == first
    opened = {".gz": gzip.decompress, ".xz": lzma.decompress}.get(path.suffix, bytes)(first)
    assert opened.decode() == dumps(EXAMPLE, form)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("p wcnf 2 2\n1 1 0\n7 -2 0\n", WeightedCNF(soft=(
            SoftClause((1,), 1), SoftClause((-2,), 7)))),
        ("p wcnf 2 2 5\n9 1 0\n5 -2 0\n", WeightedCNF(((1,), (-2,)))),
        ("h 1 2 0\n\n  0.5   -1 0", WeightedCNF(((1, 2),), (SoftClause((-1,), 0.5),))),
        ("comment\r\nc {\r\nh 1 0\r\nc maieutic\r\nc maieutic says\r\n", WeightedCNF(((1,),))),
        ("1e-3 +1 0\n.5 -1 0\n2. 1 0\n", WeightedCNF(soft=(
            SoftClause((1,), 0.001), SoftClause((-1,), 0.5), SoftClause((1,), 2)))),
        ("h 0\n", WeightedCNF(((),))),
        ("p wcnf 3 3 9\n9 1\n2\n 0 4\n-3 0 2\n0\n", WeightedCNF(
            ((1, 2),), (SoftClause((-3,), 4), SoftClause((), 2)))),
        ("h 1\nc inside a clause\n-2 c at its end\n0\nc\n3 2 0 c 4 5 0\nc", WeightedCNF(
            ((1, -2),), (SoftClause((2,), 3),))),
        ("h 1 -1 0\r3 2 2 0\r", WeightedCNF(((1, -1),), (SoftClause((2, 2), 3),))),
        (f"{10**50 + 1} 1 0\n", WeightedCNF(soft=(SoftClause((1,), 10**50 + 1),))),
    ],
    ids=["no top", "above top", "blanks, no last newline", "comments, CRLF", "decimals", "empty",
         "over lines", "comments anywhere", "tautology, CR", "51 digits"],
)  # fmt: skip
def test_what_other_programs_write_is_read(text: str, problem: WeightedCNF) -> None:
    assert loads(text) == problem


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", None),
        ("c only a comment\n", None),
        ("h 1 2 0\n3 1\n", 2),
        ("h\n", 1),
        ("3\n", 1),
        ("h 1\nh 2 0\n", 2),
        ("h 1\n2\n", 1),
        ("h 1\np wcnf 1 1 5\n", 2),
        ("3 1\n2.5 0\n", 2),
        ("h 1 x 0\n", 1),
        ("h 1 2.0 0\n", 1),
        ("h 1 1_0 0\n", 1),
        ("h 1 ٣ 0\n", 1),
        ("h 1 100000001 0\n", 1),
        (f"h {'9' * 5000} 0\n", 1),
        ("hard 1 0\n", 1),
        ("nan 1 0\n", 1),
        ("0 1 0\n", 1),
        ("-3 1 0\n", 1),
        ("1e999 1 0\n", 1),
        ("1e308 1 0\n1e308 2 0\n", None),
        ("p cnf 1 1\n1 0\n", 1),
        ("p wcnf 1\n", 1),
        ("p wcnf 1 1 5 5\n", 1),
        ("p wcnf one 1 5\n", 1),
        ("p wcnf -1 1 5\n", 1),
        ("p wcnf 1 1 0\n", 1),
        ("p wcnf 1 1 5\np wcnf 1 1 5\n", 2),
        ("h 1 0\np wcnf 1 1 5\n", 2),
        ("p wcnf 1 1 5\nh 1 0\n", 2),
        ("p wcnf 1 1 5\n5 1 0\n5 1 0\n", 3),
        ("p wcnf 1 3 5\n5 1 0\n", None),
        ("p wcnf 2 1 5\n5 1 -3 0\n", 2),
        ("c maieutic clauses 2\nh 1 0\n", None),
        ("c maieutic clauses 0\nh 1 0\n", None),
        ("c maieutic variables 2\nh 3 0\n", None),
        ("c maieutic weight-scale 0\n1 1 0\n", 1),
        ("c maieutic weight-scale\n1 1 0\n", 1),
        ("c maieutic clauses 1\nc maieutic clauses 1\nh 1 0\n", 2),
    ],
)  # fmt: skip
def test_broken_text_is_refused_at_its_line(text: str, line: int | None) -> None:
    with pytest.raises(FileFormatError) as caught:
        loads(text, "some.wcnf")
    assert (caught.value.path, caught.value.line) == ("some.wcnf", line)


@FORM
def test_a_file_cut_anywhere_but_at_its_last_newline_is_refused(form: Format) -> None:
    text = dumps(EXAMPLE, form)
    for length in range(len(text) - 1):
        with pytest.raises(FileFormatError):
            loads(text[:length])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    picture = tmp_path / "picture.wcnf"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\xff")
    for path, line in ((tmp_path / "absent.wcnf", None), (tmp_path, None), (picture, 1)):
        with pytest.raises(FileFormatError) as caught:
            read_wcnf(path)
        assert (caught.value.path, caught.value.line) == (str(path), line)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "utf-16"])
def test_comments_may_be_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "comment.wcnf"
    path.write_bytes(f"c café\n{EXAMPLE_2022}c à la fin".encode(encoding))
    assert read_wcnf(path) == EXAMPLE


@FORM
@given(problem=problems(st.integers(1, 2**70)), data=st.data())
def test_line_breaks_and_comments_between_any_two_numbers_change_nothing(
    form: Format, problem: WeightedCNF, data: st.DataObject
) -> None:
    assume(sum(item.weight for item in problem.soft) < 2**63)
    breaks = st.sampled_from([" ", "\n", "\r\n", "\t", "\nc 1 0\n", " c 1 0\n"])
    lines = [
        line if line[0] in "cp" else data.draw(breaks).join(line.split())
        for line in dumps(problem, form).splitlines()
    ]
    assert loads("\n".join(lines)) == problem


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_compressed_files_that_are_cut_or_not_compressed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"example.wcnf{suffix}"
    write_wcnf(EXAMPLE, path)
    whole = path.read_bytes()
    for data in (whole[:-5], whole[:12], b"h 1 0\n", whole[:20] + b"\xff\xff" + whole[22:]):
        path.write_bytes(data)
        with pytest.raises(FileFormatError) as caught:
            read_wcnf(path)
        assert (caught.value.path, caught.value.line) == (str(path), None)


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no" / "such" / "folder.wcnf"
    with pytest.raises(InputError) as unwritable:
        write_wcnf(EXAMPLE, path)
    assert unwritable.value.subject == str(path)
    with pytest.raises(InputError) as unknown:
        dumps(EXAMPLE, "2021")  # type: ignore[arg-type]
    assert unknown.value.subject == "format"


@pytest.mark.parametrize(
    ("weights", "subject"), [([1.5, 1e-12], "soft[1]"), ([2**62, 2**62], "soft"), ([0.5, 1e300], "soft")]
)
def test_weights_that_do_not_fit_the_format_are_refused(weights: list[float], subject: str) -> None:
    problem = WeightedCNF(soft=tuple(SoftClause((1,), w) for w in weights))
    with pytest.raises(ProblemError) as caught:
        dumps(problem)
    assert caught.value.subject == subject
