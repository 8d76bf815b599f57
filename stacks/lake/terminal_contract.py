"""Names that donation terminals rely on, and the IoT policy of their certificates. No CDK in here.

`operations.terminals` makes certificates for these names; a test compares the two.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

KINDS: Final = ("gifts", "counters")
"""The last part of a terminal's topics; `amply_terminals.told` says what may be told of each."""
DATASETS: Final = {"gifts": "terminal_gifts", "counters": "terminal_counters"}
"""By the kind they are gathered from; `amply_terminals.datasets` has their columns."""
_ITSELF: Final = "${iot:Connection.Thing.ThingName}"
"""IoT Core puts the thing's name here whose certificate opened the connection:
https://docs.aws.amazon.com/iot/latest/developerguide/thing-policy-variables.html."""


def terminals_name(environment: str) -> str:
    """Name of the environment's thing group and certificate policy."""
    return f"amply-{environment}-terminals"


def topics(environment: str, terminal: str) -> str:
    """Apart from those of other environments in the account. `topic(3)` of the rule is the terminal, `topic(4)` the kind."""
    return f"amply-{environment}/terminals/{terminal}"


def rule_sql(environment: str) -> str:
    """The bytes as they were published, and beside them what IoT Core says of the connection. Nothing is read from the payload."""
    told = "topic(3) AS terminal, topic(4) AS kind, clientid() AS client, principal() AS principal"
    came = "timestamp() AS received_ms, encode(*, 'base64') AS payload"
    return f"SELECT {told}, {came} FROM '{topics(environment, '+')}/+'"  # noqa: S608 -- a rule's, and of nobody's words


def rights(environment: str, arn: Callable[[str, str], str]) -> Mapping[str, Any]:
    """One policy for all: the thing's own name stands in it. No terminal subscribes, retains, or speaks for another.

    `arn` makes a name of IoT Core's from its kind and the rest.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "iot:Connect",
                "Resource": arn("client", _ITSELF),
                "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": "true"}},
            },
            {
                "Effect": "Allow",
                "Action": "iot:Publish",
                "Resource": [arn("topic", f"{topics(environment, _ITSELF)}/{kind}") for kind in KINDS],
            },
        ],
    }
