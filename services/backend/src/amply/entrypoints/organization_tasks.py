"""Worker tasks about organisations: applications, onboarding, members, images, and domain checks for federated sign-in."""

from collections.abc import Callable
from typing import Any

import structlog

from amply.adapters.pillow import PillowImageProcessor
from amply.adapters.registers import registers
from amply.adapters.s3.documents import S3Documents
from amply.adapters.s3.images import S3Images
from amply.entrypoints import task_names
from amply.infra.database import Database
from amply.infra.settings import DocumentSettings, LinkSettings, MediaSettings, ServiceSettings, SiteSettings
from amply.kernel.clock import Clock
from amply.modules import applications, federation, images, mail, members, onboarding

_log = structlog.get_logger()


def onboarding_tasks(
    parts: onboarding.OnboardingTaskDependencies, joining: members.InvitationDependencies, clock: Clock
) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Tasks of account state, and of letters to organisations' staff and members."""

    def look_at_accounts(**_: Any) -> None:
        onboarding.look_at_accounts(parts, now=clock())

    def send_invitations(**_: Any) -> None:
        onboarding.send_invitations(parts, now=clock())

    def tell_of_closings(**_: Any) -> None:
        told = onboarding.tell_of_closings(parts, now=clock())
        if told:
            _log.info("closings_told", count=told)

    def invite_members(**_: Any) -> None:
        members.send_invitations(joining, now=clock())

    return (
        (task_names.LOOK_AT_ACCOUNTS, look_at_accounts),
        (task_names.SEND_INVITATIONS, send_invitations),
        (task_names.TELL_OF_CLOSINGS, tell_of_closings),
        (task_names.SEND_MEMBER_INVITATIONS, invite_members),
    )


def invitation_dependencies(
    database: Database, mailer: mail.Mailer, site: SiteSettings
) -> members.InvitationDependencies:
    """Dependencies of member invitations, from this process's settings."""
    key, page = members.JoinKey.from_settings(LinkSettings()), f"{site.edge_url}/join/"
    return members.InvitationDependencies(database=database, mailer=mailer, key=key, page=page)


def domain_tasks(
    parts: federation.DomainCheckDependencies, clock: Clock
) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Task that re-verifies domains for federated sign-in."""

    def check_domains(**_: Any) -> None:
        federation.check_domains(parts, now=clock())

    return ((task_names.CHECK_DOMAINS, check_domains),)


def image_tasks(parts: images.ImageJobs, clock: Clock) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Task that generates published images."""

    def make_images(**_: Any) -> None:
        made = images.make_images(parts, now=clock())
        if made:
            _log.info("images_made", count=made)

    return ((task_names.MAKE_IMAGES, make_images),)


def image_dependencies(
    database: Database, documents: DocumentSettings, media: MediaSettings
) -> images.ImageJobs:
    """Dependencies of generating images, from this process's settings."""
    store = S3Images(uploads=documents.documents_bucket, media=media.media_bucket)
    return images.ImageJobs(database=database, store=store, processor=PillowImageProcessor())


def application_tasks(
    parts: applications.ApplicationTaskDependencies, clock: Clock
) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Tasks of applications: letters, register lookups, deletion of documents."""

    def send_letters(**_: Any) -> None:
        applications.write_letters(parts, now=clock())
        applications.tell(parts, now=clock())

    def ask_registers(**_: Any) -> None:
        applications.ask_registers(parts, now=clock())

    def tidy_documents(**_: Any) -> None:
        applications.tidy_documents(parts, now=clock())

    def watch_tiers(**_: Any) -> None:
        applications.watch(parts, now=clock())

    return (
        (task_names.SEND_APPLICATION_LETTERS, send_letters),
        (task_names.ASK_REGISTERS, ask_registers),
        (task_names.TIDY_DOCUMENTS, tidy_documents),
        (task_names.WATCH_TIERS, watch_tiers),
    )


def application_dependencies(
    database: Database, mailer: mail.Mailer, site: SiteSettings, documents: DocumentSettings
) -> applications.ApplicationTaskDependencies:
    """Dependencies of the application tasks, from this process's settings."""
    return applications.ApplicationTaskDependencies(
        database=database,
        mailer=mailer,
        register=registers(livemode=ServiceSettings().livemode),
        shelf=S3Documents(bucket=documents.documents_bucket),
        page=f"{site.edge_url}/account/",
    )
