"""Serves a GGUF file with llama.cpp's own server until standard input ends; prints its address first."""

from __future__ import annotations

import sys


def main(path: str, window: int) -> None:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.port = 0  # any that is free
    parameters.n_parallel = 2
    parameters.n_ctx = 2 * window  # of both together
    parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    # Its faster attention rounds to 16 bits: probabilities then differ by up to 2e-4.
    parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.warmup = False
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)  # noqa: T201 - read by the test
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
