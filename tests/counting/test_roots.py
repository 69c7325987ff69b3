"""Certification: every true root, nothing else, and every failure named."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import zoo
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from theorylab.counting.roots import (
    Box,
    CertifiedRoots,
    Fate,
    Realness,
    certify,
    holds,
    kernel_estimate,
    kernel_proof,
)
from theorylab.counting.system import (
    Gaussian,
    PolynomialSystem,
    Program,
    critical_system,
    interpolation_system,
)
from theorylab.kernel.rules import check
from theorylab.kernel.statements import Proved, Refuted, canonical
from theorylab.model import Dataset, Network
from theorylab.outcome import InputError


def program_of(known: zoo.Known) -> PolynomialSystem:
    """The zoo's exact polynomials as a program."""
    program = Program()
    names = known.system.variables
    x = [program.variable(i) for i in range(len(names))]
    outputs = []
    for polynomial in known.system.polynomials:
        terms = []
        for key, coefficient in polynomial.items():
            term = program.constant(coefficient)
            for i, exponent in enumerate(key):
                term = program.mul(term, program.power(x[i], exponent))
            terms.append(term)
        outputs.append(program.total(terms))
    return PolynomialSystem(tuple(names), program, tuple(outputs), name=known.name)


def in_one_variable(*coefficients: Any) -> PolynomialSystem:
    """c0 + c1 x + ... = 0."""
    p = Program()
    x = p.variable(0)
    terms = [p.mul(p.constant(c), p.power(x, i)) for i, c in enumerate(coefficients)]
    return PolynomialSystem(("x",), p, (p.total(terms),))


def sampled(system: PolynomialSystem, count: int, seed: int = 0) -> np.ndarray:
    """``count`` solutions far enough apart, by Newton's method from random complex points."""
    rng = np.random.default_rng(seed)
    n = len(system.variables)
    found: list[np.ndarray] = []
    for _ in range(40):
        x = rng.normal(size=(3000, n)) + 1j * rng.normal(size=(3000, n))
        with np.errstate(all="ignore"):
            for _ in range(60):
                f, j = system.evaluate_with_jacobian(x)
                size = np.max(np.abs(x), axis=1)
                regular = np.all(np.isfinite(j), axis=(1, 2)) & (size < 1e4)
                regular[regular] = np.abs(np.linalg.det(j[regular])) > 1e-200
                x, f, j = x[regular], f[regular], j[regular]
                step = np.linalg.solve(j, f[..., None])[..., 0]
                x = x - step
        good = np.max(np.abs(step), axis=1) < 1e-10 * (1 + np.max(np.abs(x), axis=1))
        for z in x[good]:
            if all(np.max(np.abs(z - w)) > 1e-6 for w in found):
                found.append(z)
        if len(found) >= count:
            break
    return np.array(found)


@cache
def solved(name: str, *arguments: int) -> tuple[zoo.Known, PolynomialSystem, CertifiedRoots]:
    known = getattr(zoo, name)(*arguments)
    system = program_of(known)
    return known, system, certify(system, sampled(system, known.distinct))


SMALL = [("katsura", 4), ("katsura", 5), ("noon", 3), ("noon", 4), ("cyclic", 5), ("eco", 6)]
LARGE = [("katsura", 6), ("katsura", 7), ("noon", 5), ("cyclic", 6), ("eco", 8)]


@pytest.mark.parametrize(
    "which", [*SMALL, *(pytest.param(w, marks=pytest.mark.slow) for w in LARGE)], ids=str
)
def test_all_true_roots_are_certified_and_the_real_ones_counted(which: Any) -> None:
    known, system, found = solved(*which)
    assert len(found) == known.distinct == len(found.verdicts)
    assert not found.failures
    assert found.count(Realness.UNDECIDED) == 0
    if known.real is not None:
        assert found.count(Realness.REAL) == known.real
    # The certificate stands by itself.
    assert all(holds(system, root.box) for root in found.roots)
    assert {root.bits for root in found.roots} == {53}


def contains(root: Any, exact: Sequence[fmpq]) -> bool:
    return all(ball.contains(value) for ball, value in zip(root.balls(), exact, strict=True))


rationals = st.integers(-2000, 2000).map(lambda k: fmpq(k, 128))


