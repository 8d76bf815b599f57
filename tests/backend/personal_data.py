"""Searches bytes for a person's data in any encoding."""

import base64
import json
import quopri
import urllib.parse
from collections.abc import Iterator, Mapping


def spellings(text: str) -> Iterator[bytes]:
    """How a text can stand in files, databases, addresses and protocols; base64 wherever it begins in a longer one."""
    for variant in dict.fromkeys((text, text.lower(), text.upper(), text.casefold())):
        raw = variant.encode()
        yield raw
        yield variant.encode("utf-16-le")
        yield json.dumps(variant)[1:-1].encode()
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        yield urllib.parse.quote(variant, safe="").encode()
        yield urllib.parse.quote_plus(variant).encode()
        yield quopri.encodestring(raw).rstrip(b"=\n")
        yield from _in_base64(raw)


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """The digits that depend on nothing but `raw`, for each of the three places a text can begin at."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw + b"\0" * (-(before + len(raw)) % 3))
        whole = (before + len(raw)) * 8 // 6  # digits that are full of it, and the first ones are not
        digits = encoded[(before * 8 + 5) // 6 : whole]
        yield digits
        yield digits.replace(b"+", b"-").replace(b"/", b"_")


def found_in(content: bytes, secrets: Mapping[str, str]) -> list[str]:
    """Names of the secrets that stand in `content` in any spelling."""
    return sorted(
        {name for name, secret in secrets.items() for spelled in spellings(secret) if spelled in content}
    )
