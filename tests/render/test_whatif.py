"""What a page needs to infer anew: the variables and what is certain, or one sentence."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.inference import Argue, Joint, Literal, Vote
from maieutic.inference.assumptions import assumptions_of
from maieutic.render.view import view_of
from maieutic.render.whatif import MAX_FREE, whatif_of
from maieutic.tree import Proposition, Tree
from tests.inference.weights import TELLING
from tests.render.test_render_html import answered, grown, sample


def wide(count: int) -> Tree:
    """Q with that many explanations."""
    root = grown().root
    others = [
        Proposition(f"QT{i}", "Q", f"Reason {i}.", f"No reason {i}.", 0.9, 0.1, True) for i in range(count)
    ]
    return Tree(root.statement, root.statement, root.negation, (root, *others))


@settings(deadline=None)
@given(
    signs=st.lists(st.booleans(), min_size=2, max_size=3),
    held=st.lists(st.sampled_from([Literal("QT0F0"), ~Literal("QT0F0"), ~Literal("QT0")]), max_size=1),
)
def test_the_variables_and_what_is_certain_are_those_of_the_solver(
    signs: list[bool], held: list[Literal]
) -> None:
    names = ["QT0", "QF0", "QT0F0"][: len(signs)]
    group = tuple(
        Literal(name, not place or sign) for place, (name, sign) in enumerate(zip(names, signs, strict=True))
    )
    answer = sample()
    answer = replace(answer, verdict=replace(answer.verdict, merged=(group,), held=tuple(held)))
    encoding, said = answer.verdict.encoding, whatif_of(answer)
    assert said["variables"] == [encoding.variables[node.id] for node in answer.propositions]
    assert said["held"] == sorted(literal for (literal,) in encoding.problem.hard)


def test_it_is_for_joint_inference_with_explanations_and_few_variables() -> None:
    for inference in (Vote(), Argue()):
        assert inference.name in whatif_of(answered(grown(), inference))["reason"]
    assert "explanations" in whatif_of(answered(wide(0), Joint(TELLING)))["reason"]
    assert "variables" in whatif_of(answered(wide(MAX_FREE - 1), Joint(TELLING)))
    assert str(MAX_FREE) in whatif_of(answered(wide(MAX_FREE), Joint(TELLING)))["reason"]


def test_what_is_certain_does_not_count_as_free() -> None:
    joint = Joint(TELLING, assumptions=assumptions_of(["Ice is cold."], ["Fire is cold."]))
    said = whatif_of(answered(wide(MAX_FREE - 1), joint))
    assert len(said["variables"]) == MAX_FREE + 2
    assert len(said["held"]) == 2


def test_an_answer_that_lacks_variables_is_refused() -> None:
    answer = sample()
    constraints = tuple(c for c in answer.verdict.constraints if "QT0F0" not in c.ids)
    variables = tuple(name for name in answer.verdict.variables if name != "QT0F0")
    verdict = replace(answer.verdict, variables=variables, constraints=constraints, violated=())
    assert "variable" in whatif_of(replace(answer, verdict=verdict))["reason"]


def test_the_weights_of_a_page_have_the_digits_that_inference_needs() -> None:
    answer = sample()
    for constraint, row in zip(answer.verdict.constraints, view_of(answer)["constraints"], strict=True):
        assert abs(row[3] - constraint.weight) <= 1e-11 * constraint.weight
