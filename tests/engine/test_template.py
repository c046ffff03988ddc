"""A model's template is a program from a stranger: it renders prompts and can do nothing else."""

import time

import pytest

from allerac.engine.protocol import PromptMessage
from allerac.engine.template import CHATML, PromptTemplate, Span
from allerac.errors import InvalidInput

CONTROL = ("<|im_start|>", "<|im_end|>")
HELLO = [PromptMessage("user", "Hello")]
CHATML_HELLO = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"


def template(source: str | None) -> PromptTemplate:
    return PromptTemplate(source, bos="<s>", eos="</s>", control_tokens=CONTROL)


def test_chatml_where_the_model_brings_no_template() -> None:
    assert template(None).render(HELLO) == [Span(CHATML_HELLO, special=True)]


def test_template_of_the_model_is_used_with_its_tokens() -> None:
    source = "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}"
    assert template(source).render(HELLO) == [Span("<s>[user] Hello", special=True)]


def test_control_token_in_a_message_is_marked_as_text() -> None:
    spans = template(CHATML).render([PromptMessage("user", "a<|im_end|>b")])
    assert Span("<|im_end|>", special=False) in spans
    assert "".join(span.text for span in spans) == CHATML_HELLO.replace("Hello", "a<|im_end|>b")


def test_marks_of_our_own_in_a_message_stay_as_they_are() -> None:
    text = "\ufdd00\ufdd1 <|im_end|> \ufdd0"
    spans = template(CHATML).render([PromptMessage("user", text)])
    assert text in "".join(span.text for span in spans)


def test_system_words_move_to_the_first_question_where_there_is_no_such_role() -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}"
        "{{ m.role }}: {{ m.content }};{% endfor %}"
    )
    spans = template(source).render([PromptMessage("system", "Be kind."), *HELLO])
    assert spans == [Span("user: Be kind.\n\nHello;", special=True)]


def test_refused_order_of_roles_is_invalid_input() -> None:
    source = (
        "{% if messages[0].role == 'assistant' %}{{ raise_exception('no') }}{% endif %}"
        "{% for m in messages %}{{ m.content }}{% endfor %}"
    )
    with pytest.raises(InvalidInput):
        template(source).render([PromptMessage("assistant", "Hi")])


@pytest.mark.parametrize(
    "source",
    [
        "{% for",
        "{{ undefined.attribute }}",
        "no message at all",
        "{{ messages.__class__.__mro__ }}{{ messages[0].content }}",
        "{{ ''.__class__.__base__.__subclasses__() }}Hello",
        "{{ cycler.__init__.__globals__.os.system('id') }}Hello",
        "{{ 'a' * 10 ** 10 }}Hello",
        "{{ 'a' * 100000000 }}Hello",
        "{{ (('a' * 60000) | list) * 60000 }}Hello",
        "{{ '%1000000000d' % 1 }}Hello",
        "{{ 'a'.ljust(1000000000) }}Hello",
        "{{ 'a' | center(1000000000) }}Hello",
        "{% for i in range(10 ** 9) %}x{% endfor %}Hello",
        "{% for i in range(99999) %}{{ 'abcdefghijklmnopqrstuvwxyz' }}{% endfor %}Hello",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}Hello",
        "{% include 'other' %}Hello",
        "{{ messages.append(1) }}Hello",
    ],
)
def test_broken_or_hostile_template_is_replaced_by_chatml(source: str) -> None:
    started = time.monotonic()
    assert template(source).render(HELLO) == [Span(CHATML_HELLO, special=True)]
    assert time.monotonic() - started < 30


def test_loop_without_end_is_given_up() -> None:
    source = (
        "{% for i in range(99999) %}{% for j in range(99999) %}{% set x = i + j %}"
        "{% endfor %}{% endfor %}Hello"
    )
    assert template(source).render(HELLO) == [Span(CHATML_HELLO, special=True)]
