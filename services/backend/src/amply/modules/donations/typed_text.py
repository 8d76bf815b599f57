"""Pydantic types for text that people type into a gift's fields (rules: `kernel.human_text`)."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from amply.kernel import human_text
from amply.modules.receipts import is_name_alone

_LONGEST_READ: Final = 100_000
"""Characters examined; longer text is too long for every field."""


def _kept_by(rule: Callable[[str], str]) -> BeforeValidator:
    """Keep a text as the rule has it, before its length is looked at; anything else is for the type to refuse."""

    def keep(value: Any) -> Any:
        if not isinstance(value, str) or len(value) > _LONGEST_READ:
            return value
        kept = rule(value)
        refused = human_text.refused_in(kept)
        if refused is not None:
            raise PydanticCustomError(
                "invisible_character",
                "take the invisible character {named} out, which changes how text is shown",
                {"named": f"U+{ord(refused):04X}"},
            )
        if kept and not human_text.is_seen(kept):
            raise PydanticCustomError("nothing_seen", "write something that can be seen")
        return kept

    return BeforeValidator(keep)


ShortText = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$"
    ),
    _kept_by(human_text.name_as_kept),
]
LongText = Annotated[
    str,
    StringConstraints(
        max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"
    ),
    _kept_by(human_text.prose_as_kept),
]


def _name_alone(text: str) -> str:
    if not is_name_alone(text):
        raise ValueError("write a name of at most 100 characters, without addresses or links")
    return text


TaxId = Annotated[ShortText, Field(max_length=40)]
NameInLetter = Annotated[ShortText, AfterValidator(_name_alone)]
"""A name that appears in a letter to somebody who did not ask for one."""
