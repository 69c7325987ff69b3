"""A proof by hand, checked by the kernel alone: it needs no package but Python's own library.

Widths 1-1-1, linear, one sample x = y = 1, so L(w) = (w1 w2 - 1)^2. Claimed: at width min(n, m) the
points (1, 1) and (-1, -1) are joined at level 0. But on the wall w1 = 0 the loss is 1 > 0, since
L - 1 = (w1 w2)^2 - 2 w2 w1: a square, and a multiple of the wall.
"""

from theorylab import kernel

W1, W1_W2, W2 = [[1, 1]], [[0, 1], [1, 1]], [[0, 1]]  # monomials: (number of the weight, exponent)
certificate = {
    "schema": "theorylab.certificate/1",
    "rule": "barrier",
    "statement": {
        "network": {"widths": [1, 1, 1], "activation": "linear", "output": "linear",
                    "bias": [False, False], "pattern": None},
        "data": {"x": [["1"]], "y": [["1"]], "weights": None},
        "hypotheses": [{"kind": "hidden_widths", "relation": ">=", "bound": "min(n,m)"}],
        "conclusion": {"kind": "joined", "u": "0", "A": [[["1"]], [["1"]]],
                       "B": [[["-1"]], [["-1"]]]},
    },
    "proof": {"wall": [["1", W1]], "multiplier": [["-2", W2]], "margin": "1",
              "squares": [["1", [["1", W1_W2]]]]},
}  # fmt: skip
outcome = kernel.check(kernel.canonical(certificate))
print(type(outcome).__name__, outcome.fact.kind, outcome.lemmas)

certificate["statement"]["conclusion"]["u"] = "1"  # at level 1 the wall is not high enough
print(kernel.check(kernel.canonical(certificate)))

# prints:
# Refuted separated ('Lemma 7',)
# Rejected(reason='the identity of the wall does not hold')
