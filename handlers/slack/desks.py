"""What stands behind Slack, one desk for each kind of wish. Holds no logic."""

from dataclasses import dataclass

from handlers.amending_desk import AmendingDesk
from handlers.desk import PeopleDesk
from handlers.factor_desk import FactorDesk
from handlers.initiation_desk import InitiationDesk
from handlers.key_desk import KeyDesk
from handlers.switch_desk import SwitchDesk
from handlers.weekly_desk import WeeklyDesk


@dataclass(frozen=True, slots=True)
class Desks:
    """Handed to the Slack edge as one thing."""

    people: PeopleDesk
    amending: AmendingDesk
    factors: FactorDesk
    starting: InitiationDesk
    switch: SwitchDesk
    weekly: WeeklyDesk
    keys: KeyDesk
