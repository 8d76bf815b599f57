"""A donor's consent to data sharing as given with a gift, and the port that stores it (in a higher module)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from amply.kernel.errors import InvalidRequest


class DataSharingNotAcceptable(InvalidRequest):
    """Nobody is asked for this purpose, or in these words."""

    code: ClassVar[str] = "data_sharing_not_acceptable"


@dataclass(frozen=True, kw_only=True)
class DataSharing:
    """A donor's consent: its purpose, and the wording beside the checkbox."""

    purpose: str
    wording: str


class ConsentKeeping(Protocol):
    """Stores donors' consents."""

    def keep(
        self, session: Session, *, donation_id: str, email: str, said: DataSharing, now: datetime
    ) -> None:
        """Store a consent in the transaction that records the gift; one with an unknown wording is not stored."""


class DataSharingIn(BaseModel):
    """What the donor ticked; never on their behalf."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: Annotated[str, StringConstraints(pattern="^[a-z_]{1,40}$")]
    wording: Annotated[str, StringConstraints(pattern="^[a-z0-9.-]{1,40}$")] = Field(
        description="Of the words that stood beside the box, as `GET /v1/public/data-sharing` has them."
    )

    def said(self) -> DataSharing:
        """The consent as given."""
        return DataSharing(purpose=self.purpose, wording=self.wording)
