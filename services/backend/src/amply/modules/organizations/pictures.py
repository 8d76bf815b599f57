"""References to an organisation's published images, which `modules/images` generates."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Text, cast, func, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session

from amply.modules.organizations.domain import Picture, PictureFile, PictureKind
from amply.modules.organizations.models import OrganizationRow


def show_picture(session: Session, *, organization_id: str, kind: PictureKind, picture: Picture) -> None:
    """Publish a picture, replacing the former one."""
    session.execute(
        update(OrganizationRow)
        .where(OrganizationRow.id == organization_id)
        .values(pictures=OrganizationRow.pictures.op("||")(cast({kind.value: _kept(picture)}, JSONB)))
        .execution_options(synchronize_session=False)
    )


def hide_picture(session: Session, *, organization_id: str, picture_id: str) -> None:
    """Remove this picture wherever it is shown."""
    for kind in PictureKind:
        session.execute(
            update(OrganizationRow)
            .where(
                OrganizationRow.id == organization_id,
                OrganizationRow.pictures[kind.value]["id"].astext == picture_id,
            )
            .values(pictures=OrganizationRow.pictures.op("-")(kind.value))
            .execution_options(synchronize_session=False)
        )


def describe_picture(
    session: Session, *, organization_id: str, picture_id: str, alt: Mapping[str, str]
) -> None:
    """Change this picture's description wherever it is shown."""
    for kind in PictureKind:
        where = cast([kind.value, "alt"], ARRAY(Text))
        session.execute(
            update(OrganizationRow)
            .where(
                OrganizationRow.id == organization_id,
                OrganizationRow.pictures[kind.value]["id"].astext == picture_id,
            )
            .values(pictures=func.jsonb_set(OrganizationRow.pictures, where, cast(dict(alt), JSONB)))
            .execution_options(synchronize_session=False)
        )


def pictures_of(kept: Mapping[str, Any]) -> dict[PictureKind, Picture]:
    """The pictures in a row."""
    return {
        PictureKind(kind): Picture(
            id=picture["id"],
            alt=picture["alt"],
            files=tuple(PictureFile(**each) for each in picture["files"]),
        )
        for kind, picture in kept.items()
    }


def _kept(picture: Picture) -> dict[str, Any]:
    return {
        "id": picture.id,
        "alt": dict(picture.alt),
        "files": [asdict(each) for each in picture.files],
    }
