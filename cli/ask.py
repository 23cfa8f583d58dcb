"""``maieutic ask``: judge statements or answer questions with a language model."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maieutic.bundled import AGORA
from maieutic.cli.opening import opened
from maieutic.cli.options import (
    AbstainOption,
    AskNliOption,
    AssumeFalseOption,
    AssumeOption,
    BeliefOption,
    BeliefsOption,
    BudgetOption,
    CacheOption,
    ConfidenceOption,
    DepthOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    ExplainOption,
    FlipOption,
    GrowthOption,
    InferenceOption,
    JsonOption,
    LmOption,
    MemoryOption,
    MergeOption,
    PriorsOption,
    PromptsOption,
    PrunedOption,
    PruneOption,
    SeedOption,
    VerboseOption,
    WeightsOption,
    given,
    weights_from,
)
from maieutic.cli.outputs import (
    DotOption,
    ForceOption,
    GraphmlOption,
    HtmlOption,
    MermaidOption,
    Outputs,
    WcnfOption,
)
from maieutic.config import PROBABILITIES
from maieutic.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from maieutic.inference import Inference

__all__ = ["STDIN", "ask"]

STATEMENT = "STATEMENT..."
STDIN = "-"
SENTENCE = 3  # words, one an argument, that are surely one sentence


def ask(
    statements: Annotated[
        list[str],
        typer.Argument(
            help="Statements or questions; - reads them from standard input, one a line.",
            metavar=STATEMENT,
            show_default=False,
        ),
    ],
    lm: LmOption = AGORA,
    nli: AskNliOption = None,
    prompts: PromptsOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    cache: CacheOption = False,
    beliefs: BeliefsOption = PROBABILITIES,
    inference: InferenceOption = "joint",
    growth: GrowthOption = "anytime",
    confidence: ConfidenceOption = 0.9,
    budget: BudgetOption = 80,
    explain: ExplainOption = None,
    depth: DepthOption = 2,
    belief: BeliefOption = "direct",
    prune: PruneOption = False,
    priors: PriorsOption = True,
    seed: SeedOption = 0,
    weights: WeightsOption = None,
    merge: MergeOption = False,
    pruned: PrunedOption = 0.0,
    assume: AssumeOption = None,
    assume_false: AssumeFalseOption = None,
    abstain_below: AbstainOption = 0.0,
    flip: FlipOption = False,
    memory: MemoryOption = None,
    verbose: VerboseOption = False,
    json: JsonOption = False,
    html: HtmlOption = None,
    dot: DotOption = None,
    mermaid: MermaidOption = None,
    graphml: GraphmlOption = None,
    wcnf: WcnfOption = None,
    force: ForceOption = False,
) -> None:
    """Judge statements or answer yes/no questions, and say why.

    maieutic ask "Can a penguin fly?"
    """
    from maieutic.cli.console import (
        LiveSteps,
        print_answers,
        tracked,
        with_flips,
    )
    from maieutic.config import ElicitConfig, check_belief
    from maieutic.inference import build_inference
    from maieutic.inference.assumptions import assumptions_of

    # Mistakes are reported before models load, which takes seconds.
    _check_quotes(statements)
    facts = assumptions_of(assume or (), assume_false or ())
    settings = given(weights=weights_from(weights), merge=merge, pruned=pruned, assumptions=facts)
    method = build_inference(inference, settings | given(abstain_below=abstain_below))
    _check_inference(method, flip=flip, wcnf=wcnf)
    questions = _Questions(statements)
    settings_of_growth: dict[str, Any] = {"growth": growth, "confidence": confidence, "budget": budget}
    settings_of_growth |= {"depth": depth, "prune": prune, "priors": priors, "seed": seed}
    settings_of_growth["explain"] = questions.typed and not json if explain is None else explain
    config = ElicitConfig(belief=check_belief(belief), **settings_of_growth)
    outputs = Outputs(html, dot, mermaid, graphml, wcnf, force)
    outputs.check("give one statement, as an argument", several=questions.total != 1)
    steps = LiveSteps()
    maieutic = opened(
        lm,
        nli,
        beliefs=beliefs,
        cache=cache,
        memory=memory,
        prompts=prompts,
        elicit=config,
        inference=method,
        progress=steps,
        device=device,
        dtype=dtype,
        download=download,
    )
    answers = maieutic.ask_many(questions, batch_size=questions.batch_size)
    answers = with_flips(answers) if flip else answers
    answers = tracked(answers, "reasoning", questions.total, printing=True, steps=steps)
    with outputs:
        print_answers(outputs.collect(answers), json=json, verbose=verbose)


def _check_quotes(statements: Sequence[str]) -> None:
    """Refuse the words of one sentence as so many statements."""
    *words, last = statements
    single = not any(len(one.split()) != 1 or one == STDIN for one in statements)
    if single and len(statements) >= SENTENCE and not any(word.endswith((".", "?", "!")) for word in words):
        sentence = " ".join([*words, last])
        raise InputError(f'put a sentence into quotes: maieutic ask "{sentence}"', subject=STATEMENT)


def _check_inference(inference: Inference, *, flip: bool, wcnf: Path | None) -> None:
    """Refuse outputs that the inference cannot give."""
    from maieutic.inference import Argue, Joint

    if flip and not isinstance(inference, Joint):
        raise InputError(
            f"{inference.name} inference has no --flip; use joint, or leave it out", subject="--flip"
        )
    if wcnf is not None and isinstance(inference, Argue):
        raise InputError(
            "argue inference solves no MaxSAT problem; leave out --wcnf, or use joint or vote",
            subject="--wcnf",
        )


@dataclass(frozen=True)
class _Questions:
    """The statements of the command line; ``-`` stands for the lines of standard input.

    Raises:
        InputError: standard input is to be read but closed.
    """

    arguments: Sequence[str]

    def __post_init__(self) -> None:
        if STDIN in self.arguments and sys.stdin is None:
            raise InputError(
                "standard input is closed; pipe statements into it, or give them as arguments", subject=STDIN
            )

    @property
    def total(self) -> int | None:
        """How many there are; None if standard input is read."""
        return None if STDIN in self.arguments else len(self.arguments)

    @property
    def typed(self) -> bool:
        """Whether a person asks one question: as an argument, at a terminal."""
        return self.total == 1 and sys.stdin is not None and sys.stdin.isatty()

    @property
    def batch_size(self) -> int:
        """How many are answered together: 1 where a person types them."""
        from maieutic.pipeline import BATCH_SIZE

        return 1 if STDIN in self.arguments and sys.stdin.isatty() else BATCH_SIZE

    def __iter__(self) -> Iterator[str]:
        """Each in turn."""
        for argument in self.arguments:
            yield from _lines() if argument == STDIN else (argument,)


def _lines() -> Iterator[str]:
    """The lines of standard input that are not blank."""
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise FileFormatError("standard input", number, "not UTF-8; convert it") from None
        if text.strip():
            yield text
