"""FastAPI dependency that builds the gate's question from a request."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Request

from amply.infra.rate_limits import client_address
from amply.infra.web import ClockOf
from amply.kernel.clock import Clock
from amply.modules.defence.domain import Client, Fingerprints, SetupOf
from amply.modules.defence.service import Gate

_OF_A_DEVICE: Final = ("user-agent", "accept-language", "sec-ch-ua", "sec-ch-ua-platform")


async def _gate(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


async def _client(request: Request) -> Client:
    said = (request.headers.get(name, "") for name in _OF_A_DEVICE)
    return Client(address=client_address(request), device="\n".join(said))


GateOf = Annotated[Gate, Depends(_gate)]
ClientOf = Annotated[Client, Depends(_client)]
SolutionOf = Annotated[
    str | None,
    Header(
        alias="Amply-Challenge",
        description="The solution of the challenge that this request was answered with before",
    ),
]


@dataclass(frozen=True, kw_only=True)
class CardAdmission:
    """A request to enter a card for an existing gift or plan, before the gate."""

    gate: Gate
    client: Client
    solution: str | None
    clock: Clock

    def admit(self, about: SetupOf) -> Fingerprints:
        """Ask the gate as for a gift; returns the fingerprints to remember.

        Raises:
            ChallengeRequired, TooManyRequests: As `Gate.admit` says.
        """
        return self.gate.admit(about.attempt(self.client), solution=self.solution, now=self.clock())


async def _card_admission(
    clock: ClockOf, gate: GateOf, client: ClientOf, amply_challenge: SolutionOf = None
) -> CardAdmission:
    return CardAdmission(gate=gate, client=client, solution=amply_challenge, clock=clock)


CardAdmissionOf = Annotated[CardAdmission, Depends(_card_admission)]
