"""Ensembles trained at once against an honest Python loop over the nets, on one thread.

Run: OMP_NUM_THREADS=1 python benchmarks/ensembles.py [--quick] [--only h/b ...] [--device cuda]

The loop trains each net by itself: torch.nn.Sequential, torch.optim.SGD with momentum, indices
drawn before the clock starts, samples taken at each step, tiny numbers flushed as ours are. The
ensemble has the same initial weights and minibatches, which it draws within its time; the final
weights of the two must agree to float error. Both are timed in turn, in processor seconds, the loop
on up to 16 of the nets and extrapolated; the ratio is of the medians. Per step: microseconds of one
step of the whole ensemble. `--device cuda` instead trains 4,096 small nets at once on the GPU and
counts nets per second.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import statistics
import time

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from theorylab.experiments.networks.devices import flushed
from theorylab.experiments.networks.ensemble import Descent, Trained, train_ensemble
from theorylab.experiments.networks.model import Parameters, Perceptron, picked
from theorylab.experiments.seeds import generator

# long enough that preparing and the last measurement on all samples, which the loop is spared,
# weigh little
SIZES = (
    ((64, 8, 10), 16, 200),
    ((64, 16, 10), 32, 200),
    ((64, 32, 10), 64, 100),
    ((64, 64, 10), 64, 64),
    ((64, 128, 10), 128, 64),
    ((64, 256, 10), 256, 64),
    ((64, 32, 10), 1024, 48),
    ((64, 64, 64, 10), 64, 64),
)
SEED, RATE, LOOPED = 0, 0.05, 16


def digits() -> tuple[Tensor, Tensor]:
    x, y = load_digits(return_X_y=True)
    return torch.tensor(x / 16.0, dtype=torch.float32), torch.tensor(y)


def sequential(model: Perceptron, weights: Parameters) -> nn.Sequential:
    layers: list[nn.Module] = []
    for at, (a, b) in enumerate(itertools.pairwise(model.widths)):
        layer = nn.Linear(a, b)
        with torch.no_grad():
            layer.weight.copy_(weights[2 * at][0].T)
            layer.bias.copy_(weights[2 * at + 1][0, 0])
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def drawn(net: int, steps: int, batch: int, samples: int) -> Tensor:
    """The minibatches that train_ensemble draws for the net."""
    source = generator(SEED, "batches", net)
    blocks = [source.integers(0, samples, (64, batch), dtype=np.int32) for _ in range(0, steps, 64)]
    return torch.from_numpy(np.concatenate(blocks)[:steps]).long()


def looped(model: Perceptron, x: Tensor, y: Tensor, nets: int, batch: int, steps: int) -> tuple[
    float, list[nn.Sequential]
]:  # fmt: skip
    built = [sequential(model, model.initial(SEED, [k])) for k in range(nets)]
    indices = [drawn(k, steps, batch, len(x)) for k in range(nets)]
    begun = time.process_time()
    with flushed():
        for network, chosen in zip(built, indices, strict=True):
            optimiser = torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9)
            for at in chosen:
                optimiser.zero_grad()
                nn.functional.cross_entropy(network(x[at]), y[at]).backward()
                optimiser.step()
    return time.process_time() - begun, built


def together(
    model: Perceptron, x: Tensor, y: Tensor, nets: int, batch: int, steps: int
) -> tuple[float, Trained]:
    begun = time.process_time()
    rule = Descent(RATE, steps, batch=batch)
    trained = train_ensemble(model, x, y, nets, seed=SEED, descent=rule)
    return time.process_time() - begun, trained


def difference(trained: Trained, built: list[nn.Sequential]) -> float:
    """The largest difference of two weights of the two computations."""
    worst = 0.0
    for k, network in enumerate(built):
        mine = picked(trained.parameters, [k])
        for w, b, layer in zip(mine[::2], mine[1::2], network[::2], strict=True):
            worst = max(worst, float((w[0].T - layer.weight.detach()).abs().max()))
            worst = max(worst, float((b[0, 0] - layer.bias.detach()).abs().max()))
    return worst


def compared(nets: int, widths: tuple[int, ...], batch: int, steps: int, rounds: int) -> None:
    x, y = digits()
    model, count = Perceptron(widths), min(nets, LOOPED)
    loop, ours, worst = [], [], 0.0
    for _ in range(rounds):
        seconds, built = looped(model, x, y, count, batch, steps)
        loop.append(seconds * nets / count)
        seconds, trained = together(model, x, y, nets, batch, steps)
        ours.append(seconds)
        worst = max(worst, difference(trained, built))
    assert worst < 1e-3, f"the two computations disagree by {worst}"
    ratios = [a / b for a, b in zip(loop, ours, strict=True)]
    step = statistics.median(ours) / steps * 1e6
    print(
        f"{nets:5} {'-'.join(map(str, widths)):>12} {batch:6} {statistics.median(loop):8.3f} "
        f"{statistics.median(ours):8.3f} {statistics.median(loop) / statistics.median(ours):7.2f} "
        f"{min(ratios):6.2f}-{max(ratios):<6.2f} {step:9.0f} {worst:9.1e}",
        flush=True,
    )


def on_gpu(device: str) -> None:
    x, y = digits()
    for widths, batch in (((64, 8, 10), 16), ((64, 16, 10), 32), ((64, 64, 10), 64)):
        model, rule = Perceptron(widths), Descent(RATE, 1000, batch=batch)
        for run in range(2):  # the first one starts the device
            begun = time.perf_counter()
            trained = train_ensemble(
                model, x, y, 4096, seed=SEED, descent=rule, device=device, names=("gpu", run)
            )
            error = float(trained.errors.mean())
            seconds = time.perf_counter() - begun
        print(
            f"4096 x {widths}, batch {batch}, 1000 steps: {seconds:.2f} s, "
            f"{4096 / seconds:.0f} nets/s, mean error {error:.4f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three rounds instead of five")
    parser.add_argument("--only", nargs="*", help="sizes such as 8/16, width/batch")
    parser.add_argument("--nets", type=int, nargs="*", default=[16, 256])
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    print(
        f"{platform.machine()}, Python {platform.python_version()}, ",
        end="",
    )
    if given.device != "cpu":
        print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}")
        return on_gpu(given.device)
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, {torch.backends.cpu.get_cpu_capability()}")
    print("    K       widths  batch   loop s   ours s   ratio  min-max       us/step difference")
    for (widths, batch, steps), nets in itertools.product(SIZES, given.nets):
        if not given.only or f"{widths[1]}/{batch}" in given.only:
            compared(nets, widths, batch, steps, 3 if given.quick else 5)
    return None


if __name__ == "__main__":
    main()
