"""What a route that opens payments asks the gate with."""

from typing import Annotated, Final

from fastapi import Depends, Header, Request

from amply.infra.rate_limits import client_address
from amply.modules.defence.domain import Client
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
