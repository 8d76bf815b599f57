"""The emulated cloud: MiniStack, extended by what our stacks need.

This package alone runs in `.venv-cloud`, because MiniStack pins another botocore than the rest of the
project. It is started as `python -m local_cloud.emulator` with the environment `local_cloud.cloud` gives it,
and may import nothing else of `local_cloud`.

Some CloudFormation types are only recorded, never run: the whole list, with what that means on a laptop,
is the table in `catalogue.py`.
"""