@settings(max_examples=40)
@given(
    st.lists(st.lists(rationals, min_size=1, max_size=4, unique_by=str), min_size=1, max_size=3),
    rationals,
)
def test_balls_contain_roots_known_exactly(values: list[list[fmpq]], turn: fmpq) -> None:
    # x_1 takes the first values; x_i + turn * x_(i-1) the others.
    p = Program()
    outputs, rows = [], [()]
    for i, factors in enumerate(values):
        x = p.variable(i)
        if i:
            x = p.add(x, p.mul(p.constant(turn), p.variable(i - 1)))
        product = p.constant(1)
        for factor in factors:
            product = p.mul(product, p.sub(x, p.constant(factor)))
        outputs.append(product)
        rows = [(*row, f - turn * row[-1] if row else f) for row in rows for f in factors]
    system = PolynomialSystem(tuple(f"x{i}" for i in range(len(values))), p, tuple(outputs))
    points = np.array([[int(v.p) / int(v.q) + 1e-9 for v in row] for row in rows])
    found = certify(system, points)
    assert len(found) == len(rows) == found.count(Realness.REAL)
    for verdict, row in zip(found.verdicts, rows, strict=True):
        assert verdict.fate is Fate.CERTIFIED and contains(found.roots[verdict.root], row)


# Three-valued answers


def test_reality_is_decided_next_to_the_real_line() -> None:
    tiny = fmpq(1, 10**18)
    real = certify(in_one_variable(-tiny, 0, 1), [[1e-9], [-1e-9]])
    assert real.count(Realness.REAL) == 2
    pair = certify(in_one_variable(tiny, 0, 1), [[1e-9j], [-1e-9j]])
    assert len(pair) == pair.count(Realness.NOT_REAL) == 2
    assert not any(root.box.has_real_center for root in pair.roots)


def test_a_real_root_of_a_system_that_is_not_real_stays_undecided() -> None:
    i = Gaussian(fmpq(0), fmpq(1))
    system = in_one_variable(i, Gaussian(fmpq(-1), fmpq(-1)), 1)  # (x - 1)(x - i)
    found = certify(system, [[1], [1j]])
    assert [root.realness for root in found.roots] == [Realness.UNDECIDED, Realness.NOT_REAL]
    assert not system.is_real


def test_approximations_of_one_root_are_merged() -> None:
    known, system, found = solved("noon", 3)
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(3, *found.points.shape)) + 1j * rng.normal(
        size=(3, *found.points.shape)
    )
    again = certify(system, (found.points + 1e-7 * noise).reshape(-1, 3))
    assert len(again) == known.distinct
    assert again.count(Fate.DUPLICATE) == 2 * known.distinct and not again.failures
    for k, verdict in enumerate(again.verdicts):
        assert verdict.root is not None
        point = again.points[verdict.root]
        assert np.max(np.abs(point - found.points[k % known.distinct])) < 1e-12
    assert again.count(Realness.REAL) == known.real


def test_roots_in_a_cluster_are_told_apart() -> None:
    system = program_of(zoo.near_duplicates())
    points = [[1 + s * 1e-8, t * (1 + s * 5e-9)] for s in (-1, 1) for t in (-1, 1)]
    found = certify(system, points)
    assert len(found) == found.count(Realness.REAL) == 4
    assert {root.bits for root in found.roots} <= {53, 128}
    boxes = [root.box.at(512) for root in found.roots]
    for k, (center, radius) in enumerate(boxes):
        for other, margin in boxes[:k]:
            gap = max(abs(a[0] - b[0]) for a, b in zip(center, other, strict=True))
            assert gap > radius + margin


def test_a_start_too_poor_for_a_tighter_cluster_is_never_two_roots_from_one() -> None:
    gap = fmpq(1, 10**20)  # roots 2e-10 apart
    system = in_one_variable(1 - gap, -2, 1)
    found = certify(system, [[1 - 1e-10], [1 + 1e-10], [1]])
    assert len(found) <= 2
    assert sum(found.count(fate) for fate in Fate) == 3
    for root in found.roots:
        assert contains(root, [1 - fmpq(1, 10**10)]) or contains(root, [1 + fmpq(1, 10**10)])


# What is not a regular root


@pytest.mark.parametrize("noise", [0.0, 1e-9, 3e-8])
def test_double_roots_are_reported_as_singular(noise: float) -> None:
    system = program_of(zoo.double_root())
    found = certify(system, [[1 + noise, 1], [1 - 1j * noise, -1]])
    assert len(found) == 0
    assert [verdict.fate for verdict in found.verdicts] == [Fate.SINGULAR] * 2
    assert all("256 bits" in v.reason for _, v in found.failures)


