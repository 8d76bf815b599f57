"""Reusable constructs with safe defaults. An unsafe setting needs an explicit reason (see waiver)."""
