"""Second factors in the rules: nobody vouches for himself, a lock needs nobody else, and what is gone stays gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.factor_events import FactorEvent, FactorRefused, Held
from approval_rules.factors import (
    CONFIRM_WITHIN,
    Credential,
    Factors,
    Wish,
    confirm,
    enrol,
    evolve_factors,
    fold_factors,
    lock,
    lock_after_failures,
    recover,
    recovery_codes,
    refuse,
    remove,
)
from approval_rules.people import Flaw, PersonId, Standing, human, operator
from approval_rules.refusals import Refusal

AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
MAYA, ADA, BEA = PersonId("maya"), PersonId("ada"), PersonId("bea")


def wish(by: PersonId = ADA, *, may: bool = True, flaw: Flaw | None = None, at: datetime = AT) -> Wish:
    """Somebody wants something done with Maya's factors."""
    return Wish(at, human(by), MAYA, Standing(by, flaw=flaw), may)


OWN = wish(MAYA, may=False)
AT_THE_MACHINE = Wish(AT, operator(PersonId("root")), MAYA, None, may=True)


def after(held: Factors, events: tuple[FactorEvent, ...]) -> Factors:
    """Apply events."""
    for event in events:
        held = evolve_factors(held, event)
    return held


def states(held: Factors) -> dict[str, str]:
    """Name the state of each."""
    return {one.id: one.state for one in held.values()}


def code(events: tuple[FactorEvent, ...]) -> Refusal:
    """The one reason why something did not count."""
    (event,) = events
    assert isinstance(event, FactorRefused)
    return event.code


def waiting(held: Factors | None = None, name: str = "one", factor: Held = "totp") -> Factors:
    """Maya has enrolled something, with recovery codes."""
    held = held or {}
    return after(held, enrol(held, OWN, name, factor, f"{name}-codes"))


def confirmed(held: Factors, name: str = "one") -> Factors:
    """Ada has confirmed it."""
    return after(held, confirm(held, wish(), name))


ACTIVE = confirmed(waiting())


def test_another_person_makes_it_count() -> None:
    """An enrolment waits, with its codes, until somebody who may has confirmed it."""
    held = waiting()
    assert states(held) == {"one": "waiting", "one-codes": "waiting"}
    assert held["one"].asks == "enrolment"
    assert held["one-codes"].asks is None
    assert recovery_codes(held) is None
    assert states(confirmed(held)) == {"one": "active", "one-codes": "active"}
    assert recovery_codes(ACTIVE) == ACTIVE["one-codes"]
    assert ACTIVE["one"].asks is None


@pytest.mark.parametrize("by", [wish(MAYA), OWN, replace(AT_THE_MACHINE, by=human(MAYA))])
def test_nobody_confirms_his_own(by: Wish) -> None:
    """Whatever his roles are, and whatever account he uses: the person is the same."""
    assert code(confirm(waiting(), by, "one")) is Refusal.OWN_FACTOR


def test_only_those_who_may_confirm_do() -> None:
    """A colleague without the role does not, nor one whom Slack cannot vouch for."""
    assert code(confirm(waiting(), wish(may=False), "one")) is Refusal.NOT_FACTOR_ADMIN
    assert code(confirm(waiting(), wish(flaw=Flaw.DIRECTORY_DOWN), "one")) is Refusal.DIRECTORY_DOWN
    assert states(after(waiting(), confirm(waiting(), AT_THE_MACHINE, "one")))["one"] == "active"


def test_what_does_not_wait_is_not_confirmed() -> None:
    """Neither an unknown one, nor one that counts, nor one that is gone."""
    gone = after(waiting(), refuse(waiting(), wish(), "one"))
    for held, name in ((waiting(), "two"), (ACTIVE, "one"), (gone, "one"), (ACTIVE, "one-codes")):
        assert code(confirm(held, wish(), name)) is Refusal.NOT_WAITING


def test_an_old_enrolment_is_over() -> None:
    """What nobody confirmed within a week can no longer be confirmed."""
    assert code(confirm(waiting(), wish(at=AT + CONFIRM_WITHIN), "one")) is Refusal.EXPIRED
    just = wish(at=AT + CONFIRM_WITHIN - timedelta(seconds=1))
    assert states(after(waiting(), confirm(waiting(), just, "one")))["one"] == "active"


