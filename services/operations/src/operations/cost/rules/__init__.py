"""Price rules by CloudFormation type. A type that is neither here nor in `free` fails the estimate.

Some are of types that no template holds: a reviewer's comment is written by the target branch's programs, which then know
the price of what the change is the first to make. What an ADR has decided against (a serverless cache, 0013) has none.
"""

from collections.abc import Mapping

from operations.cost.charge import Rule
from operations.cost.rules import compute, data, edge, messages, network, watching

RULES: Mapping[str, Rule] = {
    **compute.RULES,
    **data.RULES,
    **edge.RULES,
    **messages.RULES,
    **network.RULES,
    **watching.RULES,
}
