"""Metrics for Prometheus, read from the running parts when they are asked for."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.scales import Grade

if TYPE_CHECKING:
    from service.application import Application


class ServiceCollector(Collector):
    """All metrics of one service."""

    def __init__(self, application: "Application") -> None:
        self._app = application

    def collect(self) -> Iterable[Metric]:
        """Read them now."""
        app = self._app
        counters = app.pipeline.counters
        for name, text, number in (
            ("anshao_messages", "MQTT messages taken from the broker", counters.messages),
            ("anshao_readings", "Readings decoded", counters.readings),
            ("anshao_refused", "Messages, or kinds of faults in them, that went to quarantine", counters.refused),
            ("anshao_late", "Readings later than the lateness, evaluated in retrospect only", counters.late),
            ("anshao_unstored", "Readings evaluated but not spooled, because the spool was full", counters.unstored),
            ("anshao_transitions", "Conditions that entered or left", counters.transitions),
            ("anshao_commits", "Commits", counters.commits),
            ("anshao_forwarded", "Samples written to the historian", app.forwarder_counters().forwarded),
            ("anshao_forward_failures", "Historian requests that failed", app.forwarder_counters().failures),
            ("anshao_forward_refused", "Samples that the historian refused", app.forwarder_counters().refused),
        ):
            yield CounterMetricFamily(name, text, number)
        for name, text, value in (
            ("anshao_broker_connected", "1: connected to the broker", int(app.link_status().connected)),
            ("anshao_ledger_up", "1: commits go through", int(app.pipeline.ledger_status.ok)),
            ("anshao_historian_up", "1: samples reach the historian", int(app.historian_status().ok)),
            ("anshao_spool_bytes", "Size of the spool", app.spool.size),
            ("anshao_spool_backlog", "Samples not yet in the historian", app.spool.backlog),
            ("anshao_journal_sequence", "Number of the last journal entry", app.sequence()),
        ):
            yield GaugeMetricFamily(name, text, value)
        if app.canary.latency is not None:
            yield GaugeMetricFamily(
                "anshao_canary_latency_seconds", "From publishing to commit", app.canary.latency / 1000
            )
        active = GaugeMetricFamily("anshao_alarms_active", "Alarms that are not normal", labels=["grade"])
        for grade in Grade:
            active.add_metric([grade.label], sum(a.grade is grade for a in app.register.active.values()))
        yield active
        gateways = GaugeMetricFamily("anshao_gateways", "Gateways by status", labels=["status"])
        for status, count in app.gateway_counts().items():
            gateways.add_metric([status], count)
        yield gateways
