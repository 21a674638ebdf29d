"""A shell beside a running server: the whole product in this event loop, and commands that use its files."""

from dataclasses import dataclass

from tests.bot.cli.shell import Ended, Shell
from tests.world import World


@dataclass(frozen=True, slots=True)
class Living:
    """A server with its Slack, and a shell that is set up for it."""

    world: World
    shell: Shell

    async def __call__(self, *arguments: str) -> Ended:
        """Run a command while the server goes on."""
        return await self.shell.beside(*arguments)

    async def ask(self, *arguments: str, amount: str = "180") -> Ended:
        """Run `ask` for a refund."""
        args = ("--tool", "payments.refund", "--summary", "The parcel arrived broken.", "--arg", f"amount_usd={amount}")
        ids = ("--arg", "order_id=ORD-1", "--arg", "customer_id=C-1")
        return await self("ask", *args, *ids, "--url", self.world.url, *arguments)
