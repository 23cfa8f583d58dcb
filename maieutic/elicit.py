"""The tree grows here: abduction, negation, belief, integrity, pruning (paper, section 3.1–3.2).

Many questions grow together, wave by wave. A wave asks every wavering leaf for explanations of both
sides, negates them, and reads the model's belief in each and in its negation; it makes one ``sample``
and at most one ``choose`` call per kind of prompt, however many questions there are, and where
explanations are asked for again one for each number that is lacking.

What the model says is not trusted. A text that cannot be used is put on the tree's ``discarded`` list
with a reason of :mod:`maieutic.text`, and a side that lacks explanations is asked again at most
``ElicitConfig.tries`` times in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from maieutic.config import ElicitConfig
from maieutic.lm.base import LanguageModel, Prompt, SamplingParams
from maieutic.prompts import PromptSet
from maieutic.text import (
    DUPLICATE,
    NO_NEGATION,
    NO_VERDICT,
    SAME,
    as_question,
    as_sentence,
    refusal,
    same_text,
    well_formed,
)
from maieutic.tree import (
    ROOT,
    Discard,
    Proposition,
    Tree,
    child_id,
    is_integral,
)
from maieutic.usage import Usage

__all__ = ["Growth", "elicit"]

KEPT_CHARS = 300  # of a discarded text
MIN_VERDICT_MASS = 0.5  # P(true) + P(false) below this: the model would rather say something else


@dataclass(frozen=True, slots=True)
class Growth:
    """A tree, and what growing it took.

    Attributes:
        seconds: wall clock; trees that grow together share a step's time equally.
        lm: name of the model that grew it, None for a tree from elsewhere.
    """

    tree: Tree
    usage: Usage = Usage()  # noqa: RUF009 - frozen
    seconds: float = 0.0
    lm: str | None = None


@dataclass(slots=True)
class _Growing:
    """A tree while it grows; frozen into a :class:`Growth` at the end."""

    question: str
    statement: str
    negation: str = ""
    nodes: list[Proposition] = field(default_factory=list)
    discarded: list[Discard] = field(default_factory=list)
    usage: Usage = field(default=Usage())

    def discard(self, parent: str, kind: str, text: str, reason: str, side: bool | None = None) -> None:
        self.discarded.append(Discard(parent, kind, side, well_formed(text[:KEPT_CHARS]), reason))


@dataclass(frozen=True, slots=True)
class _Draft:
    """A proposition before its belief is known."""

    tree: _Growing
    id: str
    parent: str | None
    statement: str
    negation: str = ""


def elicit(
    questions: Sequence[str],
    lm: LanguageModel,
    prompts: PromptSet,
    config: ElicitConfig = ElicitConfig(),  # noqa: B008 - frozen
) -> list[Growth]:
    """Grow one maieutic tree per question (a question or a statement).

    A prompt that two questions share is charged to both.

    The reference algorithm: the root gets a negation and a belief; for each depth, every leaf on which
    the model wavers gets explanations from the True prompt and from the False prompt, each with its
    negation and belief; finally only the paths that end in an integral leaf are kept.

    Raises:
        InputError: a question is empty or too long.
        ContextLengthError: a prompt does not fit the model's window.
    """
    elicitor = _Elicitor(lm, prompts, config)
    trees = elicitor.plant([as_question(question) for question in questions])
    for depth in range(1, config.depth + 1):
        wavering = [
            (tree, node)
            for tree in trees
            for node in tree.nodes
            if node.depth == depth - 1 and not node.integral
        ]
        if wavering:
            elicitor.grow(wavering, depth)
    return [Growth(_prune(tree), tree.usage) for tree in trees]


def _prune(tree: _Growing) -> Tree:
    """Keep only the paths that end in an integral leaf."""
    parents = {node.parent for node in tree.nodes}
    by_id = {node.id: node for node in tree.nodes}
    kept: set[str] = set()
    for leaf in tree.nodes:
        if leaf.id in parents or not leaf.integral:
            continue
        step: Proposition | None = leaf
        while step is not None and step.id not in kept:
            kept.add(step.id)
            step = by_id[step.parent] if step.parent is not None else None
    return Tree(
        question=tree.question,
        statement=tree.statement,
        negation=tree.negation,
        nodes=tuple(node for node in tree.nodes if node.id in kept),
        discarded=tuple(tree.discarded),
        pruned=tuple(node for node in tree.nodes if node.id not in kept),
    )


@dataclass(frozen=True, slots=True)
class _Elicitor:
    """One model, one prompt set, one configuration; each method is one step for many trees."""

    lm: LanguageModel
    prompts: PromptSet
    config: ElicitConfig

    def plant(self, questions: Sequence[str]) -> list[_Growing]:
        """The roots: statements, their negations and beliefs."""
        trees = [_Growing(question, as_sentence(question)) for question in questions]
        self.declare([tree for tree in trees if tree.question.endswith("?")])
        roots = self.negate([_Draft(tree, ROOT, None, tree.statement) for tree in trees])
        for root in roots:
            root.tree.negation = root.negation
        self.believe(roots)
        return trees

    def grow(self, wavering: Sequence[tuple[_Growing, Proposition]], depth: int) -> None:
        """One wave: explanations of both sides, their negations, their beliefs."""
        drafts = [
            _Draft(tree, child_id(parent.id, side, index), parent.id, text)
            for side in (True, False)
            for (tree, parent), texts in zip(wavering, self.explain(wavering, side, depth), strict=True)
            for index, text in enumerate(texts)
        ]
        negated = self.negate(drafts)
        for draft in negated:
            if draft.parent is not None and not draft.negation:
                side = draft.id[len(draft.parent)] == "T"
                draft.tree.discard(draft.parent, "explanation", draft.statement, NO_NEGATION, side)
        self.believe([draft for draft in negated if draft.negation])

    def declare(self, trees: Sequence[_Growing]) -> None:
        """Turn questions into statements; one that the model cannot turn stays as it was asked."""
        prompts = [self.prompts.declare(tree.question) for tree in trees]
        for tree, prompt, reply in zip(trees, prompts, self.greedy(trees, prompts), strict=True):
            statement = as_sentence(reply)
            flaw = refusal(statement, prompt_parts=_parts(prompt))
            if flaw is None:
                tree.statement = statement
            else:
                tree.discard(ROOT, "statement", reply, flaw)

    def explain(
        self, parents: Sequence[tuple[_Growing, Proposition]], side: bool, depth: int
    ) -> list[list[str]]:
        """Up to ``width`` explanations of one side for each parent; short ones are asked again."""
        width, temperature = self.config.width(depth), self.config.temperature(depth)
        prompts = [self.prompts.explain(parent.statement, side) for _, parent in parents]
        kept: list[list[str]] = [[] for _ in parents]
        for attempt in range(self.config.tries if temperature > 0 else 1):
            seed = self.config.seed * self.config.tries + attempt
            params = SamplingParams(self.config.max_new_tokens, temperature, self.config.top_p, seed)
            lacking = [width - len(texts) for texts in kept]
            for count in sorted({*lacking} - {0}):  # apart: no question draws more for another's lack
                short = [i for i, lack in enumerate(lacking) if lack == count]
                trees = [parents[i][0] for i in short]
                texts = self.draw(trees, [prompts[i] for i in short], count, params)
                for i, row in zip(short, texts, strict=True):
                    _take(row, kept[i], *parents[i], prompts[i], side)
        return kept

    def negate(self, drafts: Sequence[_Draft]) -> list[_Draft]:
        """The drafts with their negations, "" where the model gave none that can be used."""
        prompts = [self.prompts.negate(draft.statement) for draft in drafts]
        replies = self.greedy([draft.tree for draft in drafts], prompts)
        negated = []
        for draft, prompt, reply in zip(drafts, prompts, replies, strict=True):
            negation = as_sentence(reply)
            flaw = refusal(negation, prompt_parts=_parts(prompt))
            if flaw is None and same_text(negation, draft.statement):
                flaw = SAME
            if flaw is not None:
                draft.tree.discard(draft.id, "negation", reply, flaw)
            negated.append(replace(draft, negation="" if flaw else negation))
        return negated

    def believe(self, drafts: Sequence[_Draft]) -> None:
        """Read the beliefs in the drafts and add them to their trees as propositions."""
        texts = [*(draft.statement for draft in drafts), *(draft.negation for draft in drafts)]
        beliefs = self.beliefs([*drafts, *drafts], texts)
        for index, draft in enumerate(drafts):
            p, p_negation = beliefs[index], beliefs[len(drafts) + index]
            integral = is_integral(p, p_negation, self.config.integrity_threshold)
            node = Proposition(
                draft.id, draft.parent, draft.statement, draft.negation, p, p_negation, integral
            )
            draft.tree.nodes.append(node)

    def beliefs(self, drafts: Sequence[_Draft], texts: Sequence[str]) -> list[float | None]:
        """P(true | text) of each, in [0, 1]; None for no text, or if the model gave no verdict."""
        beliefs: list[float | None] = [None] * len(texts)
        if not self.config.read_beliefs:
            return beliefs
        asked = [i for i, text in enumerate(texts) if text]
        if self.config.belief == "direct":
            prompts = {i: self.prompts.direct(texts[i]) for i in asked}
            replies = dict.fromkeys(asked, "")
        else:
            trees = [drafts[i].tree for i in asked]
            reasoning = self.greedy(trees, [self.prompts.belief(texts[i]) for i in asked])
            replies = dict(zip(asked, reasoning, strict=True))
            reasons = {i: _reasoning(reply, self.prompts.marker) for i, reply in replies.items()}
            prompts = {
                i: self.prompts.verdict(texts[i], reason)
                for i, reason in reasons.items()
                if reason is not None
            }
        if prompts:
            scores = self.lm.choose(list(prompts.values()), self.prompts.answers)
            rows = scores.probabilities.tolist()
            for i, (p_true, p_false), usage in zip(prompts, rows, scores.usages, strict=True):
                drafts[i].tree.usage += usage
                beliefs[i] = p_true if p_true + p_false >= MIN_VERDICT_MASS else None
        for i in asked:
            if beliefs[i] is None:
                drafts[i].tree.discard(drafts[i].id, "belief", replies[i], NO_VERDICT)
        return beliefs

    def greedy(self, trees: Sequence[_Growing], prompts: Sequence[Prompt]) -> list[str]:
        """The likeliest reply to each prompt, charged to its tree."""
        params = SamplingParams(self.config.max_new_tokens, seed=self.config.seed)
        return [text for (text,) in self.draw(trees, prompts, 1, params)]

    def draw(
        self, trees: Sequence[_Growing], prompts: Sequence[Prompt], n: int, params: SamplingParams
    ) -> list[list[str]]:
        """``n`` replies to each prompt, charged to its tree."""
        if not prompts:
            return []
        replies = self.lm.sample(prompts, n, params)
        for tree, completions in zip(trees, replies, strict=True):
            tree.usage = sum((completion.usage for completion in completions), tree.usage)
        return [[completion.text for completion in completions] for completions in replies]


def _take(
    texts: Sequence[str], kept: list[str], tree: _Growing, parent: Proposition, prompt: Prompt, side: bool
) -> None:
    """Add the explanations that can be used to those that are kept, and discard the others."""
    for reply in texts:
        text = as_sentence(reply)
        flaw = refusal(text, echoes=[parent.statement], prompt_parts=_parts(prompt)) or (
            DUPLICATE if any(same_text(text, other) for other in kept) else None
        )
        if flaw is None:
            kept.append(text)
        else:
            tree.discard(parent.id, "explanation", reply, flaw, side)


def _parts(prompt: Prompt) -> tuple[str, str]:
    return prompt.query, prompt.opening


def _reasoning(reply: str, marker: str) -> str | None:
    """What the reply says before the marker (all of it without one); None where it says nothing.

    >>> _reasoning(" Ice is frozen. Therefore, the statement is true.", "Therefore, the statement is")
    'Ice is frozen.'
    """
    before, found, _ = reply.partition(marker) if marker else (reply, True, "")
    return " ".join(before.split()) or None if found else None
