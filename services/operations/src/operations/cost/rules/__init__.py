"""The price rules, by CloudFormation type. A type that is neither here nor in `free` stops the estimate."""

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
