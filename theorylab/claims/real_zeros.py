"""How many real zeros: a mean over random systems, not a number of the zeros of a network."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Hypothesis, Proof, Variant
from theorylab.claims.shapes import DENSE, NO_BIAS, SQUARE, attempt, every, poggio_liao, restricted
from theorylab.counting.ensembles import Ensemble, counts
from theorylab.experiments.mean import observed_mean
from theorylab.instances import Draw, Instance, Trial, matrix
from theorylab.model import Dataset, Network, load_dataset
from theorylab.outcome import Observed, Undecided
from theorylab.topology.zeros import no_zero_of_units

_ONE_LAYER = Hypothesis.of(
    "no-hidden-layer", "there is no hidden layer", kind="hidden_layers", count=0
)


def printed_number(samples: int, layers: int, degree: int) -> float:
    """l^(N d / 2), the number of real zeros that is printed for N data, d layers, degree l.

    >>> printed_number(2, 1, 2)
    2.0
    """
    return sqrt(degree ** (samples * layers))


def _units(name: str, data: Dataset, note: str = "") -> Instance:
    """The system (w.x_j)^2 = y_j, of which at least one target is negative."""
    network = Network.dense((data.n, 1), "square", output="activation")
    number = f"printed: 2^({data.samples}/2) = {printed_number(data.samples, 1, 2):.6g} real zeros"
    a = (fmpq_mat([[fmpq(0)] * data.n]),)
    words = f"{number}; there is none{'; ' if note else ''}{note}"
    return Instance(name, "printed", network, data, {"kind": "has_zero"}, a, None, "refuted", words)


def _centred(data: Dataset) -> Dataset:
    """The data with their targets minus the mean."""
    targets = data.y.entries()
    mean = sum(targets, fmpq(0)) / len(targets)
    y = fmpq_mat([[t - mean for t in targets]])
    return replace(data, y=y, name=f"{data.name}, centred")


def _instances() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    thirty = every(restricted(iris, "iris virginica", (0, 1, 2, 3), (2,)), 5)
    return (
        _units("one-datum-1-1", Dataset.from_rows([[1]], [[-1]], name="one point"), "w^2 = -1"),
        _units("two-data-2-1", Dataset.from_rows([[1, 0], [0, 1]], [[4], [-9]], name="two points")),
        _units("iris-4-1", _centred(thirty), "30 flowers, 1 for virginica, else 0, less 1/3"),
    )


def _random(draw: Draw) -> Instance:
    n, samples = draw.integer(1, 3), draw.integer(1, 4)
    x, y = matrix(draw, n, samples), matrix(draw, 1, samples)
    y[0, draw.integer(0, samples - 1)] = -draw.integer(1, 4)
    return _units("random", Dataset(x, y, name="one target negative"))


def _refute(instance: Instance) -> Proof | Undecided:
    return attempt(no_zero_of_units(instance.network, instance.data))


def _trials(seed: int, draws: int) -> tuple[Trial, ...]:
    """Fixed ensembles, each with its least number of draws or more."""
    made = []
    for degrees, least in (((4,), 1000), ((9,), 1000), ((2, 2), 1000), ((3, 2), 1000)):
        kostlan = Ensemble("kostlan", degrees)
        made.append(_trial("corrected", kostlan, kostlan.root_of_solutions, least, seed, draws))
    cube = Ensemble("kostlan", (2, 2, 2))
    made.append(_trial("corrected", cube, cube.root_of_solutions, 800, seed, draws))
    for degrees in ((2, 2), (3, 3)):
        units = Ensemble("network", degrees)
        number = printed_number(2, 1, degrees[0])
        trial = _trial("printed", units, number, 300, seed, draws)
        note = "two data, Gaussian: the mean is 1, exactly"
        made.append(replace(trial, expected="inconsistent", note=note))
    return tuple(made)


def _trial(
    variant: str, ensemble: Ensemble, claimed: float, least: int, seed: int, draws: int
) -> Trial:
    name = f"{ensemble.kind}-{'-'.join(map(str, ensemble.degrees))}"
    return Trial(name, variant, ensemble, claimed, max(least, draws), str(seed))


def observe(trial: Trial) -> Observed:
    """The mean number of real zeros, each counted exactly, against the claimed one.

    Guarantees: each count exact (assurance flint); the test heuristic. Undecided unless every draw
    was counted, and when the interval is too wide to say anything.
    """
    found = [*counts(trial.ensemble, trial.draws, trial.seed)]
    known = [count for count in found if isinstance(count, int)]
    gates = (("every count complete", len(known) == len(found)),)
    return observed_mean(known, trial.claimed, gates=gates, seed=trial.seed)


REAL_ZEROS_MEAN = Claim(
    id="real-zeros-mean",
    title="The mean number of real zeros of a Kostlan system is the root of its Bezout number",
    source=poggio_liao("l^(Nd/2) real zeros, after Shub & Smale 1993"),
    variants=(
        Variant(
            "printed",
            "the equations of a network of degree l and depth d at N data have l^(Nd/2) real "
            "zeros, so at least one",
            r"\#\{w\in\mathbb R^W : \Phi(x_j;w)=y_j\} = l^{Nd/2}",
            (SQUARE, _ONE_LAYER, DENSE, NO_BIAS),
            "has_zero",
        ),
        Variant(
            "corrected",
            "the mean number of real zeros of Kostlan systems, all coefficients independent and "
            "Gaussian with multinomial variances, is the square root of the product of the degrees",
            r"\mathbb E\,\#\{x\in\mathbb R^n : f(x)=0\} = \sqrt{d_1\cdots d_n}",
            (
                Hypothesis.of(
                    "kostlan",
                    "coefficients are independent, Gaussian, with multinomial variances",
                    kind="kostlan",
                ),
            ),
            "mean",
        ),
    ),
    canonical=_instances,
    random=_random,
    prover=_refute,
    kind="statistical",
    erratum=Erratum(
        "l^(Nd/2) real zeros",
        "w^2 = -1 has none; for N data, n = N and rho = z^l with Gaussian data the mean is 1, not "
        "l^(N/2)",
        "sqrt(product of the degrees) is the mean over Kostlan systems, which networks are not",
    ),
    trials=_trials,
    observer=observe,
)
