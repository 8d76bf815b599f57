"""Stores messages of donation terminals from IoT Core in the raw lake, each exactly once."""
