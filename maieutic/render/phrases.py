"""The sentences about one answer, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from maieutic.inference.assumptions import Assumption
from maieutic.inference.constraints import Constraint
from maieutic.inference.reasons import Reason, reasons_of
from maieutic.reasoning import Reasoning
from maieutic.render.text import printable
from maieutic.text import same_text
from maieutic.tree import ROOT, Proposition

__all__ = ["SHOWN_FOR", "Phrases", "percent", "quoted"]

SHOWN_FOR = 4  # reasons for the answer that are listed at most, numbered from 1
FIRM = 0.95  # a conclusion that is at least as probable needs no number


def percent(p: float) -> str:
    """A probability in percent; only what is certain is 0 or 100.

    >>> percent(0.954), percent(0.9999), percent(1.0), percent(0.001)
    ('95 %', 'over 99 %', '100 %', 'under 1 %')
    """
    if 0.0 < p < 1.0 and f"{100 * p:.0f}" in ("0", "100"):
        return "over 99 %" if p > 0.5 else "under 1 %"
    return f"{100 * p:.0f} %"


def quoted(text: str) -> str:
    return f"“{printable(text)}”"


def counted(number: int, noun: str) -> str:
    """
    >>> counted(1, "fact"), counted(1_200, "fact")
    ('1 fact', '1,200 facts')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class Phrases:
    """The sentences about one answer; every text of a model is printable in them."""

    answer: Reasoning

    def word(self, truth: bool) -> str:
        """Yes or no to a question, true or false of a statement."""
        question = self.answer.question
        asked = question.endswith("?") or not same_text(question, self.answer.statement)
        return {True: ("true", "yes"), False: ("false", "no")}[truth][asked]

    @property
    def held(self) -> str:
        """The statement or its negation, whichever is the answer."""
        answer = self.answer
        if answer.answer:
            return printable(answer.statement)
        if answer.tree.negation:
            return printable(answer.tree.negation)
        return f"It is not so: {quoted(answer.statement)}"

    @cached_property
    def sides(self) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
        """What supports the answer and what does not."""
        reasons = reasons_of(self.answer.tree, self.answer.verdict, self.answer.graph)
        helping = tuple(reason for reason in reasons if self.helps(reason))
        return helping, tuple(reason for reason in reasons if reason not in helping)

    def helps(self, reason: Reason) -> bool:
        """Whether a reason is one for the answer that was given."""
        answer = self.answer.answer
        if reason.source == "assumption" or (reason.source == "memory" and reason.ids[0] != ROOT):
            return (reason.supports == reason.held) == answer
        if self.answer.verdict.votes and reason.moves != 0.0:  # what is denied votes for the opposite
            return (reason.moves > 0) == answer
        counts = reason.held or reason.source != "explanation" or self.answer.verdict.strengths is not None
        return counts and reason.supports == answer

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Id of an explanation or assumption → its number in the list of those that support the answer."""
        shown = self.sides[0][:SHOWN_FOR]
        return {i: number for number, reason in enumerate(shown, 1) for i in reason.ids if i != ROOT}

    def otherwise(self, reason: Reason) -> str:
        """How sure the answer would be without a reason, or if it were not so; "" if as sure as now."""
        given, sure = self.answer.answer, self.answer.confidence
        if reason.otherwise is None or sure is None:
            return ""
        left = reason.otherwise if given else 1.0 - reason.otherwise
        if percent(left) == percent(sure):
            return ""
        fixed = any(literal.id in reason.ids for literal in self.answer.verdict.held)
        if reason.source in ("explanation", "memory") and reason.ids[0] != ROOT and not fixed:
            case = "if it were false" if reason.held else "if it were true"
        else:
            case = "without it"
        rather = f"rather {self.word(not given)}, {percent(1 - left)}"
        return f" [{case}: {rather if left < 0.5 else percent(left)}]"

    def sentence(self, reason: Reason) -> str:
        """What a reason says."""
        if reason.source == "direct":
            return self.direct(reason)
        if reason.source == "thought":
            return self.thought(reason)
        if reason.source == "common":
            return f"Statements of this kind are more often {str(reason.supports).lower()}"
        if reason.source == "assumption":
            return self.given(reason.ids[0])
        if reason.source == "memory":
            return self.remembered(reason)
        return self.explanation(reason)

    def remembered(self, reason: Reason) -> str:
        """What an earlier question says."""
        if reason.ids[0] == ROOT:
            return f"What is remembered says that it is {self.word(reason.supports)}"
        return f"Remembered as {str(reason.held).lower()}: {quoted(self.nodes[reason.ids[0]].statement)}"

    def explanation(self, reason: Reason) -> str:
        """What the model gave as a reason; in a debate also what it was said for or against."""
        node = self.nodes[reason.ids[0]]
        said = quoted(node.statement)
        if not reason.held and self.helps(reason) and self.answer.verdict.votes:
            return f"Not believed: {said}"
        if len(reason.ids) > 1:
            return f"{said}, said {len(reason.ids)} times"
        if self.answer.verdict.strengths is not None and node.parent not in (None, ROOT):
            return f"{said}, {'for' if node.side else 'against'} {self.text(str(node.parent))}"
        return said

    def direct(self, reason: Reason) -> str:
        """What the model answers at once."""
        root, start = self.answer.tree.root, "Asked directly, the model"
        if root.p_true is not None and self.answer.models.priors is not None:
            return f"{start} {self.says('says', root.p_true, reason.supports)}"
        if root.p_true is not None and root.p_true != 0.5 and (root.p_true > 0.5) == reason.supports:
            return f"{start} {self.says('says', root.p_true, reason.supports)}"
        beliefs = (("the statement", root.p_true), ("its opposite", root.p_true_negation))
        both = " and ".join(f"{name} {percent(p)}" for name, p in beliefs if p is not None)
        return f"{start} believes {both}"

    def thought(self, reason: Reason) -> str:
        """What the model concludes from a chain of thought."""
        chain = self.answer.tree.chain
        assert chain is not None
        p = float(reason.supports) if chain.p_true is None else chain.p_true
        concludes = f"Thinking aloud, the model {self.says('concludes', p, reason.supports)}"
        for node_id, number in self.numbers.items():
            if same_text(self.texts[node_id], chain.text):
                return f"{concludes}, for reason {number}"
        return f"{concludes}: {quoted(chain.text)}" if chain.text else concludes

    def says(self, verb: str, p: float, supports: bool) -> str:
        """What the model says of Q with P(true) p, where that supports Q or speaks against it."""
        truth = supports if p == 0.5 else p > 0.5
        likely = p if truth else 1.0 - p
        sure = "" if verb == "concludes" and likely >= FIRM else f" ({percent(likely)})"
        but = "" if truth == supports else ", but less firmly than of other statements"
        return f"{verb} {self.word(truth)}{sure}{but}"

    def given(self, assumption_id: str) -> str:
        """What the user takes for certain."""
        assumption = self.assumptions[assumption_id]
        said = quoted(assumption.statement)
        return f"You said: {said}" if assumption.holds else f"You said that this is false: {said}"

    def overruled(self, reason: Reason) -> str:
        """What a reason that does not support the answer says, and why it did not win."""
        said = self.sentence(reason)
        if reason.source != "explanation":
            return f"{said} – outweighed"
        if reason.supports == self.answer.answer:
            said += " would support it"
        return f"{said} – {self.weakness(reason)}"

    def weakness(self, reason: Reason) -> str:
        """Why an explanation did not win."""
        if not reason.held and reason.rival is not None:
            return f"but it contradicts {self.text(reason.rival)}"
        node = self.nodes[reason.ids[0]]
        p, p_negation = node.p_true, node.p_true_negation
        if reason.held:
            return "outweighed"
        if p is not None and p < 0.5:
            return f"but the model believes it only {percent(p)}"
        if p is not None and p_negation is not None and p_negation > p:
            return f"but the model believes its opposite more ({percent(p_negation)})"
        return "but it does not fit with the rest"

    def link(self, constraint: Constraint) -> str:
        """A constraint as something that could be left out."""
        source, target = constraint.source, constraint.target
        if target is None:
            return self.alone(constraint)
        if constraint.other is not None:
            verb = "entail" if constraint.kind == "entailment" else "exclude"
            both = f"{self.text(source.id)} and {self.text(constraint.other.id)} together"
            return f"that {both} {verb} {'the statement' if target.id == ROOT else self.text(target.id)}"
        one, other = sorted(constraint.clause, key=lambda literal: literal.id == ROOT)
        agree = one.positive != other.positive
        if other.id == ROOT:
            return f"that {self.text(one.id)} {'supports' if agree else 'speaks against'} the statement"
        return f"that {self.text(one.id)} {'goes with' if agree else 'contradicts'} {self.text(other.id)}"

    def alone(self, constraint: Constraint) -> str:
        """What is said of one proposition, as something that could be left out."""
        source = constraint.source
        if constraint.kind == "memory":
            return f"what is remembered of {'the statement' if source.id == ROOT else self.text(source.id)}"
        if source.id == ROOT:
            by = {"belief": "says when asked directly", "chain": "concludes thinking aloud"}
            return f"what the model {by.get(constraint.kind, 'finds common')}"
        verb = "believes" if source.positive else "does not believe"
        return f"that the model {verb} {self.text(source.id)}"

    def text(self, node_id: str) -> str:
        """A proposition, by its number or in quotes."""
        number = self.numbers.get(node_id)
        return quoted(self.texts[node_id]) if number is None else f"reason {number}"

    @cached_property
    def nodes(self) -> Mapping[str, Proposition]:
        """All that took part, by id."""
        return {node.id: node for node in self.answer.propositions}

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """The statement of all that took part, by id."""
        return {node.id: node.statement for node in self.nodes.values()}

    @cached_property
    def assumptions(self) -> Mapping[str, Assumption]:
        """By id."""
        return {assumption.id: assumption for assumption in self.answer.verdict.assumptions}
