"""What Prometheus reads: counters by type of event, gauges as last set, nothing of another server's."""

from bot.metrics import Metrics


def lines(metrics: Metrics) -> set[str]:
    """What a scrape says, without comments and times of creation."""
    text, content_type = metrics.exposition()
    assert content_type.startswith("text/plain")
    return {line for line in text.decode().splitlines() if not line.startswith("#") and "_created" not in line}


def test_events_are_counted_by_type() -> None:
    """Counters add up over commits, one line a type."""
    metrics = Metrics()
    metrics.count({"proposal.submitted": 2, "proposal.approved": 1})
    metrics.count({"proposal.submitted": 3})
    found = lines(metrics)
    assert 'foureyes_events_total{type="proposal.submitted"} 5.0' in found
    assert 'foureyes_events_total{type="proposal.approved"} 1.0' in found


def test_gauges_show_the_last_sweep() -> None:
    """A gauge is what the last sweep saw; dead letters are readable for the readiness check too."""
    metrics = Metrics()
    assert metrics.outbox_dead == 0
    metrics.show(pending=4, paused=1, waiting=2, dead=3, incident=False)
    assert {
        "foureyes_pending 4.0",
        "foureyes_paused 1.0",
        'foureyes_outbox{state="waiting"} 2.0',
        'foureyes_outbox{state="dead"} 3.0',
    } <= lines(metrics)
    assert metrics.outbox_dead == 3
    metrics.show(pending=0, paused=0, waiting=0, dead=0, incident=False)
    assert "foureyes_pending 0.0" in lines(metrics)
    assert metrics.outbox_dead == 0


def test_a_refused_policy_is_an_alarm_that_can_be_cleared() -> None:
    """The alarm stands until the folder is good again."""
    metrics = Metrics()
    metrics.policy_refused(refused=True)
    assert "foureyes_policy_reload_failed 1.0" in lines(metrics)
    metrics.policy_refused(refused=False)
    assert "foureyes_policy_reload_failed 0.0" in lines(metrics)


def test_two_servers_in_one_process_count_apart() -> None:
    """Every server has its own registry."""
    one, other = Metrics(), Metrics()
    one.count({"x": 1})
    assert 'foureyes_events_total{type="x"} 1.0' not in lines(other)


def test_breaches_of_contracts_are_counted_by_agent_and_tool() -> None:
    """One line for each agent and tool."""
    metrics = Metrics()
    for agent in ("refund-bot", "refund-bot", "other-bot"):
        metrics.count_breach(agent, "payments.refund")
    assert {
        'foureyes_contract_violations_total{agent="refund-bot",tool="payments.refund"} 2.0',
        'foureyes_contract_violations_total{agent="other-bot",tool="payments.refund"} 1.0',
    } <= lines(metrics)
