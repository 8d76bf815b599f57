"""Compares two OpenAPI 3.1 documents for changes that break callers."""
