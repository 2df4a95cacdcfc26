"""What messages say: templates in Chinese and English, in a sandbox; a site may replace any of them.

A template sees ``Facts`` and nothing else. The mark of a drill stands before every text and is no template's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from alerting.response.contacts import LANGUAGES

DRILL_MARK = "【演练 DRILL】"
CODE_MARK = "\ue000"
"""Stands in a stored text for the one-time code, which is made anew for each try and stored nowhere."""
CODE_SHOWN = "••••"
SHIPPED: Mapping[str, str] = {
    "subject.zh": "【{{ grade_zh }}色】{{ enterprise }} {{ unit }}：{{ cause_zh }}",
    "subject.en": "[{{ grade }}] {{ enterprise }} {{ unit }}: {{ cause_en }}",
    "text.zh": """\
{{ cause_zh }}
等级：{{ grade_zh }}　警情 {{ incident }}
地点：{{ region }} {{ enterprise }} {{ unit }}
时间：{{ at }}
{% for alarm in alarms %}
{{ alarm.tag }} {{ alarm.description }} {{ alarm.level }} {{ alarm.value }} {{ alarm.engineering_unit }}
{% endfor %}
{% if more_alarms %}
另有 {{ more_alarms }} 条报警
{% endif %}
{% if cards %}
处置卡：{{ cards | join("、") }}
{% endif %}
{% if acknowledge_by %}
请于 {{ acknowledge_by }} 前确认。
{% endif %}
{% if code %}
确认码：{{ code }}
{% endif %}
{% if acknowledge_link %}
{{ acknowledge_link }}
{% endif %}
{% if link %}
{{ link }}
{% endif %}
""",
    "text.en": """\
{{ cause_en }}
Grade: {{ grade }}, incident {{ incident }}
Place: {{ region }} {{ enterprise }} {{ unit }}
Time: {{ at }} (UTC+8)
{% for alarm in alarms %}
{{ alarm.tag }} {{ alarm.description }} {{ alarm.level }} {{ alarm.value }} {{ alarm.engineering_unit }}
{% endfor %}
{% if more_alarms %}
and {{ more_alarms }} further alarms
{% endif %}
{% if cards_en %}
Response cards: {{ cards_en | join(", ") }}
{% endif %}
{% if acknowledge_by %}
Please acknowledge by {{ acknowledge_by }}.
{% endif %}
{% if code %}
Acknowledge code: {{ code }}
{% endif %}
{% if acknowledge_link %}
{{ acknowledge_link }}
{% endif %}
{% if link %}
{{ link }}
{% endif %}
""",
    "digest_subject.zh": "【{{ grade_zh }}色】{{ count }} 条消息汇总",
    "digest_subject.en": "[{{ grade }}] digest of {{ count }} messages",
    "digest_text.zh": """\
以下 {{ count }} 条消息因发送过密合并：
{% for line in lines %}
{{ line }}
{% endfor %}
{% if link %}
{{ link }}
{% endif %}
""",
    "digest_text.en": """\
{{ count }} messages in one, so that they do not bury each other:
{% for line in lines %}
{{ line }}
{% endfor %}
{% if link %}
{{ link }}
{% endif %}
""",
    "test_subject.zh": "安哨通道测试：{{ channel }}",
    "test_subject.en": "AnShao channel test: {{ channel }}",
    "test_text.zh": "这是通道“{{ channel }}”的测试消息，时间 {{ at }}，无需处置。\n",
    "test_text.en": "This is a test of the channel “{{ channel }}” at {{ at }} (UTC+8). Nothing needs to be done.\n",
    "html.zh": "<html><body>{% for line in text_lines %}<p>{{ line }}</p>{% endfor %}</body></html>",
    "html.en": "<html><body>{% for line in text_lines %}<p>{{ line }}</p>{% endfor %}</body></html>",
}
"""By ``name.language``."""
_SAMPLE: Mapping[str, Any] = {
    "incident": 1,
    "grade": "red",
    "grade_zh": "红",
    "tier": 4,
    "cause_zh": "警情",
    "cause_en": "incident",
    "enterprise": "华瑞",
    "unit": "罐区",
    "region": "寿光市",
    "at": "2026-06-08 10:30:00",
    "alarms": [
        {"tag": "GT-101", "description": "", "level": "HH", "value": "21.5", "engineering_unit": "mg/m3", "at": ""}
    ],
    "more_alarms": 1,
    "cards": ["硫化氢"],
    "cards_en": ["hydrogen sulfide"],
    "recipient": "王芳",
    "acknowledge_by": "2026-06-08 10:32:00",
    "code": CODE_MARK,
    "link": "https://anshao.example/",
    "acknowledge_link": "https://anshao.example/",
    "count": 2,
    "lines": ["…"],
    "channel": "sms",
    "text_lines": ["…"],
}
"""Every field that any template may use."""


class TextFault(Exception):
    """A template that cannot be used."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Text:
    """A rendered message."""

    subject: str
    text: str


class Templates:
    """The templates of a book: the site's own in the place of those shipped."""

    def __init__(self, own: Mapping[str, str]) -> None:
        self._texts = {**SHIPPED, **own}

    def check(self, name: str) -> None:
        """Try a template of the site's own. Raises TextFault."""
        if name not in SHIPPED:
            raise TextFault(f"unknown template {name[:40]!r}", f"Use one of: {', '.join(SHIPPED)}.")
        try:
            self._render(name, _SAMPLE)
        except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as fault:
            fields = ", ".join(_SAMPLE)
            raise TextFault(
                f"the template does not work: {fault}"[:300], f"Fields that it may use: {fields}."
            ) from None

    def message(self, language: str, facts: Mapping[str, Any], *, drill: bool = False) -> Text:
        """Subject and text of a message about an incident."""
        return self._pair("", language, facts, drill=drill)

    def digest(self, language: str, facts: Mapping[str, Any]) -> Text:
        """Of several messages in one."""
        return self._pair("digest_", language, facts, drill=False)

    def test(self, language: str, facts: Mapping[str, Any]) -> Text:
        """Of a channel's test."""
        return self._pair("test_", language, facts, drill=False)

    def html(self, language: str, text: str) -> str:
        """A text as HTML."""
        return self._render(f"html.{_known(language)}", {"text_lines": text.splitlines()})

    def _pair(self, prefix: str, language: str, facts: Mapping[str, Any], *, drill: bool) -> Text:
        mark = DRILL_MARK if drill else ""
        language = _known(language)
        subject = " ".join(self._render(f"{prefix}subject.{language}", facts).split())
        return Text(mark + subject, mark + self._render(f"{prefix}text.{language}", facts).strip() + "\n")

    def _render(self, name: str, facts: Mapping[str, Any]) -> str:
        # The fields that a template of another kind would have are empty, so that a site may use one text for all.
        return str(_compiled(self._texts[name], html=name.startswith("html."))(_EMPTY | dict(facts)))


_EMPTY: dict[str, Any] = dict.fromkeys(_SAMPLE, "") | {
    "alarms": (),
    "cards": (),
    "cards_en": (),
    "lines": (),
    "text_lines": (),
}


def _known(language: str) -> str:
    return language if language in LANGUAGES else LANGUAGES[0]


@lru_cache(maxsize=256)
def _compiled(source: str, *, html: bool) -> Any:
    environment = SandboxedEnvironment(
        autoescape=html, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(source).render
