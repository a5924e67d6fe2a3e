"""BG/NBD, the classic of non-contractual churn, as a baseline: when people come, and after which visit they stay away.

Fader, Hardie, Lee (2005), "Counting your customers the easy way", Marketing Science 24(2), equations 6 and 10. The
probability of nobody coming is exp(-expected visits): P(alive) answers another question and ranks below chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

Floats = np.ndarray
# The likelihood needs no more people than this to be pinned down; the first of them in a stable order are taken.
ENOUGH = 20_000


@dataclass(frozen=True)
class BgNbd:
    """The four parameters: visiting rate ~ Gamma(r, alpha), drop-out ~ Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float

    def expected_visits(self, within: float, visits: Floats, last: Floats, age: Floats) -> Floats:
        """Expected visits in (0, within] from now (equation 10).

        `visits` after the first, `last` time of the last one since the first, `age` time since the first.
        """
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        shrink = ((alpha + age) / (alpha + age + within)) ** (r + visits)
        series = hyp2f1(r + visits, b + visits, a + b + visits - 1, within / (alpha + age + within))
        up = (a + b + visits - 1) / (a - 1) * (1 - shrink * series)
        dead = np.where(
            visits > 0, a / (b + np.maximum(visits, 1) - 1) * ((alpha + age) / (alpha + last)) ** (r + visits), 0.0
        )
        return np.asarray(up / (1 + dead))

    def absence(self, gap: float, days: float, visits: Floats, last: Floats, age: Floats) -> Floats:
        """Probability of no visit in (gap, gap + days] from now."""
        until, before = (self.expected_visits(t, visits, last, age) if t else 0.0 for t in (gap + days, gap))
        return np.exp(-np.maximum(until - before, 0.0))


def fit_bgnbd(visits: Floats, last: Floats, age: Floats) -> BgNbd:
    """Maximum likelihood (equation 6), on log parameters. Raises RuntimeError when it does not converge."""
    x, t_x, t = (np.asarray(v[:ENOUGH], dtype=float) for v in (visits, last, age))
    scale = max(float(t.max()), 1.0) / 10
    t_x, t = t_x / scale, t / scale

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(np.clip(logs, -10, 10))
        first = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stays = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + t)
        leaves = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
        return float(-np.mean(first + np.where(x > 0, np.logaddexp(stays, leaves), stays)) + 1e-4 * np.sum(logs**2))

    best = min(
        (minimize(loss, [s, s, 0.2, 0.5], method="Nelder-Mead", options={"maxiter": 2000}) for s in (0.0, 1.0)),
        key=lambda f: f.fun,
    )
    if not best.success:
        raise RuntimeError(f"BG/NBD did not converge: {best.message}")
    r, alpha, a, b = np.exp(best.x)
    # The mean of the series exists for a != 1 only.
    return BgNbd(float(r), float(alpha * scale), float(a if abs(a - 1) > 1e-3 else a + 2e-3), float(b))
