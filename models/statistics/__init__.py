"""How far a figure can be trusted, what is usual, and whether it drifts: pure functions on the standard library.

    intervals   Wilson, normal: what every figure's interval and every alert's gate is made of
    student     Student's t for few observations
    means       means of heavy tails: logarithmic, winsorised
    adaptive    the narrowest window that holds enough
    baseline    what the same hour of the week usually is
    compared    how far a figure is from that
    difference  how far two figures are apart (Newcombe)
    dispersion  how much more a rate scatters than chance alone (Laney)
    drift       slow shifts: CUSUM and EWMA
    quantiles   quantiles of durations from bins that merge and subtract

What each is for, with its vectors: docs/statistics.md.
"""

from models.statistics.adaptive import ADAPTIVE_WIDTHS_MS, adaptive_width_ms
from models.statistics.baseline import Baseline, baseline, hour_of_week
from models.statistics.compared import WEEKS_MIN, Compare, Compared
from models.statistics.difference import Apart, apart
from models.statistics.dispersion import laney_sigma_z, scaled_z
from models.statistics.drift import Cusum, Ewma, Weighted
from models.statistics.intervals import Z_PAGE, Z_REPORT, Z_WARN, interval, mean_interval, poisson, wilson
from models.statistics.means import Mean, log_mean, winsorised_mean
from models.statistics.quantiles import (
    ERROR_MAX,
    Ordered,
    QuantileEstimate,
    bin_of,
    merge_bins,
    quantile_ranks,
    subtract_bins,
)
from models.statistics.student import student_t, t_interval

__all__ = [
    "ADAPTIVE_WIDTHS_MS",
    "ERROR_MAX",
    "WEEKS_MIN",
    "Z_PAGE",
    "Z_REPORT",
    "Z_WARN",
    "Apart",
    "Baseline",
    "Compare",
    "Compared",
    "Cusum",
    "Ewma",
    "Mean",
    "Ordered",
    "QuantileEstimate",
    "Weighted",
    "adaptive_width_ms",
    "apart",
    "baseline",
    "bin_of",
    "hour_of_week",
    "interval",
    "laney_sigma_z",
    "log_mean",
    "mean_interval",
    "merge_bins",
    "poisson",
    "quantile_ranks",
    "scaled_z",
    "student_t",
    "subtract_bins",
    "t_interval",
    "wilson",
    "winsorised_mean",
]
