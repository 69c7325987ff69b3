"""The catalogue: one Claim object for each theorem.

>>> from theorylab import claims
>>> sum(claim.erratum is not None for claim in claims.all_claims()) > 10
True
"""

from __future__ import annotations

import difflib

from theorylab.claims.approximation import RELU_POLYNOMIAL_APPROXIMATION
from theorylab.claims.claim import Claim, Erratum, Hypothesis, Said, Variant
from theorylab.claims.counts import BEZOUT_WEIGHTS, CRITICAL_COUNT, INTERPOLATION_COUNT
from theorylab.claims.degeneracy import DEGENERATE_MINIMA, OVERPARAMETRISED_ZEROS
from theorylab.claims.disconnected import DEEP_LINEAR_COMPONENTS, RELU_DISCONNECTED
from theorylab.claims.filling import FILLING_WIDTH
from theorylab.claims.level_trees import RELU_ASYMPTOTIC_CONNECTEDNESS, RELU_LEVEL_TREE
from theorylab.claims.lifted import (
    ANY_DEPTH_CONNECTED,
    FINITE_DIMENSION_CONNECTED,
    FINITE_DIMENSION_DESCENT,
    POLYNOMIAL_WIDTH,
)
from theorylab.claims.linear import DEEP_LINEAR_CONNECTED, DEEP_LINEAR_DESCENT
from theorylab.claims.minima import CONNECTED_IMPLIES_NO_POOR_MINIMA
from theorylab.claims.quadratic import DEEP_QUADRATIC_CONNECTED, QUADRATIC_CONNECTED
from theorylab.claims.real_zeros import REAL_ZEROS_MEAN
from theorylab.claims.ridge import LINEAR_RIDGE_CONNECTED
from theorylab.claims.saddles import DEEP_LINEAR_LOCAL_MINIMA
from theorylab.claims.scalar_quadratic import (
    SCALAR_QUADRATIC_COMPONENTS,
    SCALAR_QUADRATIC_CONNECTED,
    SCALAR_QUADRATIC_DESCENT,
)
from theorylab.claims.span import SPAN_PATH
from theorylab.claims.symmetry import WEIGHT_SYMMETRY
from theorylab.outcome import InputError

__all__ = ["Claim", "Erratum", "Hypothesis", "Said", "Variant", "all_claims", "claim"]

_CATALOGUE = (
    DEEP_LINEAR_CONNECTED,
    DEEP_LINEAR_DESCENT,
    DEEP_LINEAR_COMPONENTS,
    LINEAR_RIDGE_CONNECTED,
    SPAN_PATH,
    DEEP_LINEAR_LOCAL_MINIMA,
    FINITE_DIMENSION_DESCENT,
    FINITE_DIMENSION_CONNECTED,
    ANY_DEPTH_CONNECTED,
    POLYNOMIAL_WIDTH,
    CONNECTED_IMPLIES_NO_POOR_MINIMA,
    QUADRATIC_CONNECTED,
    DEEP_QUADRATIC_CONNECTED,
    SCALAR_QUADRATIC_DESCENT,
    SCALAR_QUADRATIC_CONNECTED,
    SCALAR_QUADRATIC_COMPONENTS,
    RELU_DISCONNECTED,
    RELU_LEVEL_TREE,
    RELU_ASYMPTOTIC_CONNECTEDNESS,
    OVERPARAMETRISED_ZEROS,
    DEGENERATE_MINIMA,
    FILLING_WIDTH,
    WEIGHT_SYMMETRY,
    BEZOUT_WEIGHTS,
    INTERPOLATION_COUNT,
    CRITICAL_COUNT,
    RELU_POLYNOMIAL_APPROXIMATION,
    REAL_ZEROS_MEAN,
)


def all_claims() -> tuple[Claim, ...]:
    """Every claim of the catalogue, in the order of its pages.

    >>> len(all_claims())
    28
    """
    return _CATALOGUE


def claim(identifier: str) -> Claim:
    """The claim of this id; InputError with the nearest ids for an unknown one.

    >>> claim("deep-linear-connected").kind
    'exact'
    """
    known = {c.id: c for c in _CATALOGUE}
    if identifier in known:
        return known[identifier]
    near = difflib.get_close_matches(identifier, known, 3, 0.4)
    remedy = f"did you mean {' or '.join(near)}?" if near else "theorylab list shows all ids"
    raise InputError("claim", identifier, "it is not in the catalogue", remedy)
