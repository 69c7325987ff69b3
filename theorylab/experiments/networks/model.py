"""Architectures without weights: every operation is on K networks at once.

The weights of K networks are a tuple of tensors with a leading axis K. The laws that every model
keeps (tests/conformance/test_models.py): gradients are those of a literal loop over the networks,
and the numbers of network k do not depend, bit for bit on a CPU, on K or on the other networks.
"""

from __future__ import annotations

import copy
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod, sqrt

import numpy as np
import torch
from torch import Tensor

from theorylab.experiments.networks.losses import _loss, errors, loss_of, slope_of, target_of
from theorylab.experiments.seeds import generator
from theorylab.outcome import InputError

__all__ = [
    "Model",
    "Parameters",
    "Perceptron",
    "Stacked",
    "Statistics",
    "errors",
    "flattened",
    "joined",
    "loss_of",
    "paper_network",
    "picked",
    "unflattened",
]

Parameters = tuple[Tensor, ...]
Statistics = tuple[tuple[Tensor, Tensor], ...]  # of each hidden layer: means, variances [K, 1, h]
CPU = torch.device("cpu")
_EPSILON = 1e-5  # added to a variance by batch normalisation, as torch does
_CONVOLUTIONS = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)
# layers that torch computes for each net alone, bit for bit, when it computes them for several
_BATCHED = {
    torch.nn.Sequential,
    torch.nn.Linear,
    torch.nn.ReLU,
    torch.nn.Tanh,
    torch.nn.Identity,
    torch.nn.Flatten,
}
_NAMES = ("identity", "relu", "square", "tanh")


def flattened(parameters: Parameters) -> Tensor:
    """The parameters of each network as one vector, [K, P].

    >>> flattened((torch.zeros(2, 3, 4), torch.ones(2, 1, 4))).shape
    torch.Size([2, 16])
    """
    return torch.cat([p.reshape(p.shape[0], -1) for p in parameters], 1)


def unflattened(flat: Tensor, like: Parameters) -> Parameters:
    """The parameters whose vectors [K, P] are given, in the shapes of ``like`` (any K).

    >>> given = (torch.rand(2, 3, 4), torch.rand(2, 1, 4))
    >>> all(map(torch.equal, unflattened(flattened(given), given), given))
    True
    """
    sizes = [prod(p.shape[1:]) for p in like]
    if flat.dim() != 2 or flat.shape[1] != sum(sizes):
        rule = f"a vector for each network, {sum(sizes)} numbers long"
        raise InputError("flat", tuple(flat.shape), rule, "flatten the same model's parameters")
    parts = torch.split(flat, sizes, 1)
    return tuple(
        part.reshape(flat.shape[0], *p.shape[1:]) for part, p in zip(parts, like, strict=True)
    )


def joined(parts: Sequence[Parameters]) -> Parameters:
    """The networks of all parts, one after the other.

    >>> joined([(torch.zeros(2, 3, 1),), (torch.ones(1, 3, 1),)])[0].shape
    torch.Size([3, 3, 1])
    """
    return tuple(torch.cat(group) for group in zip(*parts, strict=True))


def picked(parameters: Parameters, indices: Sequence[int] | Tensor) -> Parameters:
    """The networks at these positions.

    >>> picked((torch.arange(3.0)[:, None, None],), [2, 0])[0].flatten()
    tensor([2., 0.])
    """
    at = torch.as_tensor(indices, dtype=torch.int64, device=parameters[0].device)
    return tuple(p.index_select(0, at) for p in parameters)


