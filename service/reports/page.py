"""Templates to pages."""

import math
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from service.reports import words


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("service.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        word=words.word,
        full_time=words.full_time,
        day_time=words.day_time,
        span=words.span,
        share=words.share,
        number=number,
    )
    return environment


def render(template: str, **values: Any) -> bytes:
    """A page as UTF-8. What is given is escaped, drawings apart."""
    return _environment().get_template(template).render(**values).encode()


def number(value: float | None) -> str:
    """As people write it; a dash for none."""
    return "—" if value is None or not math.isfinite(value) else f"{value:g}"
