"""Documents to pages: one HTML file each, which needs nothing but itself.

Both languages stand in the page and one of them is shown. Scripts are named by their digests in the page's own policy,
which lets it load and send nothing. Whatever comes from a file is escaped.
"""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import cache, partial
from importlib import resources
from typing import Any

import orjson
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
LANGUAGES = ("zh", "en")
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000


class AssetMissing(Exception):
    """The library of plots is not in the package; the message says how it gets there."""


def render(
    template: str,
    document: Mapping[str, Any],
    plots: Sequence[Mapping[str, Any]],
    language: str,
    version: str,
    **more: Any,
) -> bytes:
    """A page, UTF-8. ``language``: which is shown first. Raises AssetMissing."""
    scripts = {"library": asset("uPlot.js"), "page": _template("page.js")}
    policy = " ".join(f"'sha256-{_digest(script)}'" for script in scripts.values())
    data = orjson.dumps({"plots": plots, "words": _spoken("plots")}).decode().replace("<", "\\u003c")
    return (
        _environment()
        .get_template(template)
        .render(
            doc=document,
            language=language,
            title=" ".join(words()[document["kind"]]["title"][each] for each in LANGUAGES),
            version=version,
            plots={plot["id"]: number for number, plot in enumerate(plots)},
            data=Markup(data),  # noqa: S704 -- JSON with no tag in it
            scripts={name: Markup(script) for name, script in scripts.items()},  # noqa: S704 -- our own files
            styles=Markup(asset("uPlot.css") + _template("page.css")),  # noqa: S704 -- our own files
            licence=asset("uPlot-LICENSE").replace("--", "- -"),
            policy=policy,
            **more,
        )
        .encode()
    )


@cache
def asset(name: str) -> str:
    """A file of the library of plots. Raises AssetMissing."""
    try:
        text = (resources.files("tuning.reports") / "assets" / name).read_text(encoding="utf-8")
    except OSError as error:
        raise AssetMissing(
            "the library of plots is not installed, so no HTML can be written: run scripts/install, or "
            "python hatch_build.py plots; JSON needs none"
        ) from error
    return text


@cache
def _template(name: str) -> str:
    return (resources.files("tuning.reports") / "templates" / name).read_text(encoding="utf-8")


@cache
def words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """All words, by section and key, in each language."""
    found: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.safe_load(
        (resources.files("tuning.reports") / "words.yaml").read_text(encoding="utf-8")
    )
    return found


def word(path: str, **values: object) -> Markup:
    """Words of both languages, ``section.key``; the page shows one. ``values`` hold their places in them."""
    section, _, key = path.partition(".")
    found = words()[section].get(key)
    if found is None:
        return escape(key)
    told = {name: value if isinstance(value, Markup) else escape(str(value)) for name, value in values.items()}
    return Markup("").join(
        Markup('<span lang="{}">{}</span>').format(language, Markup(escape(found[language])).format(**told))  # noqa: S704 -- escaped
        for language in LANGUAGES
    )


def both(texts: Mapping[str, str]) -> Markup:
    """A text that is given in both languages, or in one."""
    own = next(iter(texts.values()), "")
    return Markup("").join(
        Markup('<span lang="{}">{}</span>').format(language, texts.get(language, own)) for language in LANGUAGES
    )


def full_time(at: int | None) -> str:
    """``2026-11-22 08:00:00``; a dash for none."""
    return "—" if at is None else datetime.fromtimestamp(at / 1000, UTC).astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


def span(milliseconds: float | None) -> str:
    """A length of time: ``2 d 3 h``, ``4 min 10 s``, ``0.8 s``; a dash for none."""
    if milliseconds is None:
        return "—"
    sign, left = ("−" if milliseconds < 0 else ""), abs(milliseconds)
    if left < _MINUTE:
        return f"{sign}{left / 1000:.3g} s"
    whole = round(left / 1000)
    parts = [(whole // 86_400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return sign + " ".join(f"{count} {name}" for count, name in parts[first : first + 2] if count)


def number(value: float | None) -> str:
    """As people write it, three digits behind the point at the most; a dash for none."""
    if value is None or not math.isfinite(value):
        return "—"
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.1f}"  # noqa: PLR2004 -- three digits


def share(value: float | None) -> str:
    """Per cent."""
    return "—" if value is None else f"{value * 100:.2f} %"


def setting(axis: str, value: Any) -> Markup | str:
    """A field of a rule."""
    if value is None:
        return "—"
    if axis in {"on_delay", "off_delay", "window"}:
        return span(value)
    if isinstance(value, bool):
        return word("yes." + str(value).lower())
    return f"{value:.10g}" if isinstance(value, float) else str(value)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tuning.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        t=word,
        both=both,
        full_time=full_time,
        span=span,
        number=number,
        share=share,
        setting=setting,
        least=partial(min, default=None),
        greatest=partial(max, default=None),
    )
    return environment


@cache
def _spoken(section: str) -> Mapping[str, Mapping[str, str]]:
    return {language: {key: texts[language] for key, texts in words()[section].items()} for language in LANGUAGES}


@cache
def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
