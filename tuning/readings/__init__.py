"""Readings of the past: what was recorded or simulated, whatever it was kept in."""
