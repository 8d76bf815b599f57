"""Pseudonyms of people, distinct for each class of a batch and each buyer.

A pseudonym is what AES-256 makes of one block, a member's keyed hash and the number of their class, under a key that is
the buyer's and the batch's. A cipher's blocks cannot be told from chance by who lacks the key, and no two inputs give
one. Of the 16 bytes 9 are shown, as 12 letters: in a class of a million people two are alike once in ten thousand million
times, and then count as one.
"""

import binascii
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK: Final = 16
_SHOWN: Final = 9
_LETTERS: Final = 12
# Not the usual `+` and `-`, with which a spreadsheet begins a formula.
_ALPHABET: Final = bytes.maketrans(b"+/", b"._")

Pseudonyms = Callable[[Any, Any], Any]  # arrays of numbers to one of texts, as Arrow has them


def pseudonyms(key: bytes) -> Pseudonyms:
    """The function from members and their classes, both numbers of 64 bits, to pseudonyms; the key has 32 bytes."""
    cipher = Cipher(algorithms.AES256(key), modes.ECB())  # noqa: S305 -- each block stands alone, as a keyed function of it

    def made(members: Any, classes: Any) -> Any:
        blocks = np.empty((len(members), 2), dtype="<u8")
        blocks[:, 0] = np.asarray(members)
        blocks[:, 1] = np.asarray(classes)
        hidden = np.frombuffer(cipher.encryptor().update(blocks.tobytes()), dtype=np.uint8)
        shown = hidden.reshape(-1, _BLOCK)[:, :_SHOWN].tobytes()
        letters = binascii.b2a_base64(shown, newline=False).translate(_ALPHABET)
        ends = np.arange(0, len(letters) + 1, _LETTERS, dtype=np.int32)
        return pa.StringArray.from_buffers(len(members), pa.py_buffer(ends), pa.py_buffer(letters))

    return made
