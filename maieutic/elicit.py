"""Grows maieutic trees: abduction, negation, belief, integrity, pruning (paper, sections 3.1–3.2).

Many trees grow together, one wave per depth. A wave draws explanations of both sides for every leaf that is
not integral, negates them, and reads the model's belief in each explanation and in its negation. It makes one
``sample`` call and at most one ``choose`` call per kind of prompt, regardless of the number of trees. Further
rounds for missing explanations make one call for each number of missing explanations.

The model's replies are not trusted. An unusable text goes to the tree's ``discarded`` list with a reason of
:mod:`maieutic.text`. A side that lacks explanations is sampled at most ``ElicitConfig.tries`` times in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from maieutic.config import ElicitConfig
from maieutic.lm.base import LanguageModel, Prompt, SamplingParams
from maieutic.lm.calls import choose, sample
from maieutic.progress import Progress, reported
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
from maieutic.tree import ROOT, Discard, Proposition, Tree, child_id, is_integral
from maieutic.usage import Usage

__all__ = ["Growth", "elicit"]

KEPT_CHARS = 300  # length limit of a discarded text in the tree
MIN_VERDICT_MASS = 0.5  # if P(true) + P(false) is below this, the belief is unknown


@dataclass(frozen=True, slots=True)
class Growth:
    """A tree, and the cost of growing it.

    Attributes:
        seconds: wall-clock time; trees that grow together share the time of a step equally.
        lm: name of the model that grew the tree; None if it is not known.
        belief_source: where the model's beliefs come from; None if it is not known.
    """

    tree: Tree
    usage: Usage = Usage()  # noqa: RUF009 - frozen
    seconds: float = 0.0
    lm: str | None = None
    belief_source: str | None = None


@dataclass(slots=True)
class _Growing:
    """A tree that is growing; :class:`Growth` holds the finished tree."""

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
    progress: Progress | None = None,
) -> list[Growth]:
    """Grow one maieutic tree per question (a question or a statement).

    This is the reference algorithm. The root gets a negation and beliefs. At each depth, every leaf that is
    not integral gets explanations from the True prompt and from the False prompt, each with a negation and
    beliefs. In the end only the paths to integral leaves are kept.

    A prompt that two questions share is charged to both.

    Args:
        progress: receives each step when it ends.

    Raises:
        InputError: a question is empty, too long or not valid Unicode.
        ContextLengthError: a prompt does not fit the model's context window.
    """
    elicitor = _Elicitor(lm, prompts, config, progress)
    trees = elicitor.grow_roots([as_question(question) for question in questions])
    for depth in range(1, config.depth + 1):
        leaves = [
            (tree, node)
            for tree in trees
            for node in tree.nodes
            if node.depth == depth - 1 and not node.integral
        ]
        if leaves:
            elicitor.grow_children(leaves, depth)
    return [Growth(_prune(tree), tree.usage) for tree in trees]


def _prune(tree: _Growing) -> Tree:
    """Keep only the paths to integral leaves."""
    parents = {node.parent for node in tree.nodes}
    by_id = {node.id: node for node in tree.nodes}
    kept: set[str] = set()
    for leaf in tree.nodes:
        if leaf.id in parents or not leaf.integral:
            continue
        node: Proposition | None = leaf
        while node is not None and node.id not in kept:
            kept.add(node.id)
            node = by_id[node.parent] if node.parent is not None else None
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
    """The steps of the algorithm for one model, prompt set and configuration; each handles many trees."""

    lm: LanguageModel
    prompts: PromptSet
    config: ElicitConfig
    progress: Progress | None

    def grow_roots(self, questions: Sequence[str]) -> list[_Growing]:
        """Trees with their roots: statements, negations and beliefs."""
        trees = [_Growing(question, as_sentence(question)) for question in questions]
        asked = [tree for tree in trees if tree.question.endswith("?")]
        with self.step("statement", 0, asked):
            self.declare(asked)
        with self.step("negation", 0, trees):
            roots = self.negate([_Draft(tree, ROOT, None, tree.statement) for tree in trees])
        for root in roots:
            root.tree.negation = root.negation
        with self.step("belief", 0, trees):
            self.believe(roots)
        return trees

    def grow_children(self, leaves: Sequence[tuple[_Growing, Proposition]], depth: int) -> None:
        """One wave: explanations of both sides, with their negations and beliefs."""
        trees = [tree for tree, _ in leaves]
        with self.step("explanation", depth, trees):
            drafts = [
                _Draft(tree, child_id(parent.id, side, index), parent.id, text)
                for side in (True, False)
                for (tree, parent), texts in zip(leaves, self.explain(leaves, side, depth), strict=True)
                for index, text in enumerate(texts)
            ]
        with self.step("negation", depth, [draft.tree for draft in drafts]):
            negated = self.negate(drafts)
        for draft in negated:
            if draft.parent is not None and not draft.negation:
                side = draft.id[len(draft.parent)] == "T"
                draft.tree.discard(draft.parent, "explanation", draft.statement, NO_NEGATION, side)
        usable = [draft for draft in negated if draft.negation]
        with self.step("belief", depth, [draft.tree for draft in usable]):
            self.believe(usable)

    def step(self, name: str, depth: int, trees: Sequence[_Growing]) -> AbstractContextManager[None]:
        """Report what is done for these trees, one item for each."""
        questions = len({id(tree) for tree in trees})
        return reported(self.progress, name, depth, questions=questions, items=len(trees))

    def declare(self, trees: Sequence[_Growing]) -> None:
        """Turn questions into statements; if a reply is unusable, the question itself is the statement."""
        prompts = [self.prompts.declare(tree.question) for tree in trees]
        for tree, prompt, reply in zip(trees, prompts, self.greedy(trees, prompts), strict=True):
            statement = as_sentence(reply)
            reason = refusal(statement, prompt_parts=(prompt.query, prompt.opening))
            if reason is None:
                tree.statement = statement
            else:
                tree.discard(ROOT, "statement", reply, reason)

    def explain(
        self, parents: Sequence[tuple[_Growing, Proposition]], side: bool, depth: int
    ) -> list[list[str]]:
        """Up to ``width`` explanations of one side for each parent; missing ones are sampled again."""
        width, temperature = self.config.width(depth), self.config.temperature(depth)
        prompts = [self.prompts.explain(parent.statement, side) for _, parent in parents]
        explanations: list[list[str]] = [[] for _ in parents]
        for attempt in range(self.config.tries if temperature > 0 else 1):
            seed = self.config.seed * self.config.tries + attempt
            params = SamplingParams(self.config.max_new_tokens, temperature, self.config.top_p, seed)
            missing = [width - len(texts) for texts in explanations]
            for count in sorted({*missing} - {0}):  # in separate calls: no parent draws more than it needs
                indices = [i for i, number in enumerate(missing) if number == count]
                trees = [parents[i][0] for i in indices]
                texts = self.draw(trees, [prompts[i] for i in indices], count, params)
                for i, replies in zip(indices, texts, strict=True):
                    _add_usable(replies, explanations[i], *parents[i], prompts[i], side)
        return explanations

    def negate(self, drafts: Sequence[_Draft]) -> list[_Draft]:
        """The drafts with their negations; "" if the model's negation is unusable."""
        prompts = [self.prompts.negate(draft.statement) for draft in drafts]
        replies = self.greedy([draft.tree for draft in drafts], prompts)
        negated = []
        for draft, prompt, reply in zip(drafts, prompts, replies, strict=True):
            negation = as_sentence(reply)
            reason = refusal(negation, prompt_parts=(prompt.query, prompt.opening))
            if reason is None and same_text(negation, draft.statement):
                reason = SAME
            if reason is not None:
                draft.tree.discard(draft.id, "negation", reply, reason)
            negated.append(replace(draft, negation="" if reason else negation))
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
        """P(true | text) of each, in [0, 1]; None if the text is empty or the model gives no verdict."""
        beliefs: list[float | None] = [None] * len(texts)
        if not self.config.read_beliefs:
            return beliefs
        stated = [i for i, text in enumerate(texts) if text]
        if self.config.belief == "direct":
            replies = dict.fromkeys(stated, "")
            prompts = {i: self.prompts.direct(texts[i]) for i in stated}
        else:
            trees = [drafts[i].tree for i in stated]
            drawn = self.greedy(trees, [self.prompts.belief(texts[i]) for i in stated])
            replies = dict(zip(stated, drawn, strict=True))
            reasons = {i: _reasoning(reply, self.prompts.marker) for i, reply in replies.items()}
            prompts = {
                i: self.prompts.verdict(texts[i], reason)
                for i, reason in reasons.items()
                if reason is not None
            }
        if prompts:
            scores = choose(self.lm, list(prompts.values()), self.prompts.answers)
            rows = scores.probabilities.tolist()
            for i, (p_true, p_false), usage in zip(prompts, rows, scores.usages, strict=True):
                drafts[i].tree.usage += usage
                beliefs[i] = p_true if p_true + p_false >= MIN_VERDICT_MASS else None
        for i in stated:
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
        replies = sample(self.lm, prompts, n, params)
        for tree, completions in zip(trees, replies, strict=True):
            tree.usage = sum((completion.usage for completion in completions), tree.usage)
        return [[completion.text for completion in completions] for completions in replies]


def _add_usable(
    replies: Sequence[str],
    explanations: list[str],
    tree: _Growing,
    parent: Proposition,
    prompt: Prompt,
    side: bool,
) -> None:
    """Add the usable replies to the explanations, and discard the others."""
    for reply in replies:
        text = as_sentence(reply)
        reason = refusal(text, echoes=[parent.statement], prompt_parts=(prompt.query, prompt.opening)) or (
            DUPLICATE if any(same_text(text, other) for other in explanations) else None
        )
        if reason is None:
            explanations.append(text)
        else:
            tree.discard(parent.id, "explanation", reply, reason, side)


def _reasoning(reply: str, marker: str) -> str | None:
    """The reply before the marker (all of it for an empty marker); None if that is empty or has no marker.

    >>> _reasoning(" Ice is frozen. Therefore, the statement is true.", "Therefore, the statement is")
    'Ice is frozen.'
    """
    before, separator, _ = reply.partition(marker) if marker else (reply, True, "")
    return " ".join(before.split()) or None if separator else None
