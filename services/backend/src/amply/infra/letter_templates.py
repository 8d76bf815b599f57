"""The templates of a module's letters: HTML escaped, and a name that is not filled in is an error."""

import jinja2


def letter_templates(package: str) -> jinja2.Environment:
    """Those in the folder `templates` of a package."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
