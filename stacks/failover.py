"""An environment recreated in the region of its copies after its own region was lost: docs/adr/0063-recovering.md."""

from dataclasses import replace

from stacks.environment import Environment
from stacks.recovery_plan import RecoveryPlan
from stacks.signing_keys import SigningKeys


def fail_over(environment: Environment, *, region: object) -> Environment:
    """The same environment, name and account in the region with its copies.

    What belongs to the whole account and outlived the region stays with the stacks that made it; the stacks made from
    this one import it or do without.

    Raises:
        ValueError: It keeps no copies there, has no plan, or its signing keys are in the middle of a rotation; the
            message says what to write.
    """
    name, there, plan = environment.name, environment.replica_region, environment.recovery
    if there is None or plan is None:
        raise ValueError(f"{name} keeps no copies in another region, so it cannot come back in one.")
    if region != there:
        raise ValueError(f"{name} keeps its copies in {there}, not in {region!r}: -c recovering={there}")
    return replace(
        environment,
        region=there,
        zones=plan.zones,
        replica_region=plan.replica_region,
        lost_region=environment.region,
        image=environment.image.in_region(there, instead_of=environment.region),
        signing_keys=_next_key(environment, plan),
    )


def _next_key(environment: Environment, plan: RecoveryPlan) -> SigningKeys:
    """A key cannot leave its region: the next one signs, once it is known where the lost one stopped."""
    keys, last = environment.signing_keys, plan.last_tree
    if keys.coming is not None or keys.overlapping is not None:
        raise ValueError(
            f"{environment.name}: a rotation of the signing key was under way; say in signing_keys which key signed "
            "last, and no more, before recovering."
        )
    if last is None:
        return replace(keys, present=keys.present + 1, lost=keys.present)
    if last.number != keys.present:
        raise ValueError(
            f"{environment.name}: key {keys.present} is the one that is lost, not {last.number}."
        )
    return replace(keys, present=keys.present + 1, ended=(*keys.ended, last))
