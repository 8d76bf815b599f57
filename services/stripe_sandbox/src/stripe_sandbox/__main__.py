"""`python -m stripe_sandbox`: runs one sandbox on the loopback interface, configured by `STRIPE_SANDBOX_*`."""

import os
import sys

from stripe_sandbox.server import listen, serve
from stripe_sandbox.settings import port_from, settings_from


def main() -> None:
    """Serve until told to stop. Exits with a sentence when the environment is not usable."""
    try:
        settings, listener = settings_from(os.environ), listen(port_from(os.environ))
    except (ValueError, OSError) as error:
        sys.exit(f"stripe_sandbox: {error}")
    serve(settings, listener)


if __name__ == "__main__":
    main()
