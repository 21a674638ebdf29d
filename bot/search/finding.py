"""Searches: the index says where to look, and what is found is folded again and checked before it is shown.

So a row of the index that is late or wrong can hide a proposal, and never show one that does not fit.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING
from typing import Final

from approval_rules.people import ProposalId
from approval_rules.state import Proposal
from approval_rules.times import format_time
from bot.person_marks import Marking
from bot.search import places
from bot.search.cursor import cursor, place_in
from bot.search.folding import millionths, money_in, terms_of, words_of
from bot.search.index import indexed_and_size
from bot.search.people import pseudonyms_of
from bot.search.showing import hit_of
from bot.search.words import Marker, words_in
from bot.store import rows
from bot.store.past import one_view
from bot.store.rows import Loaded
from handlers.audit_desk import Hit, SearchPage, Sought, SoughtError

_MOST_CHECKED: Final = 300
_LARGEST: Final = 2**62
_PROPOSAL: Final = "SELECT proposal FROM search_rows WHERE seq = ?"
_AGENTS: Final = "SELECT id FROM agents WHERE name = ?"


@dataclass(frozen=True, slots=True)
class Finder:
    """Searches one database. `mark` and `marks` hash words and addresses as the server does."""

    connection: sqlite3.Connection
    mark: Marker
    marks: Marking

    def page(self, sought: Sought, limit: int, after: str | None, *, values: bool) -> SearchPage:
        """Find at most `limit` proposals, newest first; raises SoughtError. Without `values` no value is shown."""
        top = places.TOP if after is None else place_in(sought, after)
        with one_view(self.connection):
            wanted = _Wanted.of(self.connection, sought, self.marks)
            hits: list[Hit] = []
            go_on: int | None = None
            for checked, (place, agreed) in enumerate(self._walk(sought, wanted, top), 1):
                if not agreed or len(hits) == limit or checked > _MOST_CHECKED + limit:
                    go_on = place
                    break
                loaded = self._at(place)
                if loaded is not None and wanted.fits(loaded):
                    hits.append(hit_of(self.connection, loaded, values=values))
            following = None if go_on is None else cursor(sought, go_on)
            return SearchPage(hits, following, *indexed_and_size(self.connection))

    def _walk(self, sought: Sought, wanted: "_Wanted", top: int) -> Iterator[tuple[int, bool]]:
        """Walk the places that all filters name."""
        connection = self.connection
        bottom = 0
        if sought.since is not None:
            first = connection.execute(places.FIRST_SINCE, (format_time(sought.since),)).fetchone()
            if first is None:
                return iter(())
            bottom = first[0]
        if sought.until is not None:
            last = connection.execute(places.LAST_BEFORE, (format_time(sought.until),)).fetchone()
            if last is None:
                return iter(())
            top = min(top, last[0])
        filters = [places.word(connection, self.mark(word)) for word in sorted(wanted.words)]
        filters += [places.any_term(connection, terms) for terms in wanted.terms]
        if wanted.amount is not None:
            filters.append(places.amounts(connection, *wanted.amount))
        return places.matching(filters or [places.every_row(connection)], top, bottom)

    def _at(self, place: int) -> Loaded | None:
        (subject,) = self.connection.execute(_PROPOSAL, (place,)).fetchone()
        where = {"subject": ProposalId(subject)}
        entries = self.connection.execute(rows.ENTRIES_OF, where).fetchall()
        return rows.loaded_from(
            rows.recorded_from(entries, self.connection.execute(rows.DETACHED_OF, where).fetchall())
        )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A search with names resolved: groups of terms of which one must be there, words, and an amount in millionths."""

    sought: Sought
    terms: tuple[frozenset[str], ...]
    words: frozenset[str]
    amount: tuple[str, int, int] | None

    @classmethod
    def of(cls, connection: sqlite3.Connection, sought: Sought, marks: Marking) -> "_Wanted":
        """Resolve names as of now; raises SoughtError."""
        terms: list[frozenset[str]] = []
        if sought.person is not None:
            people = pseudonyms_of(connection, sought.person, marks)
            terms.append(frozenset(f"person:{ref}" for ref in people))
        if sought.agent is not None:
            ids = {sought.agent, *(row[0] for row in connection.execute(_AGENTS, (sought.agent,)))}
            terms.append(frozenset(f"agent:{ident}" for ident in ids))
        for kind, value in (("tool", sought.tool), ("rule", sought.rule), ("state", sought.state)):
            if value is not None:
                terms.append(frozenset({f"{kind}:{value}"}))
        words = frozenset(words_in([sought.text or ""]))
        if sought.text is not None and not words:
            raise SoughtError("text", "has no letter or digit to search by")
        return cls(sought, tuple(terms), words, _amount(sought))

    def fits(self, loaded: Loaded) -> bool:
        """Check a proposal as it is now, with the values that still live."""
        sought, proposal = self.sought, loaded.proposal
        if sought.since is not None and proposal.created_at < sought.since:
            return False
        if sought.until is not None and proposal.created_at >= sought.until:
            return False
        terms = terms_of(loaded) if self.terms else frozenset()
        if not all(group & terms for group in self.terms):
            return False
        return self._pays(proposal) and (not self.words or self.words <= words_of(loaded))

    def _pays(self, proposal: Proposal) -> bool:
        least, most, currency = self.sought.least, self.sought.most, self.sought.currency
        return currency is None or any(
            each == currency and (least is None or amount >= least) and (most is None or amount <= most)
            for each, amount in money_in(proposal)
        )


def _amount(sought: Sought) -> tuple[str, int, int] | None:
    """Give the bounds in millionths; an amount there is rounded down, so the upper bound holds for it too."""
    if sought.currency is None:
        return None
    least = -_LARGEST if sought.least is None else millionths(sought.least)
    most = _LARGEST if sought.most is None else int((sought.most * 1_000_000).to_integral_value(ROUND_CEILING))
    return sought.currency, least, most
