"""Chat templates: those that write messages down pass, those that reach for Python do not, in any spelling."""

import pytest

from bartizan.core.findings import Severity
from bartizan.lab.hostile_artefacts import HONEST_TEMPLATE
from bartizan.supply.chat_templates import chat_template

ORDINARY = (
    HONEST_TEMPLATE,
    "{{ raise_exception('no') if messages[0]['role'] != 'user' else bos_token }}",
    "{%- set ns = namespace(is_first=false, system_prompt='') %}{% set ns.system_prompt = messages[0]['content'] %}",
    "{{ message.content.split('</think>')[-1].lstrip('\\n') }}{{ messages[messages|length - 1].content }}",
    "{% for tool in tools %}{{ tool.function.parameters.properties | tojson(indent=4) }}{% endfor %}",
    "{% for k in args.keys() %}{{ args[k] }}{{ message['important'] }}{{ tool.retrieval }}{% endfor %}",
    "{% generation %}{{ message.content }}{%- endgeneration -%}",
    "{% macro one(x) %}{{ '<|' + x.role + '|>' ~ '\\n' }}{% endmacro %}{{ one(messages[i + 1]) }}{{ messages[::-1] }}",
    "{{ '__media__' + 'x' }}{{ strftime_now('%d %b %Y') }}{% if loop.index0 % 2 %}{% break %}{% endif %}",
)


@pytest.mark.parametrize("source", [f"{{% for message in messages %}}{one}{{% endfor %}}" for one in ORDINARY])
def test_ordinary_templates_pass(source):
    """As published models have them."""
    assert chat_template(source, "x") == []


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__cla' ~ 'ss__'] }}",
        "{% set a = '__cla' ~ 'ss__' %}{{ ''[a] }}",
        "{% set a = ['__cla', 'ss__'] | join %}{{ ''[a] }}",
        "{% set a = '__ssalc__' | reverse %}{{ ''[a] }}",
        "{% set a = '__clXss__' | replace('X', 'a') %}{{ ''[a] }}",
        "{% set a = '%c%c' | format(95, 95) %}{{ ''[a] }}",
        "{{ dict(__class__=x) | join }}",
        "{{ '{0.__class__}'.format(x) }}",
        "{{ x.gi_frame.f_builtins }}",
        "{{ x['eval'] }}{% do x.popen('true') %}",
    ],
)
def test_inner_names_in_any_spelling(source):
    """CVE-2024-34359, and the ways around a search for the names."""
    assert Severity.HIGH in {one.severity for one in chat_template(source, "x")}


def test_a_name_that_depends_on_the_message_is_for_a_person():
    """It may be a field, or the way out."""
    (found,) = chat_template("{{ message['tool_' ~ name] }}", "x")
    assert found.severity is Severity.MEDIUM
    (found,) = chat_template("{{ message[name | lower] }}", "x")
    assert found.severity is Severity.MEDIUM


def test_what_cannot_be_read_goes_to_review():
    """Other programs may read it."""
    assert chat_template("{% if %}", "x")[0].rule == "template-unreadable"
