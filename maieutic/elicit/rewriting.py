"""Negations, and statements of questions: candidates by rule, of which the model chooses by probability.

Free generation changes words: of "Is a whale a fish?" a small model makes "A whale shark is a fish." So rules
make the candidates (:mod:`maieutic.sentences`). The likeliest negation is taken where the verifier confirms
that it contradicts the statement; else the model chooses, with one ``choose`` and nothing generated. A
generated text is taken where the rules find no verb, if it keeps the words. ``rewriting="model"`` generates,
as in the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from maieutic.config import ElicitConfig
from maieutic.elicit.drawing import greedy
from maieutic.elicit.state import Draft, Growing
from maieutic.lm.base import LanguageModel, Prompt
from maieutic.lm.calls import choose
from maieutic.nli.base import CONTRADICTION, Pair, Probabilities
from maieutic.prompts import PromptSet
from maieutic.sentences import check_yes_no, keeps_words, negations, statements
from maieutic.sentences.negation import LAST_RESORT
from maieutic.text import CHANGED, SAME, as_sentence, refusal, same_text
from maieutic.tree import ROOT
from maieutic.usage import Usage

__all__ = ["Rewriter"]

MOST_CHOICES = 3  # that the model chooses among: it reads every one of them


@dataclass(frozen=True, slots=True)
class Rewriter:
    """Rewrites statements and questions for one model, prompt set and configuration.

    Attributes:
        score_pairs: P(contradiction), P(neutral), P(entailment) of pairs; None for no verifier.
    """

    lm: LanguageModel
    prompts: PromptSet
    config: ElicitConfig
    score_pairs: Callable[[Sequence[Pair]], Probabilities] | None = None

    @property
    def by_rule(self) -> bool:
        """Whether candidates come from rules."""
        return self.config.rewriting == "rules"

    def is_question(self, text: str) -> bool:
        """Whether a text has to be turned into a statement."""
        return text.endswith("?") or (self.by_rule and not same_text(statements(text)[0], text))

    def declare(self, trees: Sequence[Growing]) -> None:
        """Turn questions into statements; if none is usable, the question itself is the statement.

        Raises:
            InputError: by rule, a question has no answer yes or no.
        """
        prompts = [self.prompts.declare(tree.question) for tree in trees]
        if self.by_rule:
            for tree in trees:
                check_yes_no(tree.question)
            candidates = [statements(tree.question)[:MOST_CHOICES] for tree in trees]
            chosen = self._chosen(trees, prompts, candidates)
            for tree, statement in zip(trees, chosen, strict=True):
                tree.statement = statement
            return
        replies = greedy(self.lm, trees, prompts, self.config)
        for tree, prompt, reply in zip(trees, prompts, replies, strict=True):
            statement = as_sentence(reply)
            reason = refusal(statement, prompt_parts=(prompt.query, prompt.opening))
            if reason is None:
                tree.statement = statement
            else:
                tree.discard(ROOT, "statement", reply, reason)

    def negate(self, drafts: Sequence[Draft]) -> list[Draft]:
        """The drafts with their negations; "" if the model's negation is unusable (never by rule)."""
        prompts = [self.prompts.negate(draft.statement) for draft in drafts]
        trees = [draft.tree for draft in drafts]
        if not self.by_rule:
            return self._negated(drafts, prompts)
        candidates = [negations(draft.statement) for draft in drafts]
        verbless = [place for place, texts in enumerate(candidates) if _last_resort_only(texts)]
        if verbless:
            some = self._negated([drafts[p] for p in verbless], [prompts[p] for p in verbless])
            for place, draft in zip(verbless, some, strict=True):
                if draft.negation:
                    candidates[place] = (draft.negation,)
        confirmed = self._confirmed(drafts, candidates)
        chosen = self._chosen(trees, prompts, confirmed)
        return [replace(draft, negation=text) for draft, text in zip(drafts, chosen, strict=True)]

    def _confirmed(
        self, drafts: Sequence[Draft], candidates: Sequence[tuple[str, ...]]
    ) -> list[tuple[str, ...]]:
        """What is left to choose among: the likeliest candidate where the verifier confirms it.

        Else those that it says contradict the statement; where it says so of none, the likeliest few. The
        last resort is left out where there are others. Of a single candidate nothing is asked.
        """
        likely = [tuple(t for t in texts if not t.startswith(LAST_RESORT)) or texts for texts in candidates]
        pairs: list[Pair] = []
        for draft, texts in zip(drafts, likely, strict=True):
            if len(texts) > 1 and self.score_pairs is not None:
                pairs += [(draft.statement, text) for text in texts]
                draft.tree.usage += Usage(pairs=len(texts))
        if self.score_pairs is None or not pairs:
            return [texts[:MOST_CHOICES] for texts in likely]
        kinds = self.score_pairs(pairs).argmax(axis=1)
        opposed = {pair for pair, kind in zip(pairs, kinds.tolist(), strict=True) if kind == CONTRADICTION}
        kept = []
        for draft, texts in zip(drafts, likely, strict=True):
            agreed = tuple(text for text in texts if (draft.statement, text) in opposed)
            kept.append(texts[:1] if texts[0] in agreed else (agreed or texts)[:MOST_CHOICES])
        return kept

    def _chosen(
        self, trees: Sequence[Growing], prompts: Sequence[Prompt], candidates: Sequence[tuple[str, ...]]
    ) -> list[str]:
        """The likeliest candidate of each prompt as a reply; a single candidate costs nothing."""
        blank = " " if self.prompts.format == "text" else ""
        chosen = []
        for tree, prompt, texts in zip(trees, prompts, candidates, strict=True):
            place = 0
            if len(texts) > 1:
                scores = choose(self.lm, [prompt], [blank + text for text in texts])
                tree.usage += scores.usages[0]
                place = int(np.argmax(scores.probabilities[0]))
            chosen.append(texts[place])
        return chosen

    def _negated(self, drafts: Sequence[Draft], prompts: Sequence[Prompt]) -> list[Draft]:
        """The drafts with generated negations; "" where one is unusable."""
        negated = []
        replies = greedy(self.lm, [draft.tree for draft in drafts], prompts, self.config)
        for draft, prompt, reply in zip(drafts, prompts, replies, strict=True):
            negation = as_sentence(reply)
            reason = refusal(negation, prompt_parts=(prompt.query, prompt.opening))
            if reason is None and same_text(negation, draft.statement):
                reason = SAME
            if reason is None and self.by_rule and not keeps_words(negation, draft.statement):
                reason = CHANGED
            if reason is not None:
                draft.tree.discard(draft.id, "negation", reply, reason)
            negated.append(replace(draft, negation="" if reason else negation))
        return negated


def _last_resort_only(texts: Sequence[str]) -> bool:
    return len(texts) == 1 and texts[0].startswith(LAST_RESORT)
