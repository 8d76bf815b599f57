"""The mail outbox: a web page with every e-mail that the emulated SES accepted."""

from local_cloud.outbox.pages import app

__all__ = ["app"]
