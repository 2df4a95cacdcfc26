"""Control limits of T2 and SPE: in theory, for normal readings that know nothing of each other over time."""

import math

from scipy import stats

from domain.samples import Float64


def t2_limit(components: int, rows: int, significance: float) -> float | None:
    """Of T2 of a new row, by the F distribution: a (n-1)(n+1) / (n (n-a)) F(a, n-a).

    J. MacGregor and T. Kourti, Control Engineering Practice 3 (1995) 403-414; N. Tracy, J. Young and R. Mason, Journal
    of Quality Technology 24 (1992) 88-95. None where there are too few rows.
    """
    if rows <= components + 1:
        return None
    quantile = float(stats.f.ppf(1 - significance, components, rows - components))
    return components * (rows - 1) * (rows + 1) / (rows * (rows - components)) * quantile


def spe_limit(left: Float64, significance: float) -> float | None:
    """Of SPE, from the eigenvalues of the components that are left out.

    J. Jackson and G. Mudholkar, Technometrics 21 (1979) 341-349. None where their approximation does not hold.
    """
    first, second, third = (float((left**power).sum()) for power in (1, 2, 3))
    if second <= 0:
        return None
    h0 = 1 - 2 * first * third / (3 * second**2)
    if h0 <= 0:
        return None
    quantile = float(stats.norm.ppf(1 - significance))
    root = quantile * math.sqrt(2 * second * h0**2) / first + 1 + second * h0 * (h0 - 1) / first**2
    return first * root ** (1 / h0) if root > 0 else None