def test_of_a_point_and_a_curve_only_the_point_is_certified() -> None:
    system = program_of(zoo.point_and_curve())
    found = certify(system, [[0, 1e-9], [2, 0.5], [1 + 1e-9, 1], [4.0, 0.25 + 1e-12j]])
    assert [v.fate is Fate.CERTIFIED for v in found.verdicts] == [True, False, False, False]
    assert len(found.failures) == 3 and len(found) == 1


def test_points_at_infinity_are_not_certified() -> None:
    system = program_of(zoo.parallel_circles())
    bad = [[np.inf, 1], [np.nan, 0], [1e12, 1e12j], [1e200, 1e200j], [3, 3j], [1, 2]]
    found = certify(system, bad)
    assert len(found) == 0 and len(found.failures) == len(bad)
    assert found.verdicts[0].reason == "the approximation is not finite"


def test_an_approximation_far_from_every_root_is_not_given_a_root_far_away() -> None:
    _, system, found = solved("noon", 3)
    moved = certify(system, found.points + 1e-2)
    assert len(moved) == 0 and moved.count(Fate.UNRESOLVED) == len(found)
    assert all("leaves the neighbourhood" in v.reason for v in moved.verdicts)
    assert len(certify(system, found.points + 1e-2, reach=0.1)) == len(found)


def test_zero_coordinates() -> None:
    system = program_of(zoo.regular_root_at_the_origin())
    found = certify(system, [[0, 0], [1e-9, -1e-10j]])
    assert len(found) == 1 and found.count(Fate.DUPLICATE) == 1
    assert found.roots[0].realness is Realness.REAL and contains(found.roots[0], [0, 0])


def test_ill_conditioned_and_badly_scaled_roots() -> None:
    coefficients = [fmpq(1)]
    for k in range(1, 16):  # Wilkinson
        shifted = [fmpq(0), *coefficients]
        coefficients = [a - k * b for a, b in zip(shifted, [*coefficients, fmpq(0)], strict=True)]
    wilkinson = certify(in_one_variable(*coefficients), [[k + 1e-6] for k in range(1, 16)])
    assert len(wilkinson) == wilkinson.count(Realness.REAL) == 15
    for k, root in enumerate(wilkinson.roots, start=1):
        assert contains(root, [fmpq(k)])
    tiny = certify(in_one_variable(-fmpq(1, 10**40), 0, 1), [[1e-20], [-1e-20]])
    assert len(tiny) == 2
    large = certify(in_one_variable(-(fmpq(10) ** 60), 0, 1), [[1e30], [-1e30]])
    assert len(large) == 2
    steep = certify(in_one_variable(-1, fmpq(10) ** 60), [[1e-60]])
    assert len(steep) == 1 and contains(steep.roots[0], [fmpq(1, 10**60)])


def test_hopeless_scales_are_reported() -> None:
    found = certify(in_one_variable(-1, fmpq(10) ** 250), [[1e-250], [1]])
    assert len(found) + len(found.failures) + found.count(Fate.DUPLICATE) == 2


def test_nothing_in_nothing_out_and_wrong_input() -> None:
    _, system, _ = solved("noon", 3)
    assert len(certify(system, np.zeros((0, 3)))) == 0
    assert certify(system, np.zeros((0, 3))).points.shape == (0, 3)
    with pytest.raises(InputError, match="rows of 3 numbers"):
        certify(system, [[1, 2]])
    with pytest.raises(InputError, match="reach"):
        certify(system, [[1, 2, 3]], reach=0)
    with pytest.raises(InputError, match="square systems"):
        certify(replace(system, outputs=system.outputs[:2]), [[1, 2, 3]])


def test_a_verdict_reads_well() -> None:
    _, system, found = solved("noon", 3)
    text = str(certify(system, [*found.points, found.points[0], [np.inf, 0, 0]]))
    assert text == (
        "21 distinct regular roots certified (7 real, 14 not real, 0 undecided); "
        "of the approximations 1 duplicate, 1 unresolved"
    )


# False certificates


def moved(box: Box, shifts: Sequence[tuple[int, int]]) -> Box:
    center = tuple((a + s, b + t) for (a, b), (s, t) in zip(box.center, shifts, strict=True))
    return replace(box, center=center)