class Model(ABC):
    """An architecture: what K networks of it compute, and their gradients.

    Laws: ``gradients`` is the gradient of ``loss_of(outputs)``, and the numbers of one network are
    computed from that network alone; within ``devices.one_thread`` they are the same bit for bit
    whatever other networks are computed with it on a CPU.
    """

    @property
    @abstractmethod
    def parameter_count(self) -> int:
        """The number of parameters of one network."""

    @property
    @abstractmethod
    def output_width(self) -> int:
        """The number m of outputs."""

    @property
    @abstractmethod
    def sample_axes(self) -> int:
        """The number of axes of one sample."""

    @abstractmethod
    def floats_per_sample(self) -> int:
        """The numbers that one network keeps of one sample in its largest layer."""

    @abstractmethod
    def initial(
        self,
        seed: int,
        nets: Sequence[int],
        *names: str | int,
        dtype: torch.dtype = torch.float32,
        device: torch.device = CPU,
    ) -> Parameters:
        """Fresh weights; those of net k are drawn from the seed's child (*names, "init", k)."""

    @abstractmethod
    def outputs(self, parameters: Parameters, x: Tensor) -> Tensor:
        """The outputs [K, n, m] at x [n, ...], or at x [K, n, ...], each network at its own."""

    @abstractmethod
    def gradients_into(
        self, parameters: Parameters, x: Tensor, target: Tensor, loss: str, into: Parameters
    ) -> Tensor:
        """Write the gradients of the mean losses and return the outputs [K, n, m].

        ``target`` comes from ``target_of``.
        """

    def gradients(
        self, parameters: Parameters, x: Tensor, y: Tensor, loss: str = "cross-entropy"
    ) -> tuple[Tensor, Parameters]:
        """The mean losses [K] of the networks and their gradients, shaped as the parameters."""
        target = target_of(y, self.output_width, loss, parameters[0].dtype)
        into = tuple(torch.empty_like(p, memory_format=torch.contiguous_format) for p in parameters)
        with torch.no_grad():
            outputs = self.gradients_into(parameters, x, target, loss, into)
            return _loss(outputs, target, loss), into


def _alone(left: Tensor, right: Tensor) -> bool:
    # One net whose product has a side of length 1 goes to another BLAS routine than several nets
    # do, with another order of summation: it is then computed twice, as two nets.
    return left.shape[0] == 1 and (1 in left.shape[1:] or 1 in right.shape[1:])


def _product(left: Tensor, right: Tensor, added: Tensor | None = None) -> Tensor:
    """left [K, p, q] times right [K, q, r], plus [K, 1, r]."""
    if _alone(left, right):
        left, right = left.expand(2, -1, -1), right.expand(2, -1, -1)
        if added is None:
            return torch.bmm(left, right)[:1]
        return torch.baddbmm(added.expand(2, -1, -1), left, right)[:1]
    return torch.bmm(left, right) if added is None else torch.baddbmm(added, left, right)


def _product_into(left: Tensor, right: Tensor, into: Tensor) -> None:
    if _alone(left, right):
        into.copy_(_product(left, right))
    else:
        torch.bmm(left, right, out=into)


