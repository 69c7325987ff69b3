"""A network shaped like the graph of a compositional function: a binary tree of small networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from torch import Tensor

from theorylab.experiments.networks.losses import slope_of
from theorylab.experiments.networks.model import CPU, Model, Parameters, _product, _product_into
from theorylab.experiments.seeds import generator
from theorylab.outcome import InputError


@dataclass(frozen=True)
class Tree(Model):
    """A binary tree whose every node is a network 2-units-1 of its own, with ReLU units.

    The nodes of the lowest level get the inputs in pairs (1, 2), (3, 4), ..., those above the two
    numbers of the nodes below; the top node gives the one output. Each level has the parameters
    W [K, nodes, 2, units], b [K, nodes, 1, units], V [K, nodes, units, 1], c [K, nodes, 1, 1].
    Guarantees: heuristic (floats). Raises InputError unless ``inputs`` is a power of two above 1.
    Source: Mhaskar & Poggio 2016, Figure 1.

    >>> tree = Tree(inputs=8, units=16)
    >>> weights = tree.initial(0, range(3), "demo")
    >>> tree.parameter_count, tree.outputs(weights, torch.ones(5, 8)).shape
    (455, torch.Size([3, 5, 1]))
    """

    inputs: int
    units: int

    def __post_init__(self) -> None:
        if self.inputs < 2 or self.inputs & (self.inputs - 1):
            rule = "the inputs are the leaves of a binary tree: 2, 4, 8, ..."
            raise InputError("inputs", self.inputs, rule, "choose a power of two")
        if self.units < 1:
            raise InputError("units", self.units, "a node has at least one unit", "choose more")

    @property
    def nodes(self) -> tuple[int, ...]:
        """The number of nodes of each level, the lowest first."""
        levels = self.inputs.bit_length() - 1
        return tuple(self.inputs >> level for level in range(1, levels + 1))

    @property
    def parameter_count(self) -> int:
        """The number of parameters of one network."""
        return sum(self.nodes) * (4 * self.units + 1)

    @property
    def output_width(self) -> int:
        """One output."""
        return 1

    @property
    def sample_axes(self) -> int:
        """A sample is a vector."""
        return 1

    def floats_per_sample(self) -> int:
        """The units of the lowest level."""
        return self.nodes[0] * self.units

    def initial(
        self,
        seed: int,
        nets: Sequence[int],
        *names: str | int,
        dtype: torch.dtype = torch.float32,
        device: torch.device = CPU,
    ) -> Parameters:
        """Fresh weights, Gaussians of variance 2 / 2 and 1 / units, biases 0; see ``Model``."""
        sources = [generator(seed, *names, "init", k) for k in nets]
        made: list[Tensor] = []

        def drawn(shape: tuple[int, ...], scale: float) -> Tensor:
            values = np.stack([source.standard_normal(shape) * scale for source in sources])
            return torch.from_numpy(values).to(dtype).to(device)

        def zeros(*shape: int) -> Tensor:
            return torch.zeros((len(sources), *shape), dtype=dtype, device=device)

        for m in self.nodes:
            made += [drawn((m, 2, self.units), 1.0), zeros(m, 1, self.units)]
            made += [drawn((m, self.units, 1), 1 / sqrt(self.units)), zeros(m, 1, 1)]
        return tuple(made)

    def outputs(self, parameters: Parameters, x: Tensor) -> Tensor:
        """The outputs [K, n, 1] at x [n, inputs], or at x [K, n, inputs], each at its own."""
        h = self._pairs(x, parameters)
        for level in range(len(self.nodes)):
            w, b, v, c = _level(parameters, level)
            z = _product(torch.relu_(_product(h, w, b)), v, c)
            h = self._above(z, level)
        return h

    def gradients_into(
        self, parameters: Parameters, x: Tensor, target: Tensor, loss: str, into: Parameters
    ) -> Tensor:
        """Write the gradients of the mean losses and return the outputs [K, n, 1]."""
        h, kept = self._pairs(x, parameters), []
        for level in range(len(self.nodes)):
            w, b, v, c = _level(parameters, level)
            a = torch.relu_(_product(h, w, b))
            kept.append((h, a))
            h = self._above(_product(a, v, c), level)
        outputs = h
        d = slope_of(outputs, target, loss)
        for level in range(len(self.nodes) - 1, -1, -1):
            w, _, v, _ = _level(parameters, level)
            w_into, b_into, v_into, c_into = _level(into, level)
            below, a = kept[level]
            _product_into(a.transpose(1, 2), d, v_into)
            torch.sum(d, 1, keepdim=True, out=c_into)
            d = torch.ops.aten.threshold_backward(d * v.transpose(1, 2), a, 0)
            _product_into(below.transpose(1, 2), d, w_into)
            torch.sum(d, 1, keepdim=True, out=b_into)
            if level:
                d = self._below(_product(d, w.transpose(1, 2)), level)
        return outputs

    def _pairs(self, x: Tensor, parameters: Parameters) -> Tensor:
        """The inputs of the lowest nodes, [K * nodes, n, 2]."""
        nets, nodes = parameters[0].shape[:2]
        split = x.reshape(*x.shape[:-1], nodes, 2).movedim(-2, -3)  # [..., nodes, n, 2]
        # of one network alone a reshape is a view, whose products round otherwise than a copy's
        return split.expand(nets, -1, -1, -1).reshape(nets * nodes, -1, 2).contiguous()

    def _above(self, z: Tensor, level: int) -> Tensor:
        """The numbers of a level [K * nodes, n, 1] as the inputs of the next, or the output."""
        nodes = self.nodes[level]
        if nodes == 1:
            return z
        n = z.shape[1]
        return z.reshape(-1, 2, n).transpose(1, 2).contiguous()

    def _below(self, d: Tensor, level: int) -> Tensor:
        """What ``_above`` does to numbers, undone for their derivatives [K * nodes, n, 2]."""
        n = d.shape[1]
        return d.transpose(1, 2).reshape(-1, n, 1).contiguous()


def _level(parameters: Parameters, level: int) -> Parameters:
    """W, b, V, c of a level, the nodes of all networks side by side along the first axis."""
    return tuple(p.view(-1, *p.shape[2:]) for p in parameters[4 * level : 4 * level + 4])
