"""What a laptop only records is something that a template makes: a list of what is gone hides what comes back."""

from local_cloud.emulator.catalogue import SKIPPED
from tests.infrastructure.assembly import Deployed


def _unmade(skipped: set[str], deployed: Deployed) -> set[str]:
    return skipped - {resource.type for resource in deployed.resources()}


def test_every_type_that_is_only_recorded_is_made(extended: Deployed) -> None:
    """By an environment that has all there is to choose."""
    assert _unmade(set(SKIPPED), extended) == set()


def test_a_type_that_no_template_makes_is_named(extended: Deployed) -> None:
    assert _unmade({*SKIPPED, "AWS::EC2::EIP"}, extended) == {"AWS::EC2::EIP"}
