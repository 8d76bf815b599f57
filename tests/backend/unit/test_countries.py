"""Where organisations can be onboarded, and what a refusal says."""

import pytest

from amply.modules.payments import Confirmation, CountryNotAdmitted, require_admitted
from amply.modules.payments.countries import RULES


@pytest.mark.parametrize("country", ["DE", "US", "GB", "CH", "FR", "CA", "NZ"])
def test_an_organisation_of_most_countries_is_admitted(country: str) -> None:
    require_admitted(country=country, confirmed=None)


@pytest.mark.parametrize("country", ["AU", "HK", "IN", "TH", "KP", "ZZ"])
@pytest.mark.parametrize("confirmed", [None, *Confirmation])
def test_where_the_processor_takes_no_gifts_nothing_helps(
    country: str, confirmed: Confirmation | None
) -> None:
    with pytest.raises(
        CountryNotAdmitted, match=f"in {country} cannot be onboarded: .*offline gifts"
    ) as refused:
        require_admitted(country=country, confirmed=confirmed)
    assert refused.value.param == "country"


@pytest.mark.parametrize(
    ("country", "needed"),
    [
        ("SG", Confirmation.REGISTERED_CHARITY),
        ("ID", Confirmation.COMMUNITY_ORGANIZATION),
        ("JP", Confirmation.GIFT_AGREEMENT),
    ],
)
def test_where_there_is_a_condition_it_has_to_be_confirmed(country: str, needed: Confirmation) -> None:
    require_admitted(country=country, confirmed=needed)
    for other in (None, *(set(Confirmation) - {needed})):
        with pytest.raises(CountryNotAdmitted, match=f"only if .*--confirm {needed}"):
            require_admitted(country=country, confirmed=other)


def test_a_rule_refuses_or_asks_and_says_for_what() -> None:
    for country, rule in RULES.items():
        assert len(country) == 2, country
        assert rule.refusal is None or rule.needs is None, country
        assert bool(rule.condition) is (rule.needs is not None), country
