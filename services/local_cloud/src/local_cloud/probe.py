"""Health check over HTTP as a command: `python probe.py URL` exits 0 on a successful response.

Run by path and without site packages, so that asking often costs little.
"""

import sys
import urllib.request

if __name__ == "__main__":
    with urllib.request.urlopen(sys.argv[1], timeout=5):  # noqa: S310 -- a loopback URL of ours
        pass
