"""What the trees of a run rejected is counted once each, by kind and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic import Maieutic
from maieutic.benchmarks.analysis.comparison import ComparedRun
from maieutic.benchmarks.analysis.discards import count_discards
from maieutic.benchmarks.analysis.metrics import measure
from maieutic.benchmarks.analysis.statistics import Interval
from maieutic.benchmarks.report.tables import discard_table
from maieutic.benchmarks.runs.records import Record
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.text import ECHO, NO_VERDICT, UNFINISHED
from maieutic.tree import Discard, Proposition, Tree

ROOT = Proposition("Q", None, "Penguins can fly.", "Penguins cannot fly.", 0.4, 0.7)
KEPT = Proposition("QT0", "Q", "Penguins have wings.", "Penguins have no wings.", 0.9, 0.1)
DISCARDS = st.tuples(
    st.sampled_from(["explanation", "negation", "belief"]), st.sampled_from([ECHO, UNFINISHED, NO_VERDICT])
)


def record(discarded: Sequence[tuple[str, str]], explained: bool) -> Record:
    rejected = tuple(Discard("Q", kind, None, "…", reason) for kind, reason in discarded)
    nodes = (ROOT, KEPT) if explained else (ROOT,)
    tree = Tree(ROOT.statement, ROOT.statement, ROOT.negation, nodes, discarded=rejected)
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.0)
    (answer,) = Maieutic(lm, ScriptedVerifier(lambda *_: "neutral")).conclude([tree])
    return Record("q", ROOT.statement, True, "", answer.answer, answer.p_true, reasoning=answer)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.lists(DISCARDS, max_size=4), st.booleans()), min_size=1, max_size=4))
def test_every_discard_is_counted_under_its_kind_and_reason(
    questions: list[tuple[list[tuple[str, str]], bool]],
) -> None:
    found = count_discards([record(discarded, explained) for discarded, explained in questions])
    assert found is not None
    every = [each for discarded, _ in questions for each in discarded]
    assert {(item.kind, item.reason): item.count for item in found.counts} == {
        key: every.count(key) for key in every
    }
    assert [item.count for item in found.counts] == sorted(
        (each.count for each in found.counts), reverse=True
    )
    lost = sum(kind == "explanation" for kind, _ in every)
    assert found.explanations == lost + sum(explained for _, explained in questions)


def test_a_method_without_trees_discards_nothing() -> None:
    alone = replace(record([("belief", NO_VERDICT)], False), reasoning=None)
    assert measure([alone]).discards is None
    assert count_discards([]) is None


def row(label: str, *records: Record) -> ComparedRun:
    return ComparedRun(label, measure(records), Interval(0.0, 1.0), 0)


def test_the_table_has_a_row_for_each_run_with_trees_and_a_column_for_each_reason() -> None:
    many = row("many", record([("explanation", ECHO)] * 3, True), record([("belief", NO_VERDICT)], False))
    none = row("none", record([], True))
    treeless = row("direct", replace(record([], False), reasoning=None))
    table = discard_table([many, treeless, none])
    assert table is not None
    assert table.columns == ("run", "explanations", f"belief: {NO_VERDICT}", f"explanation: {ECHO}")
    assert [[cell.text for cell in cells] for cells in table.rows] == [
        ["many", "4", "1", "3"],
        ["none", "1", "0", "0"],
    ]
    assert discard_table([none, treeless]) is None
