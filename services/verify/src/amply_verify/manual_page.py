"""The manual page amply-verify(1), written from the commands, so that the two cannot differ."""

import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

import click

_NAME: Final = "amply-verify"


def manual_page(command: click.Command) -> str:
    """Write the page in the macros of man(7)."""
    context = click.Context(command, info_name=_NAME)
    lines = [
        f'.TH AMPLY\\-VERIFY 1 "" "{_NAME} {version(_NAME)}" "Amply"',
        ".SH NAME",
        r"amply\-verify \- check a public ledger without trusting its operator",
        ".SH SYNOPSIS",
        r"\fBamply\-verify\fR \fICOMMAND\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]",
        ".SH DESCRIPTION",
        *_paragraphs(command.help or ""),
        ".SH COMMANDS",
    ]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            lines += _command(command.commands[name], name)
    lines += [
        ".SH ENVIRONMENT",
        ".TP",
        ".B AMPLY_VERIFIER_KEY",
        "A verifier key, or the name of a file with one a line, where no \\-\\-key is given.",
        ".TP",
        ".B AMPLY_POLICY",
        "The name of a policy file, where no \\-\\-policy is given.",
        ".TP",
        ".B TMPDIR",
        "Where audit keeps its temporary files.",
        ".SH EXIT STATUS",
        ".nf",
        *map(_plain, _block(command.epilog or "")),
        ".fi",
    ]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    yield f".SS {_plain(' '.join([name, *command.collect_usage_pieces(context)]))}"
    yield from _paragraphs(command.help or "")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1] and parameter.name != "help":
            yield from (".TP", f".B {_plain(record[0])}", _plain(record[1]))
    examples = _examples(command.epilog or "")
    if examples:
        yield from (".PP", "Examples:", ".nf", *map(_plain, examples), ".fi")


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield ".PP"
        yield _plain(" ".join(paragraph.split()))


def _examples(epilog: str) -> list[str]:
    _, _, found = epilog.partition("Examples:")
    return [line for line in found.split("\n\n")[0].splitlines() if line.strip()]


def _block(epilog: str) -> list[str]:
    return [line for line in epilog.replace("\b", "").splitlines() if line.strip()]


def _plain(text: str) -> str:
    """Keep roff from reading anything into a text: backslashes, hyphens, and a dot or quote at a line's start."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    escaped = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in escaped)
    return re.sub(r"(?m)^(?=[.'])", r"\\&", escaped)
