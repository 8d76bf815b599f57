"""The mail outbox: a page with every e-mail that the emulated SES accepted, as its recipient would get it."""

from local_cloud.outbox.pages import app

__all__ = ["app"]
