"""Gas carried by the wind in the open: Briggs' widths, and the Gaussian slug whose limits are puff and plume."""

import math

import numpy as np
from scipy.special import ndtr

from domain.samples import Float64, Int64

CLASSES = "ABCDEF"
"""Stability classes of Pasquill, from very unstable (A) over neutral (D) to stable (F)."""

_ACROSS = np.array([0.22, 0.16, 0.11, 0.08, 0.06, 0.04])
_UP = np.array([0.20, 0.12, 0.08, 0.06, 0.03, 0.016])
_UP_BEND = np.array([0.0, 0.0, 0.0002, 0.0015, 0.0003, 0.0003])
_UP_POWER = np.array([0.0, 0.0, -0.5, -0.5, -1.0, -1.0])


def briggs(distance: Float64, stability: Int64 | int) -> tuple[Float64, Float64]:
    """Standard deviations across the wind and upward, in m, at ``distance`` m downwind over open country.

    ``stability`` is an index into ``CLASSES``; both broadcast. G. A. Briggs, Diffusion estimation for small emissions,
    NOAA ATDL contribution 79, 1973: averages over about 10 minutes, meant for 100 m to 10 km.
    """
    across = _ACROSS[stability] * distance / np.sqrt(1.0 + 0.0001 * distance)
    up = _UP[stability] * distance * (1.0 + _UP_BEND[stability] * distance) ** _UP_POWER[stability]
    return np.asarray(across), np.asarray(up)


def slug(
    along: Float64, across: Float64, height: Float64, length: Float64, widths: tuple[Float64, Float64], source: Float64
) -> Float64:
    """Concentration per mass (1/m³) at a place, of gas let out evenly along a line of ``length`` m.

    ``along`` and ``across`` are from the line's middle, ``height`` above the ground, ``source`` the height of the
    line, all in m; ``widths`` the standard deviations in both horizontal directions and upward. The ground reflects:

        (Phi((a + l/2) / s) - Phi((a - l/2) / s)) / l * g(across, s) * (g(z - h, s_z) + g(z + h, s_z))

    with the normal density g and its integral Phi. A short line is the Gaussian puff; lines end to end the plume.
    """
    flat, up = widths
    half = 0.5 * length
    lengthwise = (ndtr((along + half) / flat) - ndtr((along - half) / flat)) / length
    crosswise = np.exp(-0.5 * (across / flat) ** 2) / flat
    upward = np.exp(-0.5 * ((height - source) / up) ** 2) + np.exp(-0.5 * ((height + source) / up) ** 2)
    return np.asarray(lengthwise * crosswise * upward / (2.0 * math.pi * up))
