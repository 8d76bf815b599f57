"""Starts the emulated cloud. Settings are MiniStack's environment variables."""

import os
from pathlib import Path

import ministack.app

from local_cloud.emulator import (
    bucket_contents,
    database,
    devices,
    edge_origin,
    generated_secrets,
    metric_filters,
    object_lock,
    outgoing_mail,
    skipped,
    snapshots,
    task_definitions,
    visitors,
)


def main() -> None:
    for extension in (
        skipped,
        database,
        generated_secrets,
        task_definitions,
        object_lock,
        bucket_contents,
        edge_origin,
        devices,
    ):
        extension.install()
    outgoing_mail.hush()
    mail = outgoing_mail.KeepsOutgoingMail(ministack.app.app, Path(os.environ["AMPLY_MAIL_DIR"]))
    counting = metric_filters.CountsLines(mail, Path(os.environ["AMPLY_LOGS_DIR"]))
    ministack.app.app = visitors.RefusesWebPages(snapshots.SavesState(counting))
    ministack.app.main()


main()