@dataclass(frozen=True)
class Perceptron(Model):
    """A fully connected network; parameters W_1 [K, n_0, n_1], b_1 [K, 1, n_1], W_2, ...

    The activation follows every layer but the last: "relu", "identity", "square", "tanh" or the
    coefficients a_0, a_1, ... of a polynomial. ``batch_norm`` standardises what an activation gets,
    without a learned scale or shift, by the statistics of the samples at hand. Weights begin as
    Gaussians of variance gain / n_{l-1}, biases at 0. Gradients are hand-written: no graph is kept.
    Guarantees: heuristic (floats). Raises InputError for impossible widths and activations.

    >>> model = Perceptron((4, 8, 3))
    >>> weights = model.initial(0, range(5), "demo")
    >>> model.parameter_count, model.outputs(weights, torch.ones(2, 4)).shape
    (67, torch.Size([5, 2, 3]))
    """

    widths: tuple[int, ...]
    activation: str | tuple[float, ...] = "relu"
    batch_norm: bool = False
    bias: bool = True
    gain: float = 2.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        if len(self.widths) < 2 or not all(type(w) is int and w >= 1 for w in self.widths):
            rule = "widths are at least two positive integers n_0, ..., n_L"
            raise InputError("widths", self.widths, rule, "write e.g. (64, 32, 10)")
        if isinstance(self.activation, str):
            if self.activation not in _NAMES:
                rule = f"an activation is {', '.join(_NAMES)} or a tuple of coefficients"
                raise InputError("activation", self.activation, rule, "choose one")
        else:
            object.__setattr__(self, "activation", tuple(float(a) for a in self.activation))
            if len(self.activation) < 2:
                rule = "a polynomial has at least two coefficients a_0, a_1, ..."
                raise InputError("activation", self.activation, rule, "give them all")

    @property
    def depth(self) -> int:
        """The number of layers of weights."""
        return len(self.widths) - 1

    @property
    def parameter_count(self) -> int:
        """The number of parameters of one network."""
        pairs = zip(self.widths, self.widths[1:], strict=False)
        return sum((a + self.bias) * b for a, b in pairs)

    @property
    def output_width(self) -> int:
        """The number of outputs."""
        return self.widths[-1]

    @property
    def sample_axes(self) -> int:
        """A sample is a vector."""
        return 1

    def floats_per_sample(self) -> int:
        """The largest width."""
        return max(self.widths)

    def initial(
        self,
        seed: int,
        nets: Sequence[int],
        *names: str | int,
        dtype: torch.dtype = torch.float32,
        device: torch.device = CPU,
    ) -> Parameters:
        """Fresh weights; those of net k are drawn from the seed's child (*names, "init", k)."""
        made: list[Tensor] = []
        sources = [generator(seed, *names, "init", k) for k in nets]
        for a, b in zip(self.widths, self.widths[1:], strict=False):
            scale = sqrt(self.gain / a)
            drawn = np.stack([source.standard_normal((a, b)) * scale for source in sources])
            made.append(torch.from_numpy(drawn).to(dtype).to(device))
            if self.bias:
                made.append(torch.zeros((len(sources), 1, b), dtype=dtype, device=device))
        return tuple(made)

    def layers(self, parameters: Parameters) -> list[tuple[Tensor, Tensor | None]]:
        """The weights and the bias of each layer."""
        if not self.bias:
            return [(w, None) for w in parameters]
        return list(zip(parameters[::2], parameters[1::2], strict=True))

    def outputs(
        self, parameters: Parameters, x: Tensor, *, statistics: Statistics | None = None
    ) -> Tensor:
        """The outputs [K, n, m] at x [n, n_0], or at x [K, n, n_0], each network at its own.

        With batch normalisation the statistics are those given, by default those of ``x``.
        """
        h = _spread(x, parameters)
        layers = self.layers(parameters)
        for at, (w, b) in enumerate(layers[:-1]):
            z = _product(h, w, b)
            if self.batch_norm:
                mean, variance = _moments(z) if statistics is None else statistics[at]
                z = (z - mean) * torch.rsqrt(variance + _EPSILON)
            h = self._activated(z)
        return _product(h, *layers[-1])

    def preactivations(
        self, parameters: Parameters, x: Tensor, *, statistics: Statistics | None = None
    ) -> tuple[Tensor, ...]:
        """What the activations of each hidden layer get, [K, n, n_l]; see ``outputs``."""
        h, found = _spread(x, parameters), []
        for at, (w, b) in enumerate(self.layers(parameters)[:-1]):
            z = _product(h, w, b)
            if self.batch_norm:
                mean, variance = _moments(z) if statistics is None else statistics[at]
                z = (z - mean) * torch.rsqrt(variance + _EPSILON)
            found.append(z)
            h = self._activated(z.clone())
        return tuple(found)

    def statistics(self, parameters: Parameters, x: Tensor) -> Statistics:
        """Means and variances [K, 1, n_l] before each activation at x, earlier layers normalised.

        Empty without batch normalisation.
        """
        if not self.batch_norm:
            return ()
        h, found = _spread(x, parameters), []
        for w, b in self.layers(parameters)[:-1]:
            z = _product(h, w, b)
            mean, variance = _moments(z)
            found.append((mean, variance))
            h = self._activated((z - mean) * torch.rsqrt(variance + _EPSILON))
        return tuple(found)

    def gradients_into(
        self, parameters: Parameters, x: Tensor, target: Tensor, loss: str, into: Parameters
    ) -> Tensor:
        """Write the gradients of the mean losses and return the outputs [K, n, m]."""
        layers, written = self.layers(parameters), self.layers(into)
        inputs, kept = [_spread(x, parameters)], []
        scales: list[Tensor] = []
        for w, b in layers[:-1]:
            z = _product(inputs[-1], w, b)
            if self.batch_norm:
                mean, variance = _moments(z)
                scales.append(torch.rsqrt(variance + _EPSILON))
                z = z.sub_(mean).mul_(scales[-1])
            # relu and tanh overwrite z: their derivatives are functions of their values
            h = self._activated(z)
            inputs.append(h)
            kept.append(z)
        outputs = _product(inputs[-1], *layers[-1])
        d = slope_of(outputs, target, loss)
        for at in range(self.depth - 1, -1, -1):
            w_into, b_into = written[at]
            _product_into(inputs[at].transpose(1, 2), d, w_into)
            if b_into is not None:
                torch.sum(d, 1, keepdim=True, out=b_into)
            if at:
                d = _product(d, layers[at][0].transpose(1, 2))
                d = self._pulled_back(d, kept[at - 1], inputs[at])
                if self.batch_norm:
                    d = _pulled_through_norm(d, kept[at - 1], scales[at - 1])
        return outputs

    def _activated(self, z: Tensor) -> Tensor:
        """The activation of z, which may be overwritten."""
        if isinstance(self.activation, tuple):
            return _horner(self.activation, z)
        if self.activation == "relu":
            # batch normalisation needs its values again when it is differentiated
            return torch.relu(z) if self.batch_norm else torch.relu_(z)
        if self.activation == "tanh":
            return torch.tanh(z)
        return z * z if self.activation == "square" else z

    def _pulled_back(self, d: Tensor, z: Tensor, h: Tensor) -> Tensor:
        """d times the derivative of the activation at z, where it has the value h."""
        if isinstance(self.activation, tuple):
            slope = tuple(i * a for i, a in enumerate(self.activation))[1:]
            return d.mul_(_horner(slope, z))
        if self.activation == "relu":
            pulled: Tensor = torch.ops.aten.threshold_backward.grad_input(d, h, 0, grad_input=d)
            return pulled
        if self.activation == "tanh":
            return d.mul_(1 - h * h)
        return d.mul_(z).mul_(2) if self.activation == "square" else d


