"""A small instance in one line."""

from __future__ import annotations

from collections.abc import Sequence

from theorylab.instances import Case, Instance


def in_short(instance: Instance) -> str:
    """Network and data of a small instance in one line."""
    return case_in_short(Case(instance.network, instance.data, instance.loss.penalties))


def case_in_short(case: Case) -> str:
    """Network, data and ridge in one line.

    >>> from theorylab.model import Dataset, Network
    >>> case_in_short(Case(Network.dense((1, 1, 1), "relu"), Dataset.from_rows([[1]], [["1/2"]])))
    '1-1-1 relu; x = 1; y = 1/2'
    """
    network, data = case.network, case.data
    kind = network.activation.kind
    if network.activation.parameters:
        kind += f"({','.join(map(str, network.activation.parameters))})"
    marks = [
        *(["activated output"] if network.output == "activation" else []),
        *([] if network.is_dense else ["masked or tied"]),
        *([] if case.ridge is None else [f"ridge {_listed(case.ridge)}"]),
    ]
    x, y = (
        " ".join(f"({_listed(column)})" if len(column) > 1 else str(column[0]) for column in table)
        for table in (data.x.transpose().tolist(), data.y.transpose().tolist())
    )
    words = ", ".join([f"{case.architecture} {kind}", *marks])
    weights = "" if data.weights is None else f", weights {_listed(data.weights)}"
    return f"{words}; x = {x}; y = {y}{weights}"


def _listed(values: Sequence[object]) -> str:
    return ", ".join(map(str, values))
