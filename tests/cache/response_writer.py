"""A process that keeps answers until it is killed: FILE NAME BATCHES. Not a test itself.

Batch k of a name has SIZE answers; once they are kept, k is printed. A notice ends it.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from maieutic.cache.store import KnownModel, ResponseStore, digest

SIZE = 20


def batch(name: str, number: int) -> dict[bytes, bytes]:
    """The answers of one batch: every second key is common to all names."""
    owners = (name if place % 2 else "all" for place in range(SIZE))
    return {
        digest(owner, number, place): f"{owner} {number} {place} ".encode() * 20
        for place, owner in enumerate(owners)
    }


def main(path: Path, name: str, batches: int) -> None:
    store = ResponseStore(path, on_notice=sys.exit)  # it is to have nothing to say
    for number in range(batches) if batches else count():
        store.put(KnownModel(name, name), batch(name, number))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
