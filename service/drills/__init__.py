"""Drills (演练): scenarios, their readings on the real road, and the report afterwards."""
