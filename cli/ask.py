"""``maieutic ask``: judge statements or answer questions with a language model."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from maieutic.cli.options import (
    DeviceOption,
    DownloadOption,
    DtypeOption,
    InferenceOption,
    JsonOption,
)
from maieutic.errors import InputError

__all__ = ["ask"]

STDIN = "-"


def ask(
    statements: Annotated[
        list[str],
        typer.Argument(
            help="Statements or questions; - reads them from standard input, one a line.",
            metavar="STATEMENT...",
            show_default=False,
        ),
    ],
    lm: Annotated[str, typer.Option("--lm", help="Language model: folder or hub id.", show_default=False)],
    nli: Annotated[
        str,
        typer.Option(
            "--nli",
            help="Verifier: folder or hub id of an NLI model, or 'lm' to ask the language model.",
            show_default=False,
        ),
    ],
    inference: InferenceOption = "joint",
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
    json: JsonOption = False,
) -> None:
    """Judge statements, or answer yes/no questions, with the tree of reasons.

    maieutic ask "Can a penguin fly?" --lm ./my-model --nli ./my-nli
    """
    from maieutic.cli.console import print_answers, tracked
    from maieutic.config import ElicitConfig, check_belief
    from maieutic.infer import check_inference
    from maieutic.pipeline import BATCH_SIZE, Maieutic, load_models

    method = check_inference(inference)  # mistakes are told before models load, which takes seconds
    config = ElicitConfig(depth=depth, belief=check_belief(belief), seed=seed)
    models = load_models(lm, nli, prompts=prompts, device=device, dtype=dtype, download=download)
    maieutic = Maieutic(models.lm, models.verifier, prompts=models.prompts, elicit=config, inference=method)
    if STDIN in statements and sys.stdin is None:
        raise InputError("standard input is closed; pipe statements into it, or give them as arguments")
    typed = STDIN in statements and sys.stdin.isatty()  # someone waits for an answer to each line
    answers = maieutic.ask_many(_statements(statements), batch_size=1 if typed else BATCH_SIZE)
    total = None if STDIN in statements else len(statements)
    print_answers(tracked(answers, "reasoning", total, printing=True), json=json)


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
