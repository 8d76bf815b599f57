"""Loads the templates and translated texts of a module's letters."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import jinja2


def letter_templates(package: str) -> jinja2.Environment:
    """Jinja environment over a package's `templates` folder: autoescaped HTML, undefined names are errors."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def letter_texts(package: str, language: str) -> Mapping[str, Mapping[str, str]]:
    """Texts of a language from a package's `texts` folder, by section and name."""
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(
        (files(package) / "texts" / f"{language}.toml").read_text(encoding="utf-8")
    )
    return found
