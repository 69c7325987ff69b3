"""The Jacobian of the outputs on data in the free parameters, by the chain rule, exactly."""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from theorylab.model import Dataset, Network, Weights
from theorylab.model.rational import ones, stacked
from theorylab.outcome import InputError


def numbered(network: Network) -> list[list[int | None]]:
    """Per layer, row by row: the number of each free parameter as ``Network.parameters`` lists
    them, a shared slot once, and None for a fixed entry.

    >>> numbered(Network.with_pattern((1, 2, 1), "square", [[[0], [0]], [["1", None]]]))
    [[0, 0], [None, 1]]
    """
    numbers: dict[object, int] = {}
    layers: list[list[int | None]] = []
    for k in range(1, network.depth + 1):
        keys = ((k, i) if e is None else e for i, e in enumerate(network.entries(k)))
        layers.append(
            [None if isinstance(e, fmpq) else numbers.setdefault(e, len(numbers)) for e in keys]
        )
    return layers


def jacobian(network: Network, weights: Weights, data: Dataset) -> fmpq_mat:
    """The derivatives of all outputs on the inputs of `data`, mN x W, row o N + j for output o.

    For polynomial activations; InputError for the others. Guarantees: exact.

    >>> from theorylab.model import matrix
    >>> network = Network.dense((1, 1, 1), "square")
    >>> data = Dataset.from_rows([[1], [2]], [[0], [0]])
    >>> jacobian(network, (matrix([[3]]), matrix([[5]])), data).table()
    [[30, 9], [120, 36]]
    """
    coefficients = network.activation.coefficients
    if coefficients is None:
        raise InputError(
            "activation", network.activation.kind, "it is no polynomial", "choose e.g. square"
        )
    slopes = [i * a for i, a in enumerate(coefficients)][1:] or [fmpq(0)]
    features = network.features(weights, data.x)
    below = [
        stacked(h, ones(1, data.samples)) if bias else h
        for h, bias in zip(features, network.bias, strict=True)
    ]
    rates = [_applied(slopes, w * h) for w, h in zip(weights, below, strict=True)]
    places, samples = numbered(network), data.samples
    table = [[fmpq(0)] * network.parameter_count for _ in range(network.m * samples)]
    for output in range(network.m):
        error = fmpq_mat([[fmpq(int(i == output))] * samples for i in range(network.m)])
        if network.output == "activation":
            error = _product(error, rates[-1])
        for k in range(network.depth, 0, -1):
            incoming, columns = below[k - 1].tolist(), network.shape(k)[1]
            for place, number in enumerate(places[k - 1]):
                if number is not None:
                    i, c = divmod(place, columns)
                    for j in range(samples):
                        table[output * samples + j][number] += error[i, j] * incoming[c][j]
            if k > 1:
                back = (weights[k - 1].transpose() * error).tolist()[: network.widths[k - 1]]
                error = _product(fmpq_mat(back), rates[k - 2])
    return fmpq_mat(table)


def _applied(coefficients: list[fmpq], z: fmpq_mat) -> fmpq_mat:
    def value(v: fmpq) -> fmpq:
        total = fmpq(0)
        for a in reversed(coefficients):
            total = total * v + a
        return total

    return fmpq_mat(z.nrows(), z.ncols(), [value(v) for v in z.entries()])


def _product(a: fmpq_mat, b: fmpq_mat) -> fmpq_mat:
    entries = [p * q for p, q in zip(a.entries(), b.entries(), strict=True)]
    return fmpq_mat(a.nrows(), a.ncols(), entries)
