"""Sweeps: what each combination of setpoint, deadband, delays and window would have done."""

from tuning.sweep.grid import Grid, GridError, Point
from tuning.sweep.result import Choice, LeftOut, PointResult, RuleChoice, Sweep
from tuning.sweep.run import sweep

__all__ = ["Choice", "Grid", "GridError", "LeftOut", "Point", "PointResult", "RuleChoice", "Sweep", "sweep"]
