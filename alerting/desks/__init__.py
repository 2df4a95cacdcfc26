"""Desks (值班席): who watches what, floods, presence, handover of a shift, and what a desk's main screen shows."""
