"""The child process of :mod:`maieutic.lm.gguf`: llama.cpp's server until standard input ends.

Launch:   MAIEUTIC_GGUF_KEY=… python -P gguf_server.py FILE SLOTS WINDOW THREADS
Prints:   its address, once it answers.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

__all__ = ["KEY", "serve"]

KEY = "MAIEUTIC_GGUF_KEY"
ERRORS_ONLY = 1  # of llama.cpp's levels of logging
KEPT_MIB = 1024  # of read prompts, beside those in the slots


def serve(path: Path, slots: int, window: int, threads: int) -> None:
    """Serve a file on a free port of the loopback interface, to holders of the key only.

    Args:
        slots: requests under way at a time, batched token by token.
        window: tokens of each slot.
    """
    import xllamacpp  # noqa: PLC0415 - an extra dependency

    parameters: Any = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.model_alias = {path.name}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0  # any that is free
    parameters.api_keys = [os.environ.pop(KEY)]
    parameters.endpoint_slots = parameters.ui = parameters.warmup = False
    parameters.n_parallel, parameters.n_ctx = slots, slots * window
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.cache_prompt = parameters.cont_batching = True
    parameters.cache_ram_mib = KEPT_MIB
    parameters.use_jinja = True
    parameters.verbosity = ERRORS_ONLY
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)  # noqa: T201 - read by the parent process
    sys.stdin.read()
    os._exit(0)  # at once: the server itself would first answer the requests under way


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent process, which then ends this one
    serve(Path(sys.argv[1]), *map(int, sys.argv[2:]))
