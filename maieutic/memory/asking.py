"""How a question is answered in a memory: recall, grow, recall again, solve with what is near, enter.

The first recall is by the question alone. Its facts are shown to the language model, and what it recalls
takes part while the tree grows, so that growth stops where the memory makes the answer sure. The second also
goes by the explanations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.inference.constraints import Constraint, Rule
from maieutic.inference.graph import BeliefGraph, Literal
from maieutic.inference.recalled import Placed
from maieutic.lm.base import LanguageModel
from maieutic.memory.base import Memory
from maieutic.memory.choices import described
from maieutic.memory.models import identity
from maieutic.memory.neighbourhood import Neighbourhood
from maieutic.memory.notes import MemoryNotes
from maieutic.memory.recording import Findings
from maieutic.nli.base import Verifier
from maieutic.problem.base import Problem
from maieutic.problem.conflicts import fewest_contradicting
from maieutic.problem.settled import Settled
from maieutic.reasoning import Reasoning
from maieutic.text import same_text
from maieutic.tree import ROOT, Tree, taking_part

__all__ = [
    "Recall",
    "check_agreement",
    "entered_answer",
    "entered_problem",
    "first_recall",
    "second_recall",
]

MOST_SHOWN = 5  # facts in a prompt


@dataclass(frozen=True)
class Recall:
    """What takes part in a question.

    Attributes:
        joint: the inference with it.
        verifier: asks no pair that the memory has.
        shown: facts for the prompts.
        warnings: as for :class:`maieutic.memory.notes.MemoryNotes`.
    """

    near: Neighbourhood
    joint: Joint
    verifier: Verifier
    shown: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def first_recall(memory: Memory, joint: Joint, verifier: Verifier, texts: Sequence[str]) -> Recall:
    """What a memory has to do with what is asked."""
    return _recall(memory, joint, verifier, texts, ())


def second_recall(
    memory: Memory, joint: Joint, verifier: Verifier, trees: Sequence[Tree], texts: Sequence[str]
) -> Recall:
    """What a memory has to do with grown trees.

    Args:
        joint, verifier: as for :func:`first_recall`, without what was recalled then.
        texts: what was asked.
    """
    inner = [node.statement for tree in trees for node in taking_part(tree)]
    statements = [tree.statement for tree in trees if tree.statement not in texts]
    return _recall(memory, joint, verifier, [*statements, *texts], inner)


def _recall(
    memory: Memory, joint: Joint, verifier: Verifier, texts: Sequence[str], inner: Sequence[str]
) -> Recall:
    near = memory.recall([*texts, *inner], len(joint.assumptions) + 1)
    recollection = near.recollection
    warnings: list[str] = []
    assumed: dict[str, Literal] = {}
    for fact in recollection.facts:
        given = next((a for a in joint.assumptions if same_text(a.statement, fact.statement)), None)
        if given is not None:
            assumed[fact.id] = Literal(given.id)
        if given is not None and given.holds != fact.holds:
            word = str(fact.holds).lower()
            warnings.append(f"{fact.statement!r} is remembered as {word}, but assumed otherwise")
    if near.left_out:
        warnings.append(f"{near.left_out} remembered propositions share words with it but exceed the limits")
    with_memory = replace(joint, recalled=recollection.assuming(assumed))
    check_agreement(with_memory)
    said = [one.statement for one in with_memory.recalled.facts if one.holds]
    pairs = memory.known_pairs(verifier, near, [*texts, *inner])
    return Recall(near, with_memory, pairs, tuple(said[:MOST_SHOWN]), tuple(warnings))


def entered_answer(memory: Memory, recall: Recall, answer: Reasoning, lm: LanguageModel) -> MemoryNotes:
    """Enter an answer, and tell what the memory did for it."""
    verdict, trees = answer.verdict, {ROOT: answer.tree}
    placed = Placed.of(recall.joint.recalled, trees, pruned=recall.joint.pruned > 0)
    result = (answer.graph, verdict.constraints, dict(verdict.labels), dict(verdict.p_labels or {}))
    findings = _findings(("ask", answer.question), trees, recall, placed, result, lm)
    return _noted(memory, recall, placed, findings)


def entered_problem(
    memory: Memory, recall: Recall, asked: tuple[str, str], settled: Settled, lm: LanguageModel
) -> MemoryNotes:
    """Enter the claims of a solved problem that are judged, and tell what the memory did for them.

    Args:
        asked: "choose" or "check", and the question, or "" for a text.
    """
    trees = {claim.id: claim.tree for claim in settled.problem.claims if not claim.premise}
    placed = Placed.of(
        recall.joint.recalled, {claim.id: claim.tree for claim in settled.problem.claims},
        pruned=recall.joint.pruned > 0,
    )  # fmt: skip
    p = dict(settled.p_true)
    result = (settled.graph, settled.posed.constraints, dict(settled.labels), p)
    findings = _findings(asked, trees, recall, placed, result, lm)
    groups = tuple(group.claims for group in settled.problem.groups)
    return _noted(memory, recall, placed, replace(findings, groups=groups))


def check_agreement(joint: Joint, problem: Problem | None = None) -> None:
    """Refuse assumptions and constraints that contradict what a memory brings.

    Args:
        joint: with what was recalled.
        problem: whose constraints are hard too.

    Raises:
        InputError: facts, choices and constraints cannot all hold; the message names the fewest that cannot.
    """
    recalled = joint.recalled
    trees = {} if problem is None else {claim.id: claim.tree for claim in problem.claims}
    placed = Placed.of(recalled, trees, pruned=joint.pruned > 0)
    certain = {fact.id: (fact, "remembered as") for fact in recalled.facts}
    certain |= {one.id: (one, "assumed") for one in joint.assumptions}
    rules, said = list[Rule](), list[str]()
    for name, (fact, how) in certain.items():
        literal = placed.names.get(name, Literal(name))
        rules.append(Rule("clause", (literal if fact.holds else ~literal,)))
        said.append(f"{fact.statement!r} is {how} {str(fact.holds).lower()}")
    for choice in recalled.choices:
        rules.append(placed.named_choice(choice).rule)
        said.append(described(choice.question))
    if problem is not None:
        rules += (constraint.rule for constraint in problem.constraints)
        said += (constraint.describe(problem.statements) for constraint in problem.constraints)
    ids = dict.fromkeys(literal.id for rule in rules for literal in rule.literals)
    found = [said[place] for place in fewest_contradicting([*ids], rules)]
    if found:
        remedy = "retract one (maieutic memory), or ask without the memory"
        raise InputError(f"these cannot all hold: {'; '.join(found)}; {remedy}", subject="memory")


def _findings(
    asked: tuple[str, str],
    trees: dict[str, Tree],
    recall: Recall,
    placed: Placed,
    result: tuple[BeliefGraph, Sequence[Constraint], dict[str, bool], dict[str, float]],
    lm: LanguageModel,
) -> Findings:
    graph, constraints, labels, p_labels = result
    return Findings(
        *asked,
        trees,
        tuple(trees),
        labels,
        p_labels,
        constraints,
        graph,
        recall.near,
        identity(lm),
        identity(recall.verifier),
        placed.names,
    )


def _noted(memory: Memory, recall: Recall, placed: Placed, findings: Findings) -> MemoryNotes:
    others = memory.other_models(findings)
    entered = memory.enter(findings)
    touched = {name for one in findings.constraints for name in one.ids if len(one.ids) > 1}
    touched |= {option.id for choice in recall.joint.recalled.choices for option in choice.options}
    settling = [f for f in recall.joint.recalled.facts if f.id in placed.names]
    return MemoryNotes(
        recalled=len(placed.propositions) + len(placed.names) - len(settling),
        facts=len(recall.joint.recalled.facts),
        shown=recall.shown,
        idle=tuple(fact.statement for fact in placed.facts if fact.id not in touched),
        left_out=recall.near.left_out,
        changed=tuple(one for one in entered.changes if one.answer),
        changed_explanations=sum(not one.answer for one in entered.changes),
        settled_by=settling[0].statement if settling else "",
        warnings=(*recall.warnings, *others, *entered.warnings),
    )
