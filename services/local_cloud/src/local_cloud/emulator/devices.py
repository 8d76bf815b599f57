"""MQTT endpoint of IoT Core on the loopback interface only. MiniStack's own listener accepts connections from the network."""

import asyncio

from ministack.services import iot

_LOOPBACK = "127.0.0.1"


async def _listen() -> None:
    """As MiniStack's own does, but for the interface; called under its lock."""
    port = iot._mtls_port()  # noqa: SLF001 -- MiniStack offers no setting for the interface
    if iot._mtls_server is not None or port is None:  # noqa: SLF001 -- as above
        return
    loop = asyncio.get_running_loop()
    iot._mtls_server = await loop.create_server(iot._MtlsAcceptor, host=_LOOPBACK, port=port)  # noqa: SLF001 -- as above
    iot._mtls_loop = loop  # noqa: SLF001 -- as above


def install() -> None:
    iot._mtls_start_locked = _listen  # noqa: SLF001 -- as above