def _spread(x: Tensor, parameters: Parameters) -> Tensor:
    return x if x.dim() == 3 else x.expand(parameters[0].shape[0], -1, -1)


def _horner(coefficients: tuple[float, ...], z: Tensor) -> Tensor:
    value = torch.full_like(z, coefficients[-1])
    for a in reversed(coefficients[:-1]):
        value = value.mul_(z).add_(a)
    return value


def _moments(z: Tensor) -> tuple[Tensor, Tensor]:
    mean = z.mean(1, keepdim=True)
    return mean, (z - mean).square_().mean(1, keepdim=True)


def _pulled_through_norm(d: Tensor, z: Tensor, scale: Tensor) -> Tensor:
    """The derivative before the normalisation, from that after it at the normalised z."""
    along = (d * z).mean(1, keepdim=True)
    return d.sub_(d.mean(1, keepdim=True)).sub_(z * along).mul_(scale)


@dataclass(frozen=True, eq=False)
class Stacked(Model):
    """Any torch module as a model, for samples of the given shape; the module is not changed.

    Parameters stand in the order of ``module.named_parameters()``, each with a leading axis K.
    Weights of two or more axes begin as Gaussians of variance gain / fan-in, biases of linear and
    convolutional layers at 0, all others (scales and shifts) at the module's own values. The
    module is run as ``module.eval()``: no dropout. Batch normalisation must keep no running
    statistics; then it uses those of the samples at hand, also for test data. Guarantees:
    heuristic (floats). Raises InputError for a module with running statistics or of no 1-axis
    output.

    >>> model = Stacked(torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(),
    ...                                     torch.nn.Linear(8, 3)), (4,))
    >>> weights = model.initial(0, range(5), "demo")
    >>> model.parameter_count, model.outputs(weights, torch.ones(2, 4)).shape
    (67, torch.Size([5, 2, 3]))
    """

    module: torch.nn.Module
    shape: tuple[int, ...]
    gain: float = 2.0

    def __post_init__(self) -> None:
        copied = copy.deepcopy(self.module).to("cpu").eval()
        for name, part in copied.named_modules():
            if getattr(part, "running_mean", None) is not None:
                rule = f"layer {name} keeps running statistics, which an ensemble cannot share"
                raise InputError(
                    "module", type(part).__name__, rule, "set track_running_stats=False"
                )
        object.__setattr__(self, "module", copied)
        object.__setattr__(self, "shape", tuple(self.shape))
        with torch.no_grad():
            dtype = next(copied.parameters()).dtype
            sizes: list[int] = [prod(self.shape)]
            hooks = [
                part.register_forward_hook(lambda _part, _x, out: sizes.append(out.numel() // 2))
                for part in copied.modules()
            ]
            shown = tuple(copied(torch.zeros(2, *self.shape, dtype=dtype)).shape)
            for hook in hooks:
                hook.remove()
        if len(shown) != 2:
            rule = "the module gives a vector for each sample"
            raise InputError("module", shown, rule, "end it with torch.nn.Flatten()")
        object.__setattr__(self, "_width", shown[1])
        object.__setattr__(self, "_floats", max(sizes))

    @property
    def parameter_count(self) -> int:
        """The number of parameters of one network."""
        return sum(p.numel() for p in self.module.parameters())

    @property
    def output_width(self) -> int:
        """The number of outputs."""
        return int(self.__dict__["_width"])

    @property
    def sample_axes(self) -> int:
        """The axes of the shape given."""
        return len(self.shape)

    def floats_per_sample(self) -> int:
        """The largest number of values that a layer gives for one sample."""
        return int(self.__dict__["_floats"])

    def initial(
        self,
        seed: int,
        nets: Sequence[int],
        *names: str | int,
        dtype: torch.dtype = torch.float32,
        device: torch.device = CPU,
    ) -> Parameters:
        """Fresh weights; those of net k are drawn from the seed's child (*names, "init", k)."""
        sources = [generator(seed, *names, "init", k) for k in nets]
        made: list[Tensor] = []
        for name, p in self.module.named_parameters():
            owner = self.module.get_submodule(name.rpartition(".")[0])
            if p.dim() >= 2:
                scale = sqrt(self.gain / prod(p.shape[1:]))
                drawn = np.stack([s.standard_normal(tuple(p.shape)) * scale for s in sources])
                value = torch.from_numpy(drawn)
            else:
                kept = p.detach() * (not isinstance(owner, (torch.nn.Linear, *_CONVOLUTIONS)))
                value = kept.expand(len(sources), *p.shape).clone()
            made.append(value.to(dtype).to(device))
        return tuple(made)

    def outputs(self, parameters: Parameters, x: Tensor) -> Tensor:
        """The outputs [K, n, m] at x [n, ...], or at x [K, n, ...], each network at its own."""
        if not self._batches(x):
            nets = range(parameters[0].shape[0])
            return torch.stack([self._one(*self._net(k, parameters, x)) for k in nets])
        own = x.dim() == self.sample_axes + 2
        if parameters[0].shape[0] > 1 or x.device.type != "cpu":
            return self._batched(parameters, x, own)
        # one net is computed as two, see _alone
        doubled = tuple(p.expand(2, *p.shape[1:]) for p in parameters)
        return self._batched(doubled, x.expand(2, *x.shape[1:]) if own else x, own)[:1]

    def gradients_into(
        self, parameters: Parameters, x: Tensor, target: Tensor, loss: str, into: Parameters
    ) -> Tensor:
        """Write the gradients of the mean losses and return the outputs [K, n, m]."""
        if self._batches(x):
            outputs, slopes = _by_graph(partial(self.outputs, x=x), parameters, target, loss)
            for written, value in zip(into, slopes, strict=True):
                written.copy_(value)
            return outputs
        found = []
        for k in range(parameters[0].shape[0]):
            alone, samples = self._net(k, parameters, x)
            wanted = target[k] if target.dim() == 3 else target
            one = partial(self._one_of_one, x=samples)
            outputs, slopes = _by_graph(one, alone, wanted, loss)
            for written, value in zip(into, slopes, strict=True):
                written[k].copy_(value)
            found.append(outputs)
        return torch.cat(found)

    def _batches(self, x: Tensor) -> bool:
        """Whether the nets are computed as one batch: on a CPU only where a net's bits are its own.

        The products of a batched convolution and the sums of a batched normalisation depend on the
        number of nets there (and the convolutions are slower than one by one).
        """
        return x.device.type != "cpu" or all(
            type(part) in _BATCHED for part in self.module.modules()
        )

    def _net(self, k: int, parameters: Parameters, x: Tensor) -> tuple[Parameters, Tensor]:
        return tuple(p[k] for p in parameters), x[k] if x.dim() == self.sample_axes + 2 else x

    def _one(self, parameters: Parameters, x: Tensor) -> Tensor:
        values = {name: b.to(x.device) for name, b in self.module.named_buffers()}
        names = (name for name, _ in self.module.named_parameters())
        values |= dict(zip(names, parameters, strict=True))
        found: Tensor = torch.func.functional_call(self.module, values, (x,))
        return found

    def _one_of_one(self, parameters: Parameters, x: Tensor) -> Tensor:
        return self._one(parameters, x)[None]

    def _batched(self, parameters: Parameters, x: Tensor, own: bool) -> Tensor:
        found: Tensor = torch.func.vmap(self._one, in_dims=(0, 0 if own else None))(parameters, x)
        return found


def _by_graph(
    compute: Callable[[Parameters], Tensor], parameters: Parameters, target: Tensor, loss: str
) -> tuple[Tensor, Parameters]:
    """Outputs and the gradients of the mean losses by torch's own backward pass."""
    with torch.enable_grad():
        leaves = tuple(p.detach().requires_grad_() for p in parameters)
        outputs = compute(leaves)
    found = outputs.detach()
    return found, torch.autograd.grad(outputs, leaves, slope_of(found, target, loss))


def paper_network(shape: tuple[int, int, int] = (3, 32, 32), classes: int = 10) -> Stacked:
    """The network of Poggio & Liao, section 4.1: five 3 x 3 convolutions of stride 2.

    They have biases; batch normalisation without scale and shift, by the samples at hand, follows
    each but the last. The paper gives no widths but the count, 188,810 parameters for (3, 32, 32)
    and 10 classes: 256, 48, 48, 96 are the only multiples of 16 up to 512 that have it. Raises
    InputError for images larger than 32 x 32.

    >>> paper_network().parameter_count, paper_network((1, 28, 28)).parameter_count
    (188810, 184202)
    """
    channels, height, width = shape
    if max(height, width) > 32:
        rule = "five layers of stride 2 end in one pixel only up to 32 x 32"
        raise InputError("shape", shape, rule, "reduce the images")
    widths = (channels, 256, 48, 48, 96)
    layers: list[torch.nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layers += [
            torch.nn.Conv2d(a, b, 3, stride=2, padding=1),
            torch.nn.BatchNorm2d(b, affine=False, track_running_stats=False),
            torch.nn.ReLU(),
        ]
    layers += [torch.nn.Conv2d(96, classes, 3, stride=2, padding=1), torch.nn.Flatten()]
    return Stacked(torch.nn.Sequential(*layers), shape)
