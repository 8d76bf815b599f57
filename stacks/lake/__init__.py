"""The data platform: not deployed unless `stacks/features.py` enables it."""
