"""Incidents: the cases of units, their grade, and the closed loop in which people handle them."""
