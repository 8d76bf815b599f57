"""Feature flags of the data platform: without its flag, a part is not deployed at all.

Off in every environment that does not say otherwise. Where people try things (a laptop, sandboxes) one switch turns them on:
`-c flags=marketplace,etl`, which `make local FLAGS=marketplace,etl` passes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

NONE = "none"
"""How the switch says that all are off."""


@dataclass(frozen=True, kw_only=True)
class Features:
    """Enabled parts of the data platform."""

    marketplace: bool = False
    """Datasets that buyers hold contracts for, through an API and Delta Sharing."""
    etl: bool = False
    """What comes in is anonymised and released; donors are asked whether facts of their gifts may be shared."""
    iot: bool = False
    """Donation terminals write gifts and counters into the lake."""
    data_seller_portal: bool = False
    """Pages where organisations see who consents, what is released of their data, who uses it and what it brings."""

    @property
    def any(self) -> bool:
        """Whether the lake is deployed at all."""
        return any(getattr(self, field.name) for field in fields(self))

    @classmethod
    def parse(cls, said: str) -> "Features":
        """Parse comma-separated flags, or `none`.

        Raises:
            ValueError: No flag is called so; the message says what to write.
        """
        words = [] if said.strip() == NONE else [word.strip() for word in said.split(",")]
        if unknown := [word for word in words if word not in FLAGS]:
            raise ValueError(
                f"No flag is called {unknown[0]!r}; there are {', '.join(FLAGS)}, and {NONE} for no flag: -c flags=…"
            )
        return cls(**{word.replace("-", "_"): True for word in words})


def _word(name: str) -> str:
    return name.replace("_", "-")


def _words() -> Iterator[str]:
    for field in fields(Features):
        yield _word(field.name)


FLAGS = tuple(_words())
"""As they are written on the command line."""
