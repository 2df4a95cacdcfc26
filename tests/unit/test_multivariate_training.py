"""What training makes of rows: components, limits, tags left out, the file."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from domain.components import digest_of
from domain.samples import Float64
from tests.components_case import MEANS, MIXED, NAMES, START, UNITS, rows, table, trained
from tuning.multivariate.artefact import Origin, document_of, write_model
from tuning.multivariate.limits import spe_limit, t2_limit
from tuning.multivariate.training import Limit, Options, TrainingError, choose_tags, smooth, train


def test_t2_of_one_component_is_the_square_of_students_t() -> None:
    """F(1, n - 1) is t squared; with n rows the variance of a new one is (n + 1) / n of theirs."""
    n = 25
    found = t2_limit(1, n, 0.01)
    assert found == pytest.approx((n + 1) / n * stats.t.ppf(1 - 0.005, n - 1) ** 2)


def test_with_many_rows_t2_is_chi_squared() -> None:
    assert t2_limit(4, 2_000_000, 0.01) == pytest.approx(stats.chi2.ppf(0.99, 4), rel=1e-4)


def test_spe_of_equal_eigenvalues_is_nearly_a_scaled_chi_squared() -> None:
    """Jackson and Mudholkar's formula becomes Wilson and Hilferty's approximation then, good to a few per mille."""
    for count in (5, 20):
        assert spe_limit(np.full(count, 0.3), 0.01) == pytest.approx(0.3 * stats.chi2.ppf(0.99, count), rel=0.01)


def test_of_normal_rows_as_many_exceed_the_limits_as_are_meant_to() -> None:
    """A Monte Carlo count of 200,000 rows with the variances that the limits are for."""
    random = np.random.default_rng(5)
    left = np.array([1.1, 0.7, 0.4, 0.2, 0.05])
    limit = spe_limit(left, 0.01)
    assert limit is not None
    spe = (random.normal(size=(200_000, 5)) ** 2 @ left).ravel()
    assert 0.008 < float((spe > limit).mean()) < 0.012


@pytest.mark.parametrize("left", [np.zeros(3), np.array([4.0, *[0.01] * 400])])
def test_no_limit_where_the_theory_gives_none(left: Float64) -> None:
    assert spe_limit(left, 0.01) is None
    assert t2_limit(8, 9, 0.01) is None


def test_the_two_causes_of_five_tags_are_found_and_normal_rows_seldom_exceed() -> None:
    found = trained(2_000, Options(smoothing=1.0, significance=0.01))
    assert found.retained == 2
    assert found.chosen_by == "parallel analysis"
    space = found.loadings[:, :2] @ found.loadings[:, :2].T
    scaled = (MIXED / found.scale).T
    assert np.abs(space @ scaled - scaled).max() < 0.1, "the causes lie in the retained components"
    model = found.model("")
    fresh = model.standardised(rows(20_000, seed=9))
    for statistic, limit in ((model.t2(fresh), found.t2.limit), (model.spe(fresh), found.spe.limit)):
        assert 0.004 < float((statistic >= limit).mean()) < 0.016
    assert 0.005 < found.false_rate < 0.025


def test_what_breaks_the_correlation_is_in_spe_and_what_exaggerates_it_in_t2() -> None:
    model = trained().model("")
    broken, exaggerated = MEANS.copy(), MEANS + 5 * MIXED[0]
    broken[0] += 4.0
    assert model.spe(model.standardised(broken)) > model.spe_limit
    assert model.t2(model.standardised(broken)) < model.t2_limit
    assert model.t2(model.standardised(exaggerated)) > model.t2_limit
    assert model.spe(model.standardised(exaggerated)) < model.spe_limit
    assert model.shares_of_spe(model.standardised(broken)).argmax() == 0
    shares = model.shares_of_t2(model.standardised(exaggerated))
    assert shares.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("asked", "retained", "chosen_by"), [(0.6, 2, "cumulative variance 0.6"), (3, 3, "asked for"), (1, 1, "asked for")]
)
def test_components_can_be_asked_for(asked: float, retained: int, chosen_by: str) -> None:
    found = trained(options=Options(smoothing=1.0, components=asked))
    assert (found.retained, found.chosen_by) == (retained, chosen_by)


@pytest.mark.parametrize("asked", [5, 0.9999, 12])
def test_one_component_at_least_is_left_for_spe(asked: float) -> None:
    with pytest.raises(TrainingError, match="leave none for SPE"):
        trained(options=Options(smoothing=1.0, components=asked))


def test_tags_that_say_nothing_are_left_out_with_their_reason() -> None:
    value = rows(500)
    value[:, 1] = 3.0
    value[::5, 2] = np.nan
    value[:, 4] += np.linspace(0, 60, 500)
    kept, left_out = choose_tags(table(value), NAMES, ["FI-1"])
    assert kept == [0]
    assert [(each.name, each.reason) for each in left_out] == [
        ("TI-2", "constant"), ("PI-1", "missing"), ("FI-1", "asked"), ("LI-1", "drifts"),
    ]  # fmt: skip
    with pytest.raises(TrainingError, match=r"TI-2: constant .* LI-1: drifts"):
        train(table(value), NAMES, UNITS, Options(), ["FI-1"])
    kept, _ = choose_tags(table(value), NAMES, keep_drifting=True)
    assert kept == [0, 3, 4]


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(TrainingError, match="complete rows for 5 tags; 50 are the least"):
        trained(49, Options(smoothing=1.0, keep_drifting=True))


def test_rows_that_lack_a_value_teach_nothing() -> None:
    value = rows(400)
    value[7, 2] = np.nan
    assert train(table(value), NAMES, UNITS, Options(smoothing=1.0)).rows == 399


def test_the_moving_average_begins_anew_after_a_gap() -> None:
    value = np.array([[0.0], [1.0], [1.0], [5.0], [5.0], [9.0]])
    whole = table(value)
    assert smooth(whole, 0.5).ravel().tolist() == [0.5, 0.75, 2.875, 3.9375, 6.46875]
    time = whole.time.copy()
    time[3:] += 7 * whole.period  # three times as long as what is remembered
    gap = type(whole)(time, value, whole.period)
    assert smooth(gap, 0.5).ravel().tolist() == [0.5, 0.75, 5.0, 7.0]


def test_the_held_out_limit_counts_where_rows_depend_on_each_other() -> None:
    assert Limit(3.0, 5.0).limit == 5.0
    assert Limit(6.0, 5.0).limit == 6.0
    assert Limit(None, 5.0).limit == 5.0
    random = np.random.default_rng(2)
    steps = random.normal(size=(900, 2))
    for row in range(1, 900):
        steps[row] += 0.97 * steps[row - 1]
    value = MEANS + steps @ MIXED + random.normal(0, 0.3, (900, 5))
    found = train(table(value), NAMES, UNITS, Options(smoothing=1.0, components=2, keep_drifting=True))
    assert found.t2.theory is not None
    assert found.t2.held_out is not None
    assert found.t2.limit == max(found.t2.theory, found.t2.held_out)


def test_the_file_is_the_same_for_the_same_rows_and_tells_if_it_was_changed(tmp_path: Path) -> None:
    origin = Origin("works/column", "march.parquet", "anshao train works/column", rule_revision=7)
    for name in ("one.json", "other.json"):
        write_model(tmp_path / "deep" / name, document_of(trained(), origin))
    text = (tmp_path / "deep" / "one.json").read_text("utf-8")
    assert text == (tmp_path / "deep" / "other.json").read_text("utf-8")
    said = json.loads(text)
    assert said["digest"] == digest_of(said)
    assert said["trained"]["rule_revision"] == 7
    assert said["trained"]["from"] == "2025-06-16T00:00:00.000+00:00"
    assert len(said["loadings"]) == len(said["tags"]) == 5
    said["limits"]["spe"]["limit"] *= 2
    assert digest_of(said) != said["digest"]
    assert math.isclose(START / 1000, 1_750_032_000)
