"""Reasons to refuse a message.

Exception
├── NoMessageError    it is not of the rule; nobody can say whose it is
└── RefusedError      it is of a terminal, and is set aside with a reason
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a message is set aside; the log and the record of it say the word."""

    NO_TERMINAL = "no_terminal"
    """The topic names no terminal of ours, or nothing that terminals tell."""
    OTHER_CLIENT = "other_client"
    """Who is connected is not who the topic names."""
    TOO_LARGE = "too_large"
    NOT_READABLE = "not_readable"
    """Not the JSON object that is told of this kind."""
    FUTURE = "future"
    TOO_OLD = "too_old"
    CONTRADICTS = "contradicts"
    """The number was used before, for something else."""


class NoMessageError(Exception):
    """What the queue held is not of the rule; the text says what is wrong."""


class RefusedError(Exception):
    """Set aside as it is, with this reason; repeating it changes nothing."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence
