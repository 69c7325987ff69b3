"""The fast loss against the literal one."""

from __future__ import annotations

from fractions import Fraction

import literal
import pytest
from hypothesis import given
from model.drawn import cases

from theorylab.model import Dataset, Loss, Network, Weights, load_dataset, matrix, rows
from theorylab.outcome import InputError


@given(cases())
def test_loss_and_residual_are_the_literal_ones(case: tuple[Network, Weights, Dataset]) -> None:
    network, weights, data = case
    loss, theta = Loss(network, data), [rows(layer) for layer in weights]
    form = network.to_json()
    assert Fraction(str(loss(weights))) == literal.loss(form, data.to_json(), theta)
    assert Fraction(str(loss.mean(weights))) * data.samples == Fraction(str(loss(weights)))
    residual = loss.residual(weights).transpose().tolist()
    for x, y, found in zip(data.to_json()["x"], data.to_json()["y"], residual, strict=True):
        phi = literal.outputs(form, x, theta)
        wanted = [v - Fraction(t) for v, t in zip(phi, y, strict=True)]
        assert [Fraction(str(v)) for v in found] == wanted


def test_loss_of_iris_at_zero_counts_the_samples() -> None:
    loss = Loss(Network.dense((4, 2, 3), "relu"), load_dataset("iris"))
    assert loss((matrix([[0] * 4] * 2), matrix([[0] * 2] * 3))) == 150


def test_loss_refuses_data_of_another_width() -> None:
    with pytest.raises(InputError, match=r"data\.x = 4 values"):
        Loss(Network.dense((3, 3), "linear"), load_dataset("iris"))
    with pytest.raises(InputError, match=r"data\.y = 3 values"):
        Loss(Network.dense((4, 2), "linear"), load_dataset("iris"))


def test_loss_refuses_weights_of_another_shape() -> None:
    loss = Loss(Network.dense((1, 1), "linear"), Dataset.from_rows([[1]], [[1]]))
    with pytest.raises(InputError, match=r"layer 1 is 1 x 1"):
        loss((matrix([[1, 2]]),))