def check_no_false_certificate(which: Any, trials: int) -> int:
    """Boxes pushed off their roots, approximations perturbed or made up; how many were tried."""
    known, system, truth = solved(*which)
    assert len(truth) == known.distinct, "the list of true roots is complete"
    n, rng = len(system.variables), random.Random(f"false {which}")
    tried = 0
    for _ in range(trials // 2):
        root = rng.choice(truth.roots)
        # In one coordinate by more than the box reaches, in the others by anything.
        far = root.box.radius + root.box.inner + 1
        sizes = [rng.randint(-far, far) * rng.randint(0, 1) for _ in range(2 * n)]
        sizes[rng.randrange(2 * n)] = rng.choice((-1, 1)) * rng.randint(
            far, far << rng.randint(0, 30)
        )
        fake = moved(root.box, list(zip(sizes[::2], sizes[1::2], strict=True)))
        others = [r for r in truth.roots if r is not root]
        scale = 2.0**-fake.precision
        middle = np.array([complex(a * scale, b * scale) for a, b in fake.center])
        clear = all(np.max(np.abs(middle - r.point)) > 4 * fake.radius * scale for r in others)
        if clear:
            tried += 1
            assert not holds(system, fake), "a box without a root was certified"
    numbers = np.random.default_rng(7)
    points = []
    for k in range(trials // 2):
        if k % 2:
            base = truth.points[numbers.integers(len(truth))]
            size = 10.0 ** numbers.uniform(-12, 1)
        else:
            base, size = np.zeros(n), 10.0 ** numbers.uniform(-2, 2)
        points.append(base + size * (numbers.normal(size=n) + 1j * numbers.normal(size=n)))
    found = certify(system, points)
    tried += len(points)
    assert len(found.verdicts) == len(points)
    assert len(found) <= len(truth)
    radii = [2.0**-r.box.precision * r.box.radius for r in truth.roots]
    for point, verdict in zip(points, found.verdicts, strict=True):
        if verdict.root is None:
            assert verdict.fate in (Fate.SINGULAR, Fate.UNRESOLVED) and verdict.reason
            continue
        root = found.roots[verdict.root]
        size = 2.0**-root.box.precision * root.box.radius
        gaps = np.max(np.abs(truth.points - root.point), axis=1)
        near = [k for k in range(len(truth)) if gaps[k] <= 2 * (radii[k] + size)]
        assert len(near) == 1, "a certified box holds no true root"
        assert truth.roots[near[0]].realness is root.realness
        reach = 1e-4 * max(1.0, float(np.max(np.abs(point))))
        # Squares, not discs; and the root may lie off the centre by half a box.
        assert np.max(np.abs(root.point - point)) <= 2.2 * reach
    return tried


def test_no_false_certificate() -> None:
    assert check_no_false_certificate(("noon", 3), 400) > 300


@pytest.mark.slow
def test_no_false_certificate_in_ten_thousand() -> None:
    tried = 0
    for which in (("noon", 3), ("noon", 4), ("katsura", 4), ("katsura", 5), ("cyclic", 5)):
        tried += check_no_false_certificate(which, 2200)
    assert tried >= 10_000


def test_holds_refuses_what_is_no_certificate() -> None:
    _, system, found = solved("noon", 3)
    box = found.roots[0].box
    assert holds(system, box)
    zero = tuple(((0, 0),) * 3 for _ in range(3))
    assert not holds(system, replace(box, inverse=zero))
    assert not holds(system, replace(box, radius=0))
    assert not holds(system, replace(box, radius=-1))
    assert not holds(system, replace(box, radius=box.radius << 60))
    assert not holds(system, replace(box, center=box.center[:2]))
    # The boundary is not the interior: x - c has its root exactly at distance radius.
    line = in_one_variable(0, 1)
    edge = Box(0, ((1, 0),), 1, (((1, 0),),), 1)
    assert not holds(line, edge) and holds(line, replace(edge, radius=2))


# The kernel


def draw(seed: int, n: int, m: int, samples: int) -> Dataset:
    rng = random.Random(seed)

    def rows(width: int) -> list[list[fmpq]]:
        return [
            [fmpq(2 * rng.randrange(-999, 999) + 1, 256) for _ in range(width)]
            for _ in range(samples)
        ]

    return Dataset.from_rows(rows(n), rows(m))


def certificate(system: PolynomialSystem, found: CertifiedRoots, **more: Any) -> dict[str, Any]:
    conclusion, rule, proof = kernel_proof(found, system, **more)
    assert system.origin is not None
    return {
        "schema": "theorylab.certificate/1",
        "statement": {
            "network": system.origin.network.to_json(),
            "data": system.origin.data.to_json(),
            "hypotheses": [],
            "conclusion": conclusion,
        },
        "rule": rule,
        "proof": proof,
    }


def network_problems() -> list[tuple[PolynomialSystem, int]]:
    """Systems of networks, with complete counts (ENGINES A4) but for the last."""
    line, square = Network.dense((1, 1, 1), "linear"), Network.dense((1, 1, 1), "square")
    deep, wide = Network.dense((1, 1, 1, 1), "linear"), Network.dense((2, 2, 1), "linear")
    tied = Network.with_pattern((2, 2, 1), "cube", [[[0, 1], ["1/2", 0]], None])
    quadrics = Network.dense((2, 2, 1), "square", bias=[True, False])
    return [
        (critical_system(line, draw(1, 1, 1, 1), "generic"), 5),
        (critical_system(deep, draw(2, 1, 1, 1), "generic"), 17),
        (critical_system(wide, draw(3, 2, 1, 2), "generic"), 33),
        (critical_system(square, draw(4, 1, 1, 2), "generic"), 9),
        (interpolation_system(quadrics, draw(5, 2, 1, 5)), 12),
        (interpolation_system(tied, draw(6, 2, 1, 4), gauge="none"), 1),
    ]


@pytest.mark.parametrize("which", range(6))
def test_the_kernel_accepts_the_certificate(which: int) -> None:
    system, count = network_problems()[which]
    found = certify(system, sampled(system, count))
    assert len(found) >= min(count, 4) and not found.failures
    made = certificate(system, found)
    outcome = check(canonical(made))
    assert isinstance(outcome, Proved), outcome
    assert made["statement"]["conclusion"]["at_least"] == len(found)
    estimate = kernel_estimate(found, system)
    assert estimate.obstacle is None and estimate.seconds < 10
    assert estimate.size / 2 < len(canonical(made)) < estimate.size * 2 + 3000
    # One more root, or one more real one, is not proved.
    for key in ("at_least", "real_at_least"):
        conclusion = made["statement"]["conclusion"]
        more = {**conclusion, key: conclusion[key] + 1}
        statement = {**made["statement"], "conclusion": more}
        assert not isinstance(check(canonical({**made, "statement": statement})), Proved)


def test_the_kernel_accepts_a_cluster() -> None:
    network = Network.dense((1, 1), "square", bias=[True], output="activation")
    data = Dataset.from_rows([[1], [2]], [[fmpq(1, 10**16)], [1]])
    system = interpolation_system(network, data)
    points = [[v - u, 2 * u - v] for u in (-1e-8, 1e-8) for v in (-1, 1)]
    found = certify(system, points)
    assert len(found) == 4 == found.count(Realness.REAL)
    assert {root.bits for root in found.roots} <= {53, 128}
    upper = {"by": "bezout"}
    outcome = check(canonical(certificate(system, found, at_most=4, upper=upper)))
    assert isinstance(outcome, Proved), outcome


def test_the_kernel_refuses_a_box_that_was_moved() -> None:
    system, count = network_problems()[0]
    found = certify(system, sampled(system, count))
    first = found.roots[0]
    shift = 3 * first.box.radius
    fake = replace(first, box=moved(first.box, [(shift, 0)] * len(first.box.center)))
    bad = replace(found, roots=(fake, *found.roots[1:]))
    assert not isinstance(check(canonical(certificate(system, bad))), (Proved, Refuted))
    twice = replace(found, roots=(first, *found.roots))
    assert not isinstance(check(canonical(certificate(system, twice))), (Proved, Refuted))


def test_what_the_kernel_cannot_derive_is_said_beforehand() -> None:
    _, system, found = solved("noon", 3)
    assert "network" in (kernel_estimate(found, system).obstacle or "")
    with pytest.raises(InputError, match="assurance flint"):
        kernel_proof(found, system)
    square = Network.dense((2, 2, 1), "square", bias=[True, False])
    sliced = interpolation_system(square, draw(5, 2, 1, 4), slices="auto")
    assert "slices" in (kernel_estimate(CertifiedRoots(sliced, (), ()), sliced).obstacle or "")
    line, count = network_problems()[0]
    few = certify(line, sampled(line, count))
    many = replace(few, roots=few.roots * 20_000)
    estimate = kernel_estimate(many, line)
    assert estimate.obstacle in ("too much work", "too long")
    assert "refuses" in str(estimate)
