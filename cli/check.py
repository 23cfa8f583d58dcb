"""``maieutic check``: whether the statements of a text hang together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maieutic.bundled import AGORA
from maieutic.cli.ask import STDIN
from maieutic.cli.opening import opened
from maieutic.cli.options import (
    AskNliOption,
    BeliefsOption,
    BudgetOption,
    CacheOption,
    ConfidenceOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    JsonOption,
    LmOption,
    MemoryOption,
    PriorsOption,
    PromptsOption,
    SeedOption,
    WeightsOption,
    weights_from,
)
from maieutic.cli.outputs import ForceOption, file_option, try_output, write_output
from maieutic.config import PROBABILITIES
from maieutic.errors import InputError

if TYPE_CHECKING:
    from maieutic.inference import Joint
    from maieutic.problem.checking import Check, Statements
    from maieutic.problem.ties import TieConfig

__all__ = ["check"]

NO_LM = "none"  # as the language model's name: the verifier alone
CONFLICT = 3  # exit code where a conflict stands
DATA = "What to check against"


def check(
    file: Annotated[Path, typer.Argument(help="Statements, one a line, or a text; - reads standard input.")],
    facts: Annotated[
        Path | None, file_option("--facts", "Statements that are certainly true, one a line.", DATA)
    ] = None,
    documents: Annotated[
        Path | None,
        file_option("--documents", "A text whose sentences are premises and are not judged.", DATA),
    ] = None,
    grow: Annotated[
        bool, typer.Option("--grow", help="Reason about the statements of which the model is unsure.")
    ] = False,
    lm: LmOption = AGORA,
    nli: AskNliOption = None,
    prompts: PromptsOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    cache: CacheOption = False,
    beliefs: BeliefsOption = PROBABILITIES,
    confidence: ConfidenceOption = 0.9,
    budget: BudgetOption = 80,
    pairs: Annotated[
        int, typer.Option("--pairs", help="Most pairs of statements that the verifier compares.", min=0)
    ] = 20_000,
    priors: PriorsOption = True,
    seed: SeedOption = 0,
    weights: WeightsOption = None,
    memory: MemoryOption = None,
    json: JsonOption = False,
    html: Annotated[Path | None, file_option("--html", "Write the text with its statements marked.")] = None,
    force: ForceOption = False,
) -> None:
    """Find out whether statements hang together, which conflict, and which to give up.

    The exit code is 3 where a conflict stands. --lm none goes by the verifier alone.

    maieutic check answer.txt --facts known.txt
    """
    from rich.console import Console

    from maieutic.cli.console import complain
    from maieutic.config import ElicitConfig
    from maieutic.files.json_text import dump_json
    from maieutic.inference import Joint
    from maieutic.lm.beliefs import parse_belief_source
    from maieutic.problem.ties import TieConfig
    from maieutic.render.check import check_data, check_page, show_check

    given = _given(file, facts, documents)
    if grow and lm == NO_LM:
        raise InputError("--grow needs a language model; leave out --lm none", subject="--grow")
    if memory is not None and lm == NO_LM:
        raise InputError("--memory needs a language model; leave out --lm none", subject="--memory")
    parse_belief_source(beliefs)
    if html is not None:
        try_output("--html", html, force=force, reads=[path for path in (file, facts, documents) if path])
    depth = 2 if grow else 0
    config = ElicitConfig(confidence=confidence, budget=budget, depth=depth, priors=priors, seed=seed)
    joint, ties = Joint(weights_from(weights)), TieConfig(budget=pairs)
    opening: dict[str, Any] = {"device": device, "dtype": dtype, "download": download}
    if lm == NO_LM:
        checked = _by_verifier(given, nli or AGORA, joint, ties, cache, opening)
    else:
        options = opening | {"prompts": prompts, "elicit": config, "inference": joint}
        maieutic = opened(lm, nli, beliefs=beliefs, cache=cache, memory=memory, **options)
        checked = maieutic.check(given, ties=ties)
    if html is not None:
        write_output(html, check_page(checked).encode(), force=force)
        complain(f"wrote {html}")
    if json:
        typer.echo(dump_json(check_data(checked)))
    else:
        show_check(checked, Console())
    if not checked.hangs_together:
        raise typer.Exit(CONFLICT)


def _by_verifier(
    given: Statements, nli: str, joint: Joint, ties: TieConfig, cache: bool, opening: dict[str, Any]
) -> Check:
    from maieutic.cli.console import response_cache
    from maieutic.models import open_verifier
    from maieutic.problem.asking import check_alone

    store = response_cache() if cache else None
    return check_alone(given, open_verifier(nli, cache=store, **opening), joint, ties)


def _given(file: Path, facts: Path | None, documents: Path | None) -> Statements:
    from maieutic.problem.checking import statements_of
    from maieutic.problem.texts import claims_in

    text = _read(file)
    known = [line.strip() for line in _read(facts).splitlines() if line.strip()] if facts else []
    sources = [passage.text for passage in claims_in(_read(documents)).claims] if documents else []
    return statements_of(claims_in(text), facts=known, documents=sources, text=text)


def _read(path: Path) -> str:
    """The text of a file, or of standard input for "-".

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        if str(path) == STDIN:
            if sys.stdin is None:
                raise InputError("standard input is closed; name a file", subject=STDIN)
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; convert it", subject=str(path)) from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); check the path", subject=str(path)
        ) from None
