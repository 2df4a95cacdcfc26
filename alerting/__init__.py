"""Alarms, incidents, journal, ledger and notification."""
