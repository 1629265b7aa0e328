"""Pages that the lab writes: one HTML file each, without scripts or anything from outside.

They begin alike (`head.html`): what a page may load is said in one place.
"""

from typing import Any

import jinja2

from bartizan import __version__


def page(package: str, name: str, **values: Any) -> str:
    """Return the template `name` of a package of the lab, filled in. A value that it lacks is an UndefinedError."""
    loader = jinja2.ChoiceLoader([jinja2.PackageLoader(package, "."), jinja2.PackageLoader("bartizan.lab", ".")])
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(name).render(**values, version=__version__)
