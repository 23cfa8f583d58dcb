"""Benchmark data sets, one module each, read as published from a folder or downloaded on request.

>>> loaded = load_items("agora", split="dev")
>>> len(loaded.items), loaded.items[0].text.endswith(".")
(312, True)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maieutic.benchmarks.datasets import agora, com2sense, creak, csqa2, strategyqa
from maieutic.benchmarks.datasets.base import DataSet, Item
from maieutic.benchmarks.datasets.fetch import OnProgress, cache_folder
from maieutic.benchmarks.datasets.fetch import fetch as fetch_file
from maieutic.benchmarks.datasets.file import FILE, SUFFIXES
from maieutic.benchmarks.datasets.rows import find_file, need_file, read_content
from maieutic.benchmarks.datasets.trees import TREES, read_tree_items
from maieutic.errors import InputError
from maieutic.files.json_lines import OnBad

__all__ = ["DATASETS", "ROWS", "SOURCES", "Loaded", "load_items"]

DATASETS: Mapping[str, DataSet] = {
    dataset.name: dataset
    for dataset in (
        agora.AGORA_WORLD,
        csqa2.CSQA2,
        creak.CREAK,
        com2sense.COM2SENSE,
        strategyqa.STRATEGYQA,
        TREES,
        FILE,
    )
}

# Data set → split → number of rows, where known.
ROWS: Mapping[str, Mapping[str, int]] = {
    "agora": agora.ROWS,
    "csqa2": csqa2.ROWS,
    "creak": creak.ROWS,
    "com2sense": com2sense.ROWS,
}

# Data set → official file → SHA-256 of its published content, decompressed.
_CONTENTS: Mapping[str, Mapping[str, str]] = {
    "csqa2": csqa2.CONTENTS,
    "creak": creak.CONTENTS,
    "com2sense": com2sense.CONTENTS,
}

# Data set → where to download its files, if not from its homepage.
SOURCES: Mapping[str, str] = {"strategyqa": strategyqa.SOURCE}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The items of one split and the files they come from.

    Attributes:
        folder: the folder of the files; None for a data set without files.
        files: their paths, in the data set's order.
        sha256: checksum of the files' concatenated contents, decompressed; without files, of the items.
        edited: official names of the files whose contents differ from the published ones.
    """

    items: tuple[Item, ...]
    dataset: str
    split: str
    folder: Path | None
    files: tuple[Path, ...]
    sha256: str
    edited: tuple[str, ...]


def load_items(
    name: str,
    *,
    data: Path | None = None,
    split: str | None = None,
    download: bool = False,
    on_progress: OnProgress | None = None,
    on_bad: OnBad | None = None,
) -> Loaded:
    """Read one split of a data set.

    Args:
        name: a key of :data:`DATASETS`.
        data: the folder of its files (the file itself for ``file`` and ``trees``); None for the cache.
        split: None or "" selects the data set's default.
        download: download missing files to the cache; nothing is ever written to ``data``.
        on_bad: for ``trees``: called with the error of a bad line, which is then left out.
        on_progress: called during downloads.

    Raises:
        InputError: the data set, split, folder or file does not exist. ``subject`` is the argument.
        FileFormatError: a file cannot be read or has an invalid row.
        MaieuticError: a download failed.
    """
    dataset = DATASETS.get(name)
    if dataset is None:
        raise InputError(f"no data set is named {name!r}; give one of {', '.join(DATASETS)}", subject="name")
    split = split or dataset.default_split
    if split not in dataset.splits:
        kind = "split with public answers" if dataset.homepage else "split"
        raise InputError(
            f"{name} has no {kind} {split!r}; give one of {', '.join(dataset.splits)}", subject="split"
        )
    if on_bad is not None and dataset is not TREES:
        raise InputError(
            f"--keep-going works for trees only; omit it, or correct the rows of {name}",
            subject="--keep-going",
        )
    if dataset in (FILE, TREES):
        path = _own_file(dataset, data)
        items = dataset.read(path, split) if on_bad is None else read_tree_items(path, on_bad)
        return _loaded(dataset, split, path.parent, (path,), items)
    if not dataset.splits[split]:
        if data is not None:
            raise InputError(f"{name} is part of maieutic; omit --data {data}", subject="data")
        return _loaded(dataset, split, None, (), dataset.read(Path(), split))
    folder = _user_folder(dataset, split, data) if data else _cached(dataset, split, download, on_progress)
    files = tuple(need_file(folder, file) for file in dataset.splits[split])
    return _loaded(dataset, split, folder, files, dataset.read(folder, split))


