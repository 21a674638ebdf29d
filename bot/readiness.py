"""Whether the server is fit to serve, with the reasons, for `/readyz`. It looks at few things, and repairs none."""

from collections.abc import Iterator, Sequence

from bot.desk.drilling import Drills
from bot.desk.wiring import PolicyInForce, Wiring
from bot.factor_needs import lacks_pages
from bot.lookups.asking import Lookups
from bot.metrics import Metrics
from bot.policy_watch import PolicyWatch
from bot.settings import Settings
from bot.store import guards
from bot.store.rows import Row
from bot.store.writer import Writer
from bot.witnessing import Witnesses
from handlers.counting import counted
from handlers.http.ports import Check


async def checks(  # one for each thing that can be unfit
    wiring: Wiring,
    watch: PolicyWatch,
    lookups: Lookups,
    metrics: Metrics,
    settings: Settings,
    drills: Drills,
    witnesses: Witnesses,
) -> Sequence[Check]:
    """Look at everything without which no answer could be trusted."""
    writer, policy = wiring.writer, wiring.policy
    drill = await drills.standing()
    return (
        Check("database", ok=writer.healthy, detail="writable" if writer.healthy else "the last write failed"),
        *_key_checks(writer),
        *_schema_checks(await wiring.reads.glance().rows(guards.MADE, {})),
        Check("policy", ok=watch.fault is None, detail=watch.told),
        *_lookup_checks(policy, lookups),
        *_factor_checks(policy, settings),
        Check("drill", ok=not drill.failed, detail=drill.told),
        *witnesses.checks(),
        # Told, and no reason to turn people away: one agent's dead receiver must not take the server off the line.
        Check("outbox", ok=True, detail=counted(metrics.outbox_dead, "dead letter")),
    )


def _key_checks(writer: Writer) -> Iterator[Check]:
    """Tell where the data keys cannot be read, without saying where they lie: nothing is written until they can."""
    if writer.keys_fault() is not None:
        yield Check(
            "data keys", ok=False, detail="they cannot be read, so nothing is written; `foureyes doctor` says why"
        )


def _schema_checks(rows: Sequence[Row]) -> Iterator[Check]:
    """Tell what somebody did to the tables; the log itself says whether anything was changed meanwhile."""
    if found := [*guards.faults(rows)]:
        yield Check(
            "schema", ok=True, detail=f"{'; '.join(found)}. A restart puts triggers back; see who can write the file"
        )


def _lookup_checks(policy: PolicyInForce, lookups: Lookups) -> Iterator[Check]:
    """Tell whether the settings have what the policy's lookups need, where there are any."""
    every = [lookup for one in policy.folder.policies.values() for lookup in one.lookups.values()]
    if every:
        missing = sum(lookups.missing(lookup) is not None for lookup in every)
        detail = f"{counted(missing, 'fact')} cannot be looked up; see `foureyes doctor`" if missing else "set up"
        yield Check("lookups", ok=not missing, detail=detail)


def _factor_checks(policy: PolicyInForce, settings: Settings) -> Iterator[Check]:
    """Tell of a policy that came into force since the start and asks for passkeys that nobody can use."""
    if lacks_pages(policy.folder, settings.public_url):
        yield Check(
            "second factor", ok=False, detail="passkeys are asked for and there is no page; see `foureyes doctor`"
        )
