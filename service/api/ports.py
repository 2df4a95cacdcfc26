"""What the API needs of the service behind it."""

from collections.abc import Sequence
from typing import Any, Protocol

from alerting.desks.duty_room import DutyRoom
from alerting.incidents.attachments import AttachmentStore
from alerting.incidents.closed_loop import ClosedLoopRules
from alerting.notify.outbox import Outbox
from alerting.response.response import Response
from alerting.siteplans.images import PlanImages
from alerting.siteplans.plans import SitePlans
from domain.site import Site
from rules.arrivals import Latest
from service.accounts import ApiToken
from service.accounts.book import AccountBook
from service.accounts.control import AccountControl
from service.changes.backtests import Host
from service.changes.control import ChangeControl
from service.drills.runner import DrillRunner
from service.evidence.making import EvidenceMaker
from service.kpi import KeyFigures, Scopes


class ServicePort(Host, Protocol):
    """The running service as the API sees it. Reads go to the ledger and the historian; acts go through here."""

    @property
    def site(self) -> Site:
        """What is watched."""
        ...

    @property
    def latest(self) -> Latest:
        """The newest sample of each tag, one row per ``Site.tags``."""
        ...

    @property
    def tokens(self) -> Sequence[ApiToken]:
        """Bearer tokens of the main file."""
        ...

    @property
    def accounts(self) -> AccountBook:
        """Accounts and sessions."""
        ...

    @property
    def account_control(self) -> AccountControl:
        """Signing in, and changing accounts."""
        ...

    @property
    def duty_room(self) -> DutyRoom:
        """Desks with their floods, attendance and handovers; which drill runs."""
        ...

    @property
    def drills(self) -> DrillRunner:
        """What plays drills."""
        ...

    @property
    def response(self) -> Response:
        """Contacts, plans and cards; the clocks of incidents and the messages to people."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What leaves, and the channels that it leaves by."""
        ...

    @property
    def closed_loop(self) -> ClosedLoopRules:
        """What of the closed loop is data."""
        ...

    @property
    def attachments(self) -> AttachmentStore:
        """Where the files of incidents are."""
        ...

    @property
    def site_plans(self) -> SitePlans:
        """Images of enterprises and units, with the places of their tags."""
        ...

    @property
    def site_plan_images(self) -> PlanImages:
        """Where the files of site plans are."""
        ...

    @property
    def changes(self) -> ChangeControl:
        """Changes of rules: proposals, their backtests, what is watched in shadow."""
        ...

    @property
    def key_figures(self) -> KeyFigures:
        """Key figures from the journal."""
        ...

    def scopes(self) -> Scopes:
        """Whose key figures there are."""
        ...

    def evidence(self) -> EvidenceMaker:
        """What makes evidence, by the configuration as it is now."""
        ...

    @property
    def version(self) -> str:
        """Of the service."""
        ...

    def health(self) -> dict[str, Any]:
        """The document of ``models.Health``."""
        ...

    def gateways(self) -> list[dict[str, Any]]:
        """Documents of ``models.Gateway``."""
        ...

    def sequence(self) -> int:
        """Number of the last committed journal entry; 0: there is none."""
        ...
