from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from amply.modules.access import RevocableRow


class KeyRow(RevocableRow):
    """An API key, looked up by the database function `find_api_key`."""

    __tablename__ = "api_key"

    name: Mapped[str]
    is_live: Mapped[bool]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime | None]
