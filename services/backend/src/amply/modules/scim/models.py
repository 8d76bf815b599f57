from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record
from amply.modules.access import RevocableRow


class TokenRow(RevocableRow):
    """A token is looked for by the database's function `find_scim_token`."""

    __tablename__ = "scim_token"


class ResourceRow(Record):
    """A user or a group as the directory wrote it, sealed. `person_id`: who that is here, once they are."""

    __tablename__ = "scim_resource"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    kind: Mapped[str]
    person_id: Mapped[str | None]
    address_index: Mapped[bytes | None]
    sealed: Mapped[bytes]
