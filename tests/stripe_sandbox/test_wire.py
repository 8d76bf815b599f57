"""Form decoding, against the vendor's own encoder."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stripe._encode import _api_encode

from stripe_sandbox.errors import ParameterError
from stripe_sandbox.wire import decode_form

# The machine may be busy: how long an example takes is not what is tested.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
VALUES = st.recursive(
    st.text(max_size=20),
    lambda inner: (
        st.dictionaries(NAMES, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def as_decoded(value: Any) -> Any:
    """Lists come out as hashes: only a type can tell them apart."""
    if isinstance(value, list):
        return {str(index): as_decoded(item) for index, item in enumerate(value)}
    if isinstance(value, dict):
        return {name: as_decoded(item) for name, item in value.items()}
    return value


@UNHURRIED
@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_the_sdk_encodes_is_read_back(params: dict[str, Any]) -> None:
    assert decode_form(urlencode(list(_api_encode(params)))) == as_decoded(params)


def test_a_list_may_be_written_without_indexes() -> None:
    assert decode_form("expand[]=latest_charge&expand[]=payment_method") == {
        "expand": {"0": "latest_charge", "1": "payment_method"}
    }


@UNHURRIED
@given(st.text(max_size=60))
def test_any_other_text_is_read_or_refused(text: str) -> None:
    with suppress(ParameterError):
        assert isinstance(decode_form(text), dict)


def test_depth_and_number_of_fields_are_bounded() -> None:
    with pytest.raises(ParameterError):
        decode_form("a" + "[b]" * 50 + "=1")
    with pytest.raises(ParameterError):
        decode_form("&".join(f"a{n}=1" for n in range(2000)))
