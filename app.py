"""The CDK app: every environment, unless `-c only=NAME` says which. See stacks/build.py."""

import sys
from pathlib import Path

# For a Python that has `requirements.txt` and no more: `make setup` installs this package of ours too.
sys.path.append(str(Path(__file__).parent / "services/ledger_format/src"))

try:
    import aws_cdk as cdk

    from stacks.build import CannotBuildError, build
except ModuleNotFoundError as missing:
    sys.exit(
        f"{sys.executable} has no package {missing.name}; install what the app needs: make setup, or, into a virtual "
        "environment of yours that is active, pip install -r requirements.txt"
    )

app = cdk.App()
try:
    build(app)
except CannotBuildError as reason:
    sys.exit(str(reason))
app.synth()
