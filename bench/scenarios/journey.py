"""Journeys: people who browse and sometimes order, and an integration that books with a token. Closed loop.

Each user waits for its answers, so this finds neither capacity nor the latency that arrivals which do not wait would feel.
By hand, fifty users for a minute; --think is the mean time between two steps:

    locust -f bench/scenarios/journey.py --host http://127.0.0.1:8080 --users 50 --spawn-rate 50 --think 0.5 --duration 60

Without --tokens every user is a Browser.
"""

from locust import tag, task

from bench.load.journey import JourneyUser
from bench.load.options import declare

JOURNEY = declare("journey")


class Browser(JourneyUser):
    """Looks around, and orders once in a while."""

    weight = 4
    scenario = JOURNEY

    @tag("browse")
    @task(8)
    def look(self) -> None:
        """List products and look at one."""
        self.step("catalog.products.list")
        self.wait()
        self.step("catalog.products.read")
        self.wait()
        self.step("catalog.products.related")

    @tag("order")
    @task(2)
    def order(self) -> None:
        """Find a product, put it into a cart, order."""
        self.step("catalog.products.search")
        self.wait()
        self.step("carts.create")
        self.step("carts.items.add")
        self.wait()
        self.step("carts.totals")
        self.wait()
        self.step("orders.by_user.create")


class Integration(JourneyUser):
    """A program of a merchant that books with its token."""

    needs_token = True
    scenario = JOURNEY

    @tag("token")
    @task
    def book(self) -> None:
        """Create an order, have it paid, and write the journal."""
        self.step("orders.create")
        self.step("payments.create")
        self.step("payments.capture")
        self.wait()
        self.step("ledger.journals.post")
