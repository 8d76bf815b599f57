"""A DNS server on loopback with configurable TXT records, and a resolver that uses it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingUDPServer

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset


@dataclass(kw_only=True)
class NameServer:
    """`texts` by name. `is_broken`: it answers that it cannot."""

    resolver: dns.resolver.Resolver
    texts: dict[str, list[str]] = field(default_factory=dict)
    is_broken: bool = False

    def answer(self, wire: bytes) -> bytes:
        asked = dns.message.from_wire(wire)
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        found = self.texts.get(asked.question[0].name.to_text(omit_final_dot=True))
        if self.is_broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not found:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            texts = [f'"{each}"' for each in found]
            answer.answer.append(dns.rrset.from_text(asked.question[0].name, 60, "IN", "TXT", *texts))
        return answer.to_wire()


@contextmanager
def name_server() -> Iterator[NameServer]:
    """One that answers until the block ends."""
    resolver = dns.resolver.Resolver(configure=False)
    served = NameServer(resolver=resolver)

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            wire, channel = self.request
            channel.sendto(served.answer(wire), self.client_address)

    server = ThreadingUDPServer(("127.0.0.1", 0), Handler)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
