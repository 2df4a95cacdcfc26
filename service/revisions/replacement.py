"""All parts of a running service that depend on what is watched, made anew beforehand, to be put in at once."""

from dataclasses import dataclass

import numpy as np

from alerting.alarms.register import Register
from domain.samples import Int64
from historian.spool import Spool
from ingest.decoder import Decoder
from rules.engine import RuleEngine
from service import parts
from service.api.catalogue import Catalogue
from service.api.views import Views
from service.canary import RULE as CANARY_RULE
from service.conditions import SystemConditions, system_rows
from service.config import Settings
from service.gateways import Gateways
from service.pipeline import Pipeline
from service.recovery import rows_inside
from service.revisions.matching import Matching


@dataclass(frozen=True, slots=True)
class Replacement:
    """What takes the place of the parts of the same names."""

    settings: Settings
    matching: Matching
    changed_rows: Int64
    """Rows whose rule is new or has changed."""
    decoder: Decoder
    engine: RuleEngine
    gateways: Gateways
    system_rows: dict[str, int]
    views: Views
    catalogue: Catalogue
    canary_rule: int
    memory: int

    def put_in(self, pipeline: Pipeline, register: Register, conditions: SystemConditions, spool: Spool) -> None:
        """Take over what the parts in use know, and their place, at once: in the ``finish`` of a swap.

        ``register`` has been carried over to the new site already, and the spool's list of tags is prepared.
        """
        site, matching = self.settings.site, self.matching
        self.engine.take_over(pipeline.engine, matching.kept_tags, matching.kept_rows)
        # A condition whose rule has changed stays as the register has it until a reading shows otherwise.
        inside = rows_inside(site, register)
        self.engine.restore(inside[np.isin(inside, self.changed_rows)])
        self.gateways.take_over(pipeline.gateways)
        conditions.reconfigure(self.system_rows)
        pipeline.replace(
            decoder=self.decoder,
            engine=self.engine,
            make_retrospective=lambda: parts.make_engine(self.settings),
            gateways=self.gateways,
            canary_rule=self.canary_rule,
        )
        spool.rebase(site.revision, self.memory)


def replacement_of(
    settings: Settings, matching: Matching, conditions: SystemConditions, spool: Spool, now: int
) -> Replacement:
    """Make all parts for new settings, beside those in use. Takes a while: not in the event loop. Raises OSError."""
    spool.prepare([tag.path for tag in settings.site.tags], settings.site.revision)
    return Replacement(
        settings=settings,
        matching=matching,
        changed_rows=matching.changed_rows(settings.site),
        decoder=Decoder(settings.site, settings.future),
        engine=parts.make_engine(settings),
        gateways=Gateways(settings.site, conditions, settings.clock_tolerance, now),
        system_rows=system_rows(settings.site),
        views=Views(settings.site),
        catalogue=Catalogue(settings.site),
        canary_rule=settings.site.rule_row(CANARY_RULE),
        memory=parts.memory_of(settings.site),
    )
