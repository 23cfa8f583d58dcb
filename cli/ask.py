"""``maieutic ask``: judge statements or answer questions with a language model."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import typer

from maieutic.bundled import AGORA
from maieutic.cli.options import (
    AbstainOption,
    CacheOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    FlipOption,
    InferenceOption,
    JsonOption,
    MergeOption,
    PrunedOption,
    WeightsOption,
    given,
    weights_from,
)
from maieutic.cli.outputs import DotOption, GraphmlOption, HtmlOption, MermaidOption, Outputs, WcnfOption
from maieutic.errors import InputError

__all__ = ["ask"]

AssumeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assume", help="A statement to take for true; give it again for more.", show_default=False
    ),
]
AssumeFalseOption = Annotated[
    list[str] | None,
    typer.Option("--assume-false", help="A statement to take for false, likewise.", show_default=False),
]
STDIN = "-"
BUNDLED_NOTICE = (
    "Asking agora, the small bundled model, which knows some 900 everyday things. For a real one: "
    "--lm Qwen/Qwen3-1.7B --nli cross-encoder/nli-deberta-v3-small --download (see maieutic models)"
)


def ask(
    statements: Annotated[
        list[str],
        typer.Argument(
            help="Statements or questions; - reads them from standard input, one a line.",
            metavar="STATEMENT...",
            show_default=False,
        ),
    ],
    lm: Annotated[
        str,
        typer.Option(
            "--lm",
            help="Language model: folder, hub id, agora (the bundled one), or a server's model: "
            "http://host:port/v1#model.",
        ),
    ] = AGORA,
    nli: Annotated[
        str | None,
        typer.Option(
            "--nli",
            help="Verifier: folder or hub id of an NLI model, agora, or 'lm' to ask the language model. "
            "With another --lm than agora it must be given.",
            show_default=AGORA,
        ),
    ] = None,
    inference: InferenceOption = "joint",
    weights: WeightsOption = None,
    merge: MergeOption = False,
    pruned: PrunedOption = 0.0,
    assume: AssumeOption = None,
    assume_false: AssumeFalseOption = None,
    abstain_below: AbstainOption = 0.0,
    prompts: Annotated[
        str, typer.Option("--prompts", help="paper, chat, a TOML file, or auto: what suits the model.")
    ] = "auto",
    depth: Annotated[int, typer.Option("--depth", help="Waves of explanations.", min=0)] = 2,
    belief: Annotated[
        str, typer.Option("--belief", help="How beliefs are read: explained (as published) or direct.")
    ] = "explained",
    seed: Annotated[int, typer.Option("--seed", help="Seed of all sampling.", min=0)] = 0,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    flip: FlipOption = False,
    cache: CacheOption = False,
    json: JsonOption = False,
    html: HtmlOption = None,
    dot: DotOption = None,
    mermaid: MermaidOption = None,
    graphml: GraphmlOption = None,
    wcnf: WcnfOption = None,
) -> None:
    """Judge statements, or answer yes/no questions, with the tree of reasons.

    maieutic ask "Can a penguin fly?"
    """
    from maieutic.cli.console import complain, print_answers, response_cache, tracked, with_flips
    from maieutic.config import ElicitConfig, check_belief
    from maieutic.inference import Joint, build_inference
    from maieutic.inference.assumptions import assumptions_of
    from maieutic.lm.server.address import is_server, server_address
    from maieutic.pipeline import BATCH_SIZE, Maieutic

    # Mistakes are reported before models load, which takes seconds.
    facts = assumptions_of(assume or (), assume_false or ())
    settings = given(weights=weights_from(weights), merge=merge, pruned=pruned, assumptions=facts)
    chosen = build_inference(inference, settings | given(abstain_below=abstain_below))
    if flip and not isinstance(chosen, Joint):
        raise InputError(f"{inference} inference has no --flip; use joint, or leave it out", subject="--flip")
    config = ElicitConfig(depth=depth, belief=check_belief(belief), seed=seed)
    if is_server(lm):
        server_address(lm)  # before the name is shown, since it may hold a secret
    verifier = _verifier(lm, nli)
    outputs = Outputs(html, dot, mermaid, graphml, wcnf)
    outputs.check("give one statement, as an argument", several=len(statements) > 1 or STDIN in statements)
    if lm == AGORA:
        complain(BUNDLED_NOTICE)
    maieutic = Maieutic.load(
        lm,
        verifier,
        prompts=prompts,
        elicit=config,
        inference=chosen,
        cache=response_cache() if cache else None,
        device=device,
        dtype=dtype,
        download=download,
    )
    if STDIN in statements and sys.stdin is None:
        raise InputError("standard input is closed; pipe statements into it, or give them as arguments")
    typed = STDIN in statements and sys.stdin.isatty()  # someone waits for an answer to each line
    asked = _statements(statements)
    if lm == AGORA:
        asked = _known(asked)
        list(_known(fact.statement for fact in facts))
    answers = maieutic.ask_many(asked, batch_size=1 if typed else BATCH_SIZE)
    if flip:
        answers = with_flips(answers)
    total = None if STDIN in statements else len(statements)
    with outputs:
        print_answers(outputs.collect(tracked(answers, "reasoning", total, printing=True)), json=json)


def _statements(arguments: Sequence[str]) -> Iterator[str]:
    for argument in arguments:
        if argument != STDIN:
            yield argument
            continue
        for number, line in enumerate(sys.stdin.buffer, start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise InputError(f"standard input, line {number}: not UTF-8; convert it") from None
            if text.strip():
                yield text


def _verifier(lm: str, nli: str | None) -> str:
    if nli is None and lm != AGORA:
        raise InputError(
            f"--lm {lm} needs a verifier: give --nli an NLI model, or --nli lm to ask the model itself"
        )
    return nli or AGORA


def _known(statements: Iterable[str]) -> Iterator[str]:
    """The statements; each one's words that the bundled model has never met are named on stderr."""
    from maieutic.bundled import unknown_words
    from maieutic.cli.console import complain

    for text in statements:
        if unknown := unknown_words([text]):
            named = ", ".join(f'"{word}"' for word in unknown)
            complain(f"warning: agora has never met {named}; its answer to this means nothing: {text}")
        yield text
