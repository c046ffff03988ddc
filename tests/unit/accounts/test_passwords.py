"""Passwords that would be guessed are refused; the rest is measured honestly."""

import pytest
from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from allerac.accounts import Passwords
from allerac.accounts.codes import ALPHABET, new_code, normalise_code
from allerac.accounts.names import clean_name, name_key
from allerac.accounts.passwords import measure, require_strong
from allerac.errors import InvalidInput


@pytest.mark.parametrize(
    "password",
    ["", "short", "password", "Passw0rd!", "qwertyuiop", "12345678", "aaaaaaaaaaaa", "hallo123",
     "passwordpassword", "abcdefghijkl", "Allerac1", "P@ssw0rd2024"],
)  # fmt: skip
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert not measure(password).ok
    with pytest.raises(InvalidInput) as refused:
        require_strong(password, [])
    assert refused.value.fields["password"]


@pytest.mark.parametrize(
    "password",
    [
        "three quiet lanterns",
        "Kx9#vLq2",
        "ein grüner Apfel",
        "日本語のパスワードです",
        "p" + "xq7" * 6,
    ],
)
def test_what_is_hard_to_guess_is_taken(password: str) -> None:
    assert measure(password).ok


def test_a_name_with_a_number_is_refused_and_with_words_is_taken() -> None:
    assert not measure("anabelle1", ["Anabelle"]).ok
    assert measure("anabelle walks slowly home", ["Anabelle"]).ok


@given(st.text(max_size=200))
def test_any_text_gets_a_score_between_none_and_all(password: str) -> None:
    strength = measure(password)
    assert 0 <= strength.score <= 4
    assert strength.ok == (strength.score >= 2)


async def test_hash_is_argon2id_and_verifies_only_the_right_password() -> None:
    passwords = Passwords(memory_kib=64, passes=1)
    encoded = await passwords.hash("three quiet lanterns")
    assert encoded.startswith("$argon2id$")
    assert await passwords.verify(encoded, "three quiet lanterns")
    assert not await passwords.verify(encoded, "three quiet lantern")
    assert not await passwords.verify(None, "nobody has this password")
    assert not await passwords.verify("not a hash", "three quiet lanterns")


def test_shipped_parameters_are_those_that_owasp_recommends() -> None:
    hasher = Passwords()._hasher
    assert (hasher.memory_cost, hasher.time_cost, hasher.parallelism) == (19456, 2, 1)


async def test_nobody_takes_the_same_work_as_somebody() -> None:
    passwords = Passwords(memory_kib=64, passes=3)
    somebody = await passwords.hash("three quiet lanterns")
    assert extract_parameters(passwords._nobody) == extract_parameters(somebody)
    assert not passwords._verify(passwords._nobody, "")


def test_codes_have_no_signs_that_look_alike() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 32
    assert not set("IO01") & set(ALPHABET)


@given(st.integers(1, 6))
def test_a_code_survives_how_people_type_it(groups: int) -> None:
    code = new_code(groups)
    typed = f"  {code.lower().replace('-', ' ')} "
    assert normalise_code(typed) == code.replace("-", "")


@given(st.text("abcÄßﬁ é\u00a0", min_size=1, max_size=40).filter(lambda text: text.strip()))
def test_a_clean_name_stays_clean(text: str) -> None:
    name = clean_name(text)
    assert clean_name(name) == name


@pytest.mark.parametrize("name", ["", "   ", "a" * 65, "a\x00b", "a\u200bb", "\ud800"])
def test_a_name_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_name(name)
    assert refused.value.fields["name"]


def test_names_are_the_same_whatever_their_case_and_form() -> None:
    assert name_key("ANA") == name_key("ana")
    assert name_key("ﬁona") == name_key("FIONA")


@pytest.mark.parametrize(
    ("password", "names"),
    [
        ("lindqvist7", ["Ana Lindqvist"]),
        ("analindqvist", ["Ana Lindqvist"]),
        ("LINDQVIST!", ["ana lindqvist"]),
        ("gr\u00fcnewald1", ["Ben Gru\u0308newald"]),
    ],
)
def test_part_of_a_name_with_little_else_is_refused(password: str, names: list[str]) -> None:
    assert "made of a name" in measure(password, names).reason


def test_short_words_of_a_name_do_not_spoil_a_password() -> None:
    assert measure("der Apfelbaum", ["Otto von der Au"]).ok


async def test_hash_does_not_depend_on_how_a_keyboard_sends_a_letter() -> None:
    passwords = Passwords(memory_kib=64, passes=1)
    encoded = await passwords.hash("gru\u0308ner Apfelbaum")
    assert await passwords.verify(encoded, "gr\u00fcner Apfelbaum")
    assert not await passwords.verify(encoded, "gruner Apfelbaum")
