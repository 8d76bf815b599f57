from sqlalchemy import FetchedValue, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record
from amply.modules.access import RevocableRow


class TokenRow(RevocableRow):
    """A SCIM token, looked up by the database function `find_scim_token`."""

    __tablename__ = "scim_token"


class ResourceRow(Record):
    """An encrypted SCIM user or group. `person_id`: the corresponding person, once there is one.

    `active` is what it says of a user, None where it says nothing; `is_indexed`: its values stand in `scim_value`.
    """

    __tablename__ = "scim_resource"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    kind: Mapped[str]
    person_id: Mapped[str | None]
    address_index: Mapped[bytes | None]
    sealed: Mapped[bytes]
    active: Mapped[bool | None]
    is_indexed: Mapped[bool] = mapped_column(server_default=FetchedValue())


class ValueRow(Record):
    """A blind index entry: keyed digest of an attribute's value."""

    __tablename__ = "scim_value"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    resource_id: Mapped[str] = mapped_column(primary_key=True)