def test_a_refused_enrolment_is_gone_with_its_codes() -> None:
    """An admin says no, or the person himself; anybody else does not."""
    for by in (wish(), OWN):
        assert states(after(waiting(), refuse(waiting(), by, "one"))) == {"one": "removed", "one-codes": "removed"}
    assert code(refuse(waiting(), wish(BEA, may=False), "one")) is Refusal.NOT_FACTOR_ADMIN
    assert code(refuse(ACTIVE, wish(), "one")) is Refusal.NOT_WAITING
    assert code(refuse(ACTIVE, wish(), "nothing")) is Refusal.NOT_WAITING
    assert code(refuse(waiting(), wish(flaw=Flaw.GUEST), "one")) is Refusal.GUEST


def test_a_new_app_takes_the_old_ones_place_when_it_is_confirmed() -> None:
    """Until then the old one counts; after it the old one and its codes never do again."""
    both = waiting(ACTIVE, "two")
    assert states(both) == {"one": "active", "one-codes": "active", "two": "waiting", "two-codes": "waiting"}
    assert states(confirmed(both, "two")) == {
        "one": "removed",
        "one-codes": "removed",
        "two": "active",
        "two-codes": "active",
    }


def test_the_next_enrolment_replaces_one_that_waits() -> None:
    """An admin can never confirm the older of two by error."""
    assert states(waiting(waiting(), "two")) == {
        "one": "removed",
        "one-codes": "removed",
        "two": "waiting",
        "two-codes": "waiting",
    }


def test_passkeys_stand_beside_each_other() -> None:
    """Each device has its own; one that is confirmed removes no other, and confirms no other."""
    held = after(ACTIVE, enrol(ACTIVE, OWN, "key", "passkey", None))
    held = confirmed(held, "key")
    held = after(held, enrol(held, OWN, "key2", "passkey", None))
    assert states(confirmed(held, "key2")) == {
        "one": "active",
        "one-codes": "active",
        "key": "active",
        "key2": "active",
    }


def test_codes_are_confirmed_only_with_what_they_came_with() -> None:
    """A stranger's waiting app with its codes does not become good because the person's passkey is confirmed."""
    held = waiting(None, "strangers")
    held = after(held, enrol(held, OWN, "key", "passkey", None))
    held = confirmed(held, "key")
    assert states(held) == {"strangers": "waiting", "strangers-codes": "waiting", "key": "active"}
    held = after(held, refuse(held, wish(), "strangers"))
    assert states(held) == {"strangers": "removed", "strangers-codes": "removed", "key": "active"}


def test_a_lock_by_oneself_keeps_the_recovery_codes() -> None:
    """They are what one needs when the phone is lost; what waited is gone."""
    held = after(waiting(ACTIVE, "two"), lock(waiting(ACTIVE, "two"), OWN))
    assert states(held) == {"one": "locked", "one-codes": "active", "two": "removed", "two-codes": "removed"}


def test_a_lock_by_an_admin_stops_the_codes_too() -> None:
    """Who was locked by somebody else cannot let himself in again; whoever unlocks it unlocks both."""
    held = after(ACTIVE, lock(ACTIVE, wish()))
    assert states(held) == {"one": "locked", "one-codes": "locked"}
    assert code(confirm(held, OWN, "one")) is Refusal.OWN_FACTOR
    assert states(confirmed(held)) == {"one": "active", "one-codes": "active"}


def test_a_lock_needs_a_person_who_may() -> None:
    """A colleague cannot lock somebody out; and where nothing counts, nothing is locked."""
    assert code(lock(ACTIVE, wish(BEA, may=False))) is Refusal.NOT_FACTOR_ADMIN
    assert code(lock(ACTIVE, wish(flaw=Flaw.STRANGER))) is Refusal.STRANGER
    assert code(lock({}, OWN)) is Refusal.NOT_WAITING
    assert states(after(ACTIVE, lock(ACTIVE, wish(MAYA, flaw=Flaw.DIRECTORY_DOWN))))["one"] == "locked"
    assert code(lock(ACTIVE, wish(flaw=Flaw.DIRECTORY_DOWN))) is Refusal.DIRECTORY_DOWN


def test_wrong_codes_lock_one_factor() -> None:
    """The lock is the system's, and another person ends it; the codes that came with it are as they were."""
    held = after(ACTIVE, (lock_after_failures(AT, ACTIVE["one"]),))
    assert states(held) == {"one": "locked", "one-codes": "active"}
    assert states(confirmed(held)) == {"one": "active", "one-codes": "active"}


def test_a_removal_needs_a_second_person() -> None:
    """Neither who asked nor whose it is can confirm it; with the last factor its codes go."""
    for asker in (OWN, wish()):
        asked = after(ACTIVE, remove(ACTIVE, asker, "one"))
        assert states(asked)["one"] == "active"
        assert asked["one"].asks == "removal"
        own = code(confirm(asked, asker, "one"))
        assert own is (Refusal.OWN_FACTOR if asker is OWN else Refusal.OTHER_ADMIN_NEEDED)
        gone = after(asked, confirm(asked, wish(BEA), "one"))
        assert states(gone) == {"one": "removed", "one-codes": "removed"}
        kept = after(asked, refuse(asked, wish(BEA), "one"))
        assert kept["one"].asks is None
        assert code(remove(asked, asker, "one")) is Refusal.NOT_WAITING
        assert code(remove(gone, asker, "one")) is Refusal.NOT_WAITING


