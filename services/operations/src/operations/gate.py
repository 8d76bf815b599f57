"""Stops a deployment that would replace or destroy a resource with data, unless a approval names it.

Twice, by the list and the approvals of the reviewer's comment: before anything is touched the whole environment is compared
with what runs (`Gate.compare`), and each change set is read before it is executed (`Gate.read`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NoReturn

from mypy_boto3_cloudformation.type_defs import ResourceChangeTypeDef

from operations.assembly import Deployed
from operations.difference.approved_replacements import ApprovedReplacement
from operations.difference.review import review
from operations.difference.vendor import Library
from operations.losses import Loss, lost

Running = Callable[[Deployed], Deployed]
"""Given what is to be deployed, answers what of it runs now."""


class WouldLoseDataError(Exception):
    """The deployment stops here; the message names what would be lost and says what to do."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """`approved` are those of every environment; `today`, in UTC, is the day they are judged by."""

    running: Running
    approved: tuple[ApprovedReplacement, ...]
    today: date

    def compare(self, deployed: Deployed) -> None:
        """Compare what is to be deployed with what runs.

        Raises:
            WouldLoseDataError: Something that holds data ends, and no approval names it.
            CannotCompareError: Node or the vendor's library is missing.
        """
        with Library() as library:
            found = review(
                deployed.name,
                self.running(deployed),
                deployed,
                compare=library.compare,
                approved=self.approved,
                today=self.today,
                monthly=None,
            )
        losses = [
            Loss(stack=it.stack, logical_id=it.logical_id, type=it.type, kind=it.kind)
            for it in found.blocking
        ]
        if losses:
            _refuse(f"Nothing of {deployed.name} is deployed", losses)

    def read(self, environment: str, stack: str, changes: Sequence[ResourceChangeTypeDef]) -> None:
        """Read the change set of one stack.

        Raises:
            WouldLoseDataError: Something that holds data ends, and no approval names it.
        """
        losses = [it for it in lost(stack, changes) if not self._agreed(environment, it)]
        if losses:
            _refuse(f"The change set of {environment}/{stack} is not executed", losses)

    def _agreed(self, environment: str, loss: Loss) -> bool:
        place = (environment, loss.stack, loss.logical_id)
        return any(
            (it.environment, it.stack, it.logical_id) == place and it.holds_on(self.today)
            for it in self.approved
        )


def _refuse(what: str, losses: Sequence[Loss]) -> NoReturn:
    raise WouldLoseDataError(
        "\n".join(
            [
                f"{what}, because it would end what holds data and no approval names it:",
                *(f"  {it}" for it in sorted(losses)),
                _WAY_OUT,
            ]
        )
    )


_WAY_OUT: Final = (
    "Keep it (docs/runbooks/refactor-and-move.md), or name each in stacks/replacements.toml with a reason and a last day "
    "(docs/reviewing.md)."
)
