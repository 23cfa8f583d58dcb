"""Repairs the bodies of replies: compression that was not requested, text that is not valid Unicode."""

from __future__ import annotations

import json
import re
import zlib

from maieutic.text import well_formed

__all__ = ["decompressed", "valid_unicode"]

_GZIP, _ANY_HEADER = b"\x1f\x8b", 47  # zlib's window bits for gzip and zlib headers
_ZLIB = re.compile(rb"x[\x01\x5e\x9c\xda]")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def decompressed(body: bytes, limit: int) -> bytes:
    """The body without gzip or zlib compression, which some proxies apply to every reply.

    Args:
        limit: maximum number of bytes after decompression.

    Raises:
        ValueError: the compressed data is damaged, truncated or too large.
    """
    if not (body.startswith(_GZIP) or _ZLIB.match(body)):
        return body
    stream = zlib.decompressobj(_ANY_HEADER)
    try:
        content = stream.decompress(body, limit)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not stream.eof:
        raise ValueError("it is truncated" if len(content) < limit else f"it has more than {limit} bytes")
    return content


def valid_unicode(body: bytes) -> bytes:
    """The body with question marks for lone surrogates, and replacement characters for bytes beyond UTF-8.

    A server that cuts a text between the two halves of a character sends such escapes or bytes.
    """
    text = body.decode("utf-8", "replace")
    if not _SURROGATE.search(body):
        return text.encode()
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):  # reported by the parser that expects valid JSON
        return body
    return well_formed(json.dumps(content, ensure_ascii=False)).encode()