def test_one_of_several_can_be_removed() -> None:
    """The codes stay while there is something left that they could replace."""
    held = confirmed(after(ACTIVE, enrol(ACTIVE, OWN, "key", "passkey", None)), "key")
    held = after(held, remove(held, OWN, "key"))
    assert states(confirmed(held, "key")) == {"one": "active", "one-codes": "active", "key": "removed"}


def test_what_nobody_confirmed_yet_one_removes_at_once() -> None:
    """It never counted, so nobody must look."""
    held = waiting()
    assert states(after(held, remove(held, OWN, "one"))) == {"one": "removed", "one-codes": "removed"}
    assert code(remove(held, wish(BEA, may=False), "one")) is Refusal.NOT_FACTOR_ADMIN
    assert code(remove(held, OWN, "nothing")) is Refusal.NOT_WAITING
    assert code(remove(held, wish(flaw=Flaw.BOT), "one")) is Refusal.BOT


def test_a_recovery_code_stands_in_for_the_other_person() -> None:
    """The new app counts at once and the old one no more; the rest of the codes still work."""
    held = waiting(ACTIVE, "strangers")
    held = after(held, recover(held, OWN, "two", "totp", 9))
    assert states(held) == {
        "one": "removed",
        "one-codes": "active",
        "strangers": "removed",
        "strangers-codes": "removed",
        "two": "active",
    }
    again = after(held, recover(held, OWN, "three", "totp", 8))
    assert (again["two"].state, again["three"].state) == ("removed", "active")


def test_without_good_codes_there_is_no_recovery() -> None:
    """Codes that wait, or that an admin has locked, stand in for nobody."""
    locked = after(ACTIVE, lock(ACTIVE, wish()))
    for held in ({}, waiting(), locked):
        assert code(recover(held, OWN, "two", "totp", 9)) is Refusal.FACTOR_REFUSED


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enrol", "key", "confirm", "refuse", "lock", "remove", "fail"]),
        st.sampled_from([(MAYA, False), (MAYA, True), (BEA, False)]),
        st.integers(0, 5),
    ),
    max_size=25,
)


@given(_STEPS)
def test_alone_nobody_gets_a_factor_that_counts(steps: list[tuple[str, tuple[PersonId, bool], int]]) -> None:
    """Whatever the person himself and people without the role do, in any order: nothing of it ever counts."""
    events: list[FactorEvent] = []
    for number, (act, (by, may), pick) in enumerate(steps):
        held = fold_factors(events)
        asked = wish(by, may=may)
        name = f"cred{pick}"
        match act:
            case "enrol":
                events += enrol(held, asked, f"cred{number}", "totp", f"codes{number}")
            case "key":
                events += enrol(held, asked, f"cred{number}", "passkey", None)
            case "confirm":
                events += confirm(held, asked, name)
            case "refuse":
                events += refuse(held, asked, name)
            case "lock":
                events += lock(held, asked)
            case "remove":
                events += remove(held, asked, name)
            case _:
                events += [lock_after_failures(AT, one) for one in held.values() if one.state == "active"]
    assert {one.state for one in fold_factors(events).values()} <= {"waiting", "removed"}


def test_the_fold_is_what_happened() -> None:
    """The state comes from the events alone."""
    held = fold_factors([*enrol({}, OWN, "one", "totp", None), *confirm(waiting(), wish(), "one")[:1]])
    assert held == {"one": Credential("one", MAYA, "totp", "active", AT)}


def test_a_second_account_confirms_nothing_of_ones_own() -> None:
    """Neither the factor of one's other account, nor what one asked for by it."""
    waiting = after({}, enrol({}, wish(MAYA, may=False), "cred_1", "totp", None))
    other = replace(wish(ADA), standing=Standing(ADA, others=frozenset({MAYA})))
    assert code(confirm(waiting, other, "cred_1")) is Refusal.OWN_FACTOR
    active = after(waiting, confirm(waiting, wish(ADA), "cred_1"))
    asked = after(active, remove(active, wish(BEA), "cred_1"))
    same = replace(wish(ADA), standing=Standing(ADA, others=frozenset({BEA})))
    assert code(confirm(asked, same, "cred_1")) is Refusal.OTHER_ADMIN_NEEDED
