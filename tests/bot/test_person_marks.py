"""Marks: the same for every writing of one mailbox, different for different ones, and no address in them."""

import pytest

from bot.keys import generate
from bot.person_marks import folded_address, marking, unmarked

KEY = generate()


@pytest.mark.parametrize(
    "address",
    [
        "maya@example.com",
        " Maya@Example.COM ",
        "MAYA+approvals@example.com",
        "maya+a+b@example.com.",
        "\uff4d\uff41\uff59\uff41@example.com",
    ],
)
def test_one_mailbox_has_one_mark(address: str) -> None:
    """Case, width, spaces, a dot at the end and what follows a plus make no other mailbox."""
    assert folded_address(address) == "maya@example.com"
    assert marking(KEY)(address, None) == marking(KEY)("maya@example.com", None)


@pytest.mark.parametrize("address", ["", "maya", "@example.com", "maya@", "@"])
def test_what_is_no_address_marks_nobody(address: str) -> None:
    """Else everybody without an address would be one person."""
    assert folded_address(address) is None
    assert marking(KEY)(address, None) == frozenset()


def test_two_mailboxes_have_two_marks() -> None:
    """Another name, another host, a dot, or a plus in front is another mailbox."""
    others = ["m.aya@example.com", "maya@example.org", "+maya@example.com", "jonas@example.com"]
    marks = [marking(KEY)(address, None) for address in ("maya@example.com", *others)]
    assert len(set(marks)) == len(marks)


def test_a_host_in_other_letters_is_the_same_host() -> None:
    """Unicode and its ASCII form are one host; what has no such form stays as it is."""
    assert folded_address("a@b\u00fccher.example") == "a@xn--bcher-kva.example"
    assert folded_address(f"a@{'x' * 70}.example") == f"a@{'x' * 70}.example"


def test_a_mark_tells_no_address_and_is_of_its_kind_and_server() -> None:
    """An identity that reads like an address is none; another key makes other marks; without a key there is none."""
    (mail,), (identity,) = marking(KEY)("maya@example.com", None), marking(KEY)(None, "maya@example.com")
    assert mail.partition(":")[0] == "e-mail"
    assert identity.partition(":")[0] == "identity"
    assert mail.partition(":")[2] != identity.partition(":")[2]
    assert "maya" not in mail + identity
    assert marking(generate())("maya@example.com", None) != {mail}
    assert unmarked("maya@example.com", "W0MAYA") == frozenset()
