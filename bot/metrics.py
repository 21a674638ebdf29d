"""What Prometheus reads. Counters follow commits; gauges follow a sweep: a scrape costs the same at any size."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST


class Metrics:
    """One registry for one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._events = Counter(
            "foureyes_events", "Events recorded since this server started, by type.", ["type"], registry=self._registry
        )
        self._denials = Counter(
            "foureyes_denials", "Denials since this server started, by category.", ["category"], registry=self._registry
        )
        self._pending = Gauge("foureyes_pending", "Proposals that wait for people.", registry=self._registry)
        self._paused = Gauge("foureyes_paused", "Pauses in force.", registry=self._registry)
        self._incident = Gauge("foureyes_incident", "1 while an incident is on.", registry=self._registry)
        self._outbox = Gauge(
            "foureyes_outbox", "Outbox rows that are waiting, or dead.", ["state"], registry=self._registry
        )
        self._policy_faulty = Gauge(
            "foureyes_policy_reload_failed", "1 while the policy folder on disk is refused.", registry=self._registry
        )
        self._candidate_faulty = Gauge(
            "foureyes_policy_candidate_failed",
            "1 while the candidate policy is off by a fault.",
            registry=self._registry,
        )
        self._breaches = Counter(
            "foureyes_contract_violations",
            "Proposals refused because their arguments broke the tool's contract.",
            ["agent", "tool"],
            registry=self._registry,
        )
        self._exceeded = Counter(
            "foureyes_budget_exceeded",
            "Proposals refused because a budget was used up or a run went in circles.",
            ["budget"],
            registry=self._registry,
        )
        self._lookups = Counter(
            "foureyes_lookups",
            "Facts that were looked up for proposals, by what came of it: found or failed.",
            ["tool", "fact", "result"],
            registry=self._registry,
        )
        self._drill_ok = Gauge(
            "foureyes_drill_ok", "1 where the last drill held, 0 where it failed.", registry=self._registry
        )
        self._drill_at = Gauge(
            "foureyes_drill_timestamp_seconds",
            "When the last drill of the kill switch was held.",
            registry=self._registry,
        )
        self._witness_ok = Gauge(
            "foureyes_witness_ok",
            "1 where a witness of the log was reached last.",
            ["witness"],
            registry=self._registry,
        )
        self.outbox_dead = 0

    def count(self, kinds: Mapping[str, int]) -> None:
        """Count the events of a commit."""
        for kind, number in kinds.items():
            self._events.labels(kind).inc(number)

    def count_denials(self, categories: Mapping[str, int]) -> None:
        """Count the denials of a commit."""
        for category, number in categories.items():
            self._denials.labels(category).inc(number)

    def count_breach(self, agent: str, tool: str) -> None:
        """Count a proposal whose arguments broke the contract."""
        self._breaches.labels(agent, tool).inc()

    def count_exceeded(self, budget: str) -> None:
        """Count a proposal that was over a budget."""
        self._exceeded.labels(budget).inc()

    def show_witness(self, witness: str, *, ok: bool) -> None:
        """Show whether a witness could be reached."""
        self._witness_ok.labels(witness).set(ok)

    def count_lookup(self, tool: str, fact: str, result: str) -> None:
        """Count a fact that was looked up, `found` or `failed`."""
        self._lookups.labels(tool, fact, result).inc()

    def show(self, *, pending: int, paused: int, waiting: int, dead: int, incident: bool) -> None:
        """Set the gauges."""
        self._incident.set(incident)
        self._pending.set(pending)
        self._paused.set(paused)
        self._outbox.labels("waiting").set(waiting)
        self._outbox.labels("dead").set(dead)
        self.outbox_dead = dead

    def show_drill(self, *, ok: bool, held_at: float) -> None:
        """Show what came of the last drill, and when (seconds since 1970)."""
        self._drill_ok.set(ok)
        self._drill_at.set(held_at)

    def policy_refused(self, *, refused: bool) -> None:
        """Raise or clear the alarm about the policy folder."""
        self._policy_faulty.set(1 if refused else 0)

    def candidate_failed(self, *, failed: bool) -> None:
        """Raise or clear the alarm about the candidate policy."""
        self._candidate_faulty.set(1 if failed else 0)

    def exposition(self) -> tuple[bytes, str]:
        """Give the text and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
