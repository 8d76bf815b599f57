"""Runs the pages' JavaScript in Node.js, for what needs no browser."""

import json
import subprocess
from collections.abc import Sequence
from functools import cache
from typing import Any

from tests.browser.site_server import WIDGETS


def run_in_node(
    sources: Sequence[str], script: str, argument: object = None, *, languages: Sequence[str] = ()
) -> Any:
    """What `script`, a function of JavaScript, makes of `argument`; `module` there is what the sources export.

    `languages` are those of the browser that it would run in.
    """
    browser = f"globalThis.navigator = {json.dumps({'languages': list(languages)})};"
    call = f"process.stdout.write(JSON.stringify(({script})({json.dumps(argument)})) ?? 'null');"
    program = "\n".join((browser, _bundled(tuple(sources)), call))
    ran = subprocess.run(["node", "-"], input=program, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@cache
def _bundled(sources: tuple[str, ...]) -> str:
    entry = "\n".join(f'export * from "./{source}";' for source in sources)
    command = [
        "node_modules/.bin/esbuild",
        "--bundle",
        "--format=iife",
        "--global-name=module",
        "--loader=ts",
    ]
    define = '--define:CHALLENGE_WORKER_URL=""'
    return subprocess.run(
        [*command, define], cwd=WIDGETS, input=entry, capture_output=True, text=True, check=True
    ).stdout
