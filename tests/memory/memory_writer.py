"""A process that asks in a memory until it is killed: FILE NAME QUESTIONS. Not a test itself.

After each question its number is printed. A notice ends the process.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from maieutic.config import ElicitConfig
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.memory import database
from maieutic.memory.base import Memory
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic


def main(path: Path, name: str, questions: int) -> None:
    database.SYNCHRONOUS = "OFF"  # a kill loses nothing that was written; a power cut might
    lm = ScriptedLanguageModel(lambda *_: "", lambda _, option: 0.7 if "true" in option.lower() else 0.3)
    verifier = ScriptedVerifier(lambda *_: "entailment")
    memory = Memory(path, on_notice=sys.exit)
    elicit = ElicitConfig(depth=0, priors=False)
    maieutic = Maieutic(lm, verifier, elicit=elicit, memory=memory)
    for number in range(questions) if questions else count():
        maieutic.ask(f"Thing {name}{number} is heavy.")
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
