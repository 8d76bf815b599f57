"""The data platform: absent unless `stacks/features.py` says otherwise."""
