"""Metadata: up to 50 keys of 40 characters, values of 500 (https://docs.stripe.com/api/metadata)."""

from stripe_sandbox.errors import Json, ParameterError

MAXIMUM_KEYS = 50
MAXIMUM_KEY_LENGTH = 40
MAXIMUM_VALUE_LENGTH = 500


def check_metadata(given: Json | str) -> None:
    """Raises ParameterError. An empty text in place of the hash unsets everything."""
    if isinstance(given, str):
        return
    if len(given) > MAXIMUM_KEYS:
        raise ParameterError(f"Metadata cannot have more than {MAXIMUM_KEYS} keys.", param="metadata")
    for key, value in given.items():
        if len(key) > MAXIMUM_KEY_LENGTH:
            raise ParameterError(
                f"Metadata keys cannot exceed {MAXIMUM_KEY_LENGTH} characters. '{key}' is {len(key)} characters long.",
                param="metadata",
            )
        if len(value) > MAXIMUM_VALUE_LENGTH:
            raise ParameterError(
                f"Metadata values can have up to {MAXIMUM_VALUE_LENGTH} characters, but you passed in a value that is "
                f"{len(value)} characters.",
                param=f"metadata[{key}]",
            )


def merged(current: Json, given: Json | str) -> Json:
    """New values over old ones; an empty value removes its key, an empty text all of them."""
    if isinstance(given, str):
        return {}
    return {key: value for key, value in (current | given).items() if value}
