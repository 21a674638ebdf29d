"""A small company and a very large one, as a report is made of them. Builds only; never asserts."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from approval_rules.access_events import Access
from approval_rules.conditions import compile_condition
from approval_rules.people import Account, Agent, AgentId, Flaw, PersonId, RoleName, ToolName
from approval_rules.policy import Policy, PolicyFolder, RoleMembers, Rule
from approval_rules.requirement import Initiation, Seat
from approval_rules.verdicts import Allow, Ask, Block
from bot.access.records import HeldKey, Records
from bot.access.report import Report, build
from bot.access.roster import Roster, SeenPerson, SeenRole
from bot.agents import OS_TEAM
from bot.store.reports import Kept

AT = datetime(2026, 3, 31, 9, 0, tzinfo=UTC)
HOME = "T0EXAMPLE"
MANAGER, FINANCE, DIRECTOR, POLICY = map(RoleName, ("support_manager", "finance", "director", "policy_admin"))
REFUND, KEYS = ToolName("payments.refund"), ToolName("keys.rotate")
PEOPLE = {
    "U0MAYA": SeenPerson("Maya Chen", None),
    "U0JONAS": SeenPerson("Jonas Weber", None),
    "U0PRIYA": SeenPerson("Priya Nair", None),
    "U0SAM": SeenPerson("Sam Okafor", None),
    "U0TOM": SeenPerson("Tom Ellis", Flaw.DEACTIVATED),
    "U0LENA": SeenPerson("Lena Fischer", Flaw.GUEST),
}


def ref(user: str) -> PersonId:
    """Name the person behind an account."""
    return PersonId(f"pers_{user.lower()}")


def rules() -> Mapping[ToolName, Policy]:
    """Refunds by amount, and keys that two kinds of people rotate, each with a passkey."""
    alone = Block("ask the board", Initiation(DIRECTOR, "passkey"), Ask((Seat(FINANCE, 2),), step_up="totp"))
    refund = (
        Rule(1, compile_condition("amount_usd <= 50"), Allow(), ""),
        Rule(2, compile_condition("amount_usd <= 500"), Ask((Seat(MANAGER, 2),), backup=DIRECTOR), ""),
        Rule(3, compile_condition("amount_usd > 5000"), alone, ""),
        Rule(4, None, Ask((Seat(MANAGER, 1), Seat(FINANCE, 1)), step_up="totp", excluded=("account_manager",)), ""),
    )
    keys = (Rule(1, compile_condition("environment == 'production'"), Ask((Seat(FINANCE, 2),), step_up="passkey"), ""),)
    return {REFUND: Policy(REFUND, refund), KEYS: Policy(KEYS, keys)}


def small() -> Report:
    """Make the report of a company of six."""
    roles = {
        MANAGER: SeenRole(frozenset({"U0MAYA", "U0JONAS", "U0TOM"}), "support-managers", frozenset({"U0PRIYA"})),
        FINANCE: SeenRole(frozenset({"U0MAYA", "U0SAM"}), None),
        DIRECTOR: SeenRole(frozenset(), "directors", lost=True),
        POLICY: SeenRole(frozenset({"U0SAM", "U0MAYA"}), None),
    }
    told = {name: RoleMembers(role.named, role.usergroup) for name, role in roles.items()}
    folder = PolicyFolder("sha256:" + "5" * 64, rules(), told, {})
    since = {MANAGER: {ref("U0MAYA"): AT - timedelta(days=300), ref("U0PRIYA"): AT - timedelta(days=4)}}
    records = Records(
        access=Access(since),
        accounts={
            **{ref(user): (Account(HOME, user), seen.name) for user, seen in PEOPLE.items()},
            PersonId("pers_root"): (Account(OS_TEAM, "root"), "root"),
        },
        agents=(
            Agent(AgentId("agent_1"), "key-bot", ref("U0LENA"), (KEYS, ToolName("keys.list"))),
            Agent(AgentId("agent_2"), "refund-bot", ref("U0SAM"), (REFUND,)),
        ),
        factors={ref("U0MAYA"): frozenset({"passkey"}), ref("U0SAM"): frozenset({"totp"})},
        voted={ref("U0MAYA"): AT - timedelta(days=1), ref("U0LENA"): AT - timedelta(days=30)},
        operated={PersonId("pers_root"): AT - timedelta(days=7)},
        keys=(HeldKey("operator", "ana.sousa", PersonId("pers_key"), "2026-01-12T09:00:00.000000Z"),),
    )
    return build(folder, Roster(HOME, roles, PEOPLE), records, AT)


def kept(report: Report) -> Kept:
    """Give a report a name that does not change with it."""
    return Kept("sha256:" + "a" * 64, report)


def large(people: int = 5_000, tools: int = 200) -> Report:
    """Make the report of a company of thousands: fifty roles, twenty people in each of them."""
    users = [f"U0P{number:06d}" for number in range(people)]
    names = [RoleName(f"role{number}") for number in range(50)]
    roles = {name: SeenRole(frozenset([*users[place::50], *users[:20]]), None) for place, name in enumerate(names)}
    policies = {}
    for number in range(tools):
        one, other = names[number % 50], names[(number + 1) % 50]
        told = (
            Rule(1, compile_condition("n <= 50"), Allow(), ""),
            Rule(2, compile_condition("n <= 500"), Ask((Seat(one, 2),)), ""),
            Rule(3, compile_condition("s == 'x'"), Ask((Seat(one, 1), Seat(other, 1)), step_up="passkey"), ""),
        )
        tool = ToolName(f"tool.{number}")
        policies[tool] = Policy(tool, told)
    refs = {user: ref(user) for user in users}
    records = Records(
        access=Access({name: {refs[user]: AT for user in role.members} for name, role in roles.items()}),
        accounts={refs[user]: (Account(HOME, user), user) for user in users},
        agents=tuple(Agent(AgentId(f"a{n}"), f"agent{n}", refs[users[n]], tuple(policies)[:50]) for n in range(100)),
        factors={refs[user]: frozenset({"passkey"}) for user in users[::2]},
        voted=dict.fromkeys(refs.values(), AT),
        operated={},
    )
    told_roles = {name: RoleMembers(role.named, None) for name, role in roles.items()}
    roster = Roster(HOME, roles, {user: SeenPerson(f"Person {user}", None) for user in users})
    return build(PolicyFolder("sha256:x", policies, told_roles, {}), roster, records, AT)
