"""Test organisations that people make by themselves, in sandboxes alone (ADR 0114). Import from here only."""

from amply.modules.trials.domain import are_offered
from amply.modules.trials.router import Parts, router

__all__ = ["Parts", "are_offered", "router"]
