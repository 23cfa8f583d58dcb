"""Makes a run of many records, then compares and reports it in a process of its own: time and most memory.

Launch:   python -m maieutic.benchmarks.scaling.records RUN [--records 1000000]
Data:     a run, whose records are repeated under new ids.
Cost:     a few minutes and some gigabytes of disk for a million records.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.runs.folder import CONFIG, RECORDS

__all__ = ["app"]

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def records(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    number: Annotated[int, typer.Option("--records", help="Records of the large run.", min=1)] = 1_000_000,
    scratch: Annotated[Path | None, typer.Option(help="Where to make it.", show_default="temporary")] = None,
) -> None:
    """Print the seconds and the most memory of compare and report."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = Path(name) / "run"
        folder.mkdir()
        (folder / CONFIG).write_bytes((run / CONFIG).read_bytes())
        size = _repeat(run / RECORDS, folder / RECORDS, number)
        typer.echo(f"{number:,} records, {size / 2**30:.2f} GiB")
        report = ("report", str(folder), "--out", str(Path(name) / "report.html"))
        for arguments in (("compare", str(folder)), report):
            seconds, processor, memory = _measured(arguments)
            typer.echo(
                f"{arguments[0]}: {seconds:.0f} s, of which {processor:.0f} s of a processor; "
                f"{memory / 2**30:.2f} GiB at most"
            )


def _repeat(source: Path, target: Path, number: int) -> int:
    """Write records again and again, each with an id of its own; the size of the file in bytes."""
    lines = source.read_bytes().splitlines()
    with target.open("wb") as file:
        for place, line in enumerate(islice(cycle(lines), number)):
            _, _, rest = line.partition(b'","text":')
            file.write(b'{"id":' + json.dumps(f"question {place}").encode() + b',"text":' + rest + b"\n")
    return target.stat().st_size


def _measured(arguments: tuple[str, ...]) -> tuple[float, float, float]:
    """Seconds, seconds of a processor, and the most memory in bytes, of ``maieutic bench …``."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "maieutic.cli.main", "bench", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise typer.Exit(process.returncode)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


if __name__ == "__main__":
    run_app(app)