def _loaded(
    dataset: DataSet, split: str, folder: Path | None, files: tuple[Path, ...], items: Sequence[Item]
) -> Loaded:
    contents = [read_content(file) for file in files] or [
        repr((item.id, item.text, item.gold, item.pair)).encode() for item in items
    ]
    return Loaded(
        tuple(items),
        dataset.name,
        split,
        folder,
        files,
        hashlib.sha256(b"".join(contents)).hexdigest(),
        _edited(dataset, split, contents),
    )


def _edited(dataset: DataSet, split: str, contents: Sequence[bytes]) -> tuple[str, ...]:
    published = _CONTENTS.get(dataset.name, {})
    return tuple(
        name
        for name, content in zip(dataset.splits[split], contents, strict=False)
        if name in published and hashlib.sha256(content).hexdigest() != published[name]
    )


def _own_file(dataset: DataSet, data: Path | None) -> Path:
    kinds = ".jsonl, .jsonl.gz" if dataset is TREES else ", ".join(SUFFIXES)
    if data is None:
        raise InputError(
            f"{dataset.name} reads a file of your own; give --data FILE ({kinds})", subject="data"
        )
    if data.is_dir():
        raise InputError(f"{data} is a folder; give --data a file ({kinds})", subject="data")
    return data


def _user_folder(dataset: DataSet, split: str, data: Path) -> Path:
    if not data.is_dir():
        problem = "is a file" if data.exists() else "does not exist"
        names = _names(dataset.splits[split])
        raise InputError(f"{data} {problem}; give --data the folder with {names}", subject="data")
    missing = [file for file in dataset.splits[split] if find_file(data, file) is None]
    if missing:
        downloadable = all(file in dataset.remote for file in missing)
        remedy = ", or replace --data with --download" if downloadable else ""
        raise InputError(
            f"{data} has no {_names(missing)}, plain or gzipped, which {dataset.name} {split} needs; "
            f"get {_it(missing)} from {_source(dataset)}{remedy}",
            subject="data",
        )
    return data


def _cached(dataset: DataSet, split: str, download: bool, on_progress: OnProgress | None) -> Path:
    """The cache folder, once it contains the files of the split."""
    folder = cache_folder(dataset.name)
    files = dataset.splits[split]
    unknown = [file for file in files if file not in dataset.remote]
    if unknown:
        raise InputError(
            f"{dataset.name} {split} has no automatic download, since the checksum of {_names(unknown)} is "
            f"unknown; get {_it(unknown)} from {_source(dataset)} and give --data the folder",
            subject="data",
        )
    for file in files:
        if download:
            fetch_file(dataset.remote[file], folder / file, on_progress)
        elif find_file(folder, file) is None:
            size = sum(dataset.remote[each].bytes for each in files)
            raise InputError(
                f"{dataset.name} {split} is not in the cache; add --download ({size / 1e6:.1f} MB), or get "
                f"{_names(files)} from {_source(dataset)} and give --data the folder",
                subject="download",
            )
    return folder


def _source(dataset: DataSet) -> str:
    return SOURCES.get(dataset.name, dataset.homepage)


def _names(files: Sequence[str]) -> str:
    return " and ".join(files)


def _it(files: Sequence[str]) -> str:
    return "it" if len(files) == 1 else "them"
