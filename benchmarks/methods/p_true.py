"""P(True): the model judges an answer of its own (Kadavath et al. 2022, arXiv 2207.05221, section 4).

The published prompt shows the question, some sampled answers to it, and one proposed answer, and asks whether
the proposed answer is true. P(True) is the probability of that.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks.methods.base import Outcome, Said, charged
from maieutic.benchmarks.methods.chain_of_thought import ChainOfThought, verdict_on
from maieutic.benchmarks.methods.chains import Chain, by_place, draw_chains, reading_usage, said_in
from maieutic.benchmarks.methods.direct import NO_READING, Reading, read
from maieutic.benchmarks.methods.sampling import Sampled
from maieutic.lm.base import Prompt
from maieutic.models import LoadedModels
from maieutic.prompts import PromptSet
from maieutic.text import as_question

__all__ = ["SELF_EVALUATION", "PTrue", "self_evaluation"]

SELF_EVALUATION = "self-evaluation"  # the kind of its own prompt
INSTRUCTION = (
    "You see a statement, thoughts about it, and an answer that was given. Decide whether the answer given "
    "is true or false. Reply with one word: true or false."
)


def self_evaluation(prompts: PromptSet, text: str, thoughts: Sequence[Chain], answer: Said) -> Prompt:
    """Asks whether an answer is true, after other answers; the options are those of the prompt set.

    A set without examples is for a model that was trained on its forms and knows no other. Its verdict prompt
    is asked about the statement, after all thoughts.
    """
    if not prompts.forms["verdict"].shots:
        reasons = [chain.reason for chain in thoughts] + [answer.text]
        return verdict_on(prompts, text, " ".join(filter(None, reasons)))
    lines = [f"Statement: {text}", "Thoughts:"]
    lines += [f"- {_answered(chain.reason, chain.vote)}" for chain in thoughts]
    lines += [f"Answer given: {_answered(answer.text, answer.vote)}", "Is the answer given true or false?"]
    opening = "" if prompts.format == "chat" else "The answer given is"
    return Prompt(prompts.format, INSTRUCTION, (), "\n".join(lines), opening)


def _answered(reason: str, vote: bool | None) -> str:
    verdict = "" if vote is None else f"The statement is {str(vote).lower()}."
    return " ".join(filter(None, [reason, verdict])) or "Nothing."


@dataclass(frozen=True)
class PTrue(Sampled):
    """Judges its own greedy answer after seeing sampled ones.

    The answer is that of the greedy chain of thought, and stays. P(True) is the share of "true" in the
    probabilities of the two options after :func:`self_evaluation`; it is the confidence in the answer, in
    [0, 1], and below one half where the model would take its answer back. P(true), of the statement, is
    therefore P(True) for the answer true and 1 − P(True) for the answer false. There is no answer where true
    and false together have less than half of the probability. The prompt is without examples, where the
    paper's has up to 20. The details are ``p_answer``, the greedy chain's own P(true), and ``mass``.

    Attributes:
        samples: chains that are shown, ≥ 1; the paper's number is 5.
        temperature: of their sampling, ≥ 0.
        top_p: nucleus of their sampling, in (0, 1].
        max_new_tokens: token limit of a chain, ≥ 1, the greedy one included.
        seed: of their sampling.
    """

    samples: int = 5

    @property
    def prompt_kinds(self) -> tuple[str, ...]:
        return ("belief", "verdict", SELF_EVALUATION)

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
            ContextLengthError: the samples do not fit the model's window.
        """
        start = time.perf_counter()
        questions = [as_question(text) for text in texts]
        proposals = ChainOfThought(self.max_new_tokens).run(texts, models)
        drawn = by_place(draw_chains(questions, models, self.samples, self.params), len(questions))
        requests = [
            self_evaluation(models.prompts, text, chains, proposal.said[0])
            for text, chains, proposal in zip(questions, drawn, proposals, strict=True)
        ]
        readings = read(models.lm, models.prompts, requests)
        asked_alike = not models.prompts.forms["verdict"].shots
        outcomes = [
            replace(
                _evaluated(proposal, reading, of_statement=asked_alike),
                said=(*proposal.said, *map(said_in, chains)),
            )
            for proposal, reading, chains in zip(proposals, readings, drawn, strict=True)
        ]
        usages = [
            sum((chain.drawn for chain in chains), proposal.usage + reading.usage + reading_usage(chains))
            for proposal, reading, chains in zip(proposals, readings, drawn, strict=True)
        ]
        return charged(outcomes, usages, time.perf_counter() - start)


def _evaluated(proposal: Outcome, reading: Reading, *, of_statement: bool) -> Outcome:
    """The proposed answer with P(True) as the confidence in it.

    Args:
        of_statement: whether the reading is of the statement, not of the answer.
    """
    if proposal.answer is None or reading.p_true is None:
        return Outcome(None, problem=NO_READING, details={"mass": reading.mass})
    flipped = not of_statement and not proposal.answer
    p_true = 1.0 - reading.p_true if flipped else reading.p_true
    details = {"p_answer": proposal.p_true or 0.0, "mass": reading.mass}
    return Outcome(proposal.answer, p_true, details=details)
