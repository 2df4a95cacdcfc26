"""Configuration: the main file, site files, point tables, and the faults in them."""

from service.config.faults import ConfigurationError, Fault, format_faults
from service.config.loader import check, is_main_file, load, load_main, load_replay, load_revision, load_site
from service.config.measurands import Measurand, Measurands, shipped
from service.config.replay import Replay, ReplayFormat, ReplayTime
from service.config.sections import (
    BrokerSettings,
    CanarySettings,
    ConsoleSettings,
    HistorianSettings,
    LedgerSettings,
    LogSettings,
    SpoolSettings,
    TokenSettings,
    WebhookSettings,
)
from service.config.settings import Settings

__all__ = [
    "BrokerSettings",
    "CanarySettings",
    "ConfigurationError",
    "ConsoleSettings",
    "Fault",
    "HistorianSettings",
    "LedgerSettings",
    "LogSettings",
    "Measurand",
    "Measurands",
    "Replay",
    "ReplayFormat",
    "ReplayTime",
    "Settings",
    "SpoolSettings",
    "TokenSettings",
    "WebhookSettings",
    "check",
    "format_faults",
    "is_main_file",
    "load",
    "load_main",
    "load_replay",
    "load_revision",
    "load_site",
    "shipped",
]
