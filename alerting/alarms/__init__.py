"""Alarms: their life cycle after ISA-18.2 / IEC 62682, and all that is laid over it."""
