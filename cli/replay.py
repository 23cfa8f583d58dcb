"""``maieutic replay``: inference on trees grown elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maieutic.cli.options import (
    AbstainOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    InferenceOption,
    JsonOption,
    MergeOption,
    NliOption,
    OutOption,
    PrunedOption,
    WeightsOption,
    joint_of,
)

if TYPE_CHECKING:
    from maieutic.errors import FileFormatError

__all__ = ["replay"]


def replay(
    trees: Annotated[Path, typer.Argument(help="Trees, one JSON object a line (.jsonl or .jsonl.gz).")],
    nli: NliOption,
    inference: InferenceOption = "joint",
    weights: WeightsOption = None,
    merge: MergeOption = False,
    pruned: PrunedOption = 0.0,
    abstain_below: AbstainOption = 0.0,
    out: OutOption = None,
    answers: Annotated[
        bool, typer.Option("--answers", help="With --out: also the full answers, for `maieutic show`.")
    ] = False,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference", help="Answers of another implementation to compare with.", show_default=False
        ),
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Name bad lines and use the others.")
    ] = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    json: JsonOption = False,
) -> None:
    """Relate, solve and answer trees grown elsewhere; report accuracy by kind of tree.

    maieutic replay trees.jsonl.gz --nli ./my-nli --out results
    """
    from maieutic.benchmarks.replay import replay as run
    from maieutic.benchmarks.replay_files import RecordFiles, read_references
    from maieutic.cli.replay_report import ReplayReport
    from maieutic.files.json_lines import read_trees
    from maieutic.inference.base import check_abstention, check_inference
    from maieutic.nli import load_verifier

    method = check_inference(inference)
    below, joint = (
        check_abstention(abstain_below, method),
        joint_of(weights, method, merge=merge, pruned=pruned),
    )
    references = read_references(reference) if reference else {}
    grown = list(read_trees(trees, _name_bad_line if keep_going else None))
    with RecordFiles(out, answers=answers) as files:
        verifier = load_verifier(nli, device=device, dtype=dtype, download=download)
        report = ReplayReport(trees, method, verifier.name, references, json=json)
        answered = run(grown, verifier, method, joint=joint, abstain_below=below)
        report.follow(answered, files, total=len(grown))


def _name_bad_line(error: FileFormatError) -> None:
    from maieutic.cli.console import complain

    complain(f"left out: {error}")
