"""Laws of straight-line programs: hash-consing, folding, derivatives, tapes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from theorylab.counting.gaussian import Gaussian, bits, reciprocal, scalar
from theorylab.counting.program import Program

RATIONALS = st.fractions(min_value=-3, max_value=3, max_denominator=4)
LEAVES = st.sampled_from(["x", "y"]) | RATIONALS
TREES: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda t: st.tuples(st.sampled_from("+-*"), t, t), max_leaves=12
)


def built(program: Program, tree: Any) -> int:
    if isinstance(tree, str):
        return program.variable("xy".index(tree))
    if isinstance(tree, Fraction):
        return program.constant(fmpq(tree.numerator, tree.denominator))
    sign, a, b = tree
    join = {"+": program.add, "-": program.sub, "*": program.mul}[sign]
    return join(built(program, a), built(program, b))


def dual(tree: Any, x: Fraction, y: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """Value and both derivatives by forward dual numbers, the other way round to reverse mode."""
    if isinstance(tree, str):
        return (x if tree == "x" else y), Fraction(tree == "x"), Fraction(tree == "y")
    if isinstance(tree, Fraction):
        return tree, Fraction(0), Fraction(0)
    sign, left, right = tree
    a, b = dual(left, x, y), dual(right, x, y)
    if sign == "*":
        return a[0] * b[0], a[1] * b[0] + a[0] * b[1], a[2] * b[0] + a[0] * b[2]
    s = 1 if sign == "+" else -1
    return a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]


@given(TREES, RATIONALS, RATIONALS)
def test_values_and_reverse_mode_agree_with_dual_numbers(
    tree: Any, x: Fraction, y: Fraction
) -> None:
    program = Program()
    node = built(program, tree)
    size = len(program)
    assert built(program, tree) == node and len(program) == size, "equal expressions are one node"
    nodes = [node, *program.gradient(node, [program.variable(0), program.variable(1)])]
    point = [fmpq(v.numerator, v.denominator) for v in (x, y)]
    found = program.tape(nodes).run(point)
    assert tuple(Fraction(int(v.p), int(v.q)) for v in found) == dual(tree, x, y)
    batch = program.tape(nodes).run_batch(
        np.array([[complex(x), complex(y)]]), np.zeros((1, 0), dtype=complex)
    )
    assert np.allclose(batch[0], [float(v) for v in dual(tree, x, y)])


@given(TREES)
def test_sums_of_a_thing_and_its_negative_vanish(tree: Any) -> None:
    program = Program()
    node = built(program, tree)
    assert program.sub(node, node) == program.constant(0)
    assert program.mul(node, program.constant(0)) == program.constant(0)
    assert program.mul(program.constant(1), node) == node


def test_powers_are_chains_of_squarings() -> None:
    program = Program()
    node = program.power(program.variable(0), 10_000)
    assert program.tape([node]).operations[1] < 30
    assert program.degrees([node], frozenset({0})) == (10_000,)
    assert program.power(program.variable(0), 0) == program.constant(1)


def test_sums_are_shallow() -> None:
    program = Program()
    total = program.total([program.variable(i) for i in range(1000)])
    assert len(program.tape([total]).spans) <= 10


@given(RATIONALS, RATIONALS, RATIONALS, RATIONALS)
def test_gaussians_are_complex_numbers(a: Fraction, b: Fraction, c: Fraction, d: Fraction) -> None:
    def exact(re: Fraction, im: Fraction) -> Gaussian:
        return Gaussian(fmpq(re.numerator, re.denominator), fmpq(im.numerator, im.denominator))

    z, w = exact(a, b), exact(c, d)
    product = z * w
    assert (product.re, product.im) == (z.re * w.re - z.im * w.im, z.re * w.im + z.im * w.re)
    assert z + w - w == z and z - 0 == z and z.conjugate().conjugate() == z
    assert 1 - z == -(z - 1)
    if (a, b) != (0, 0):
        assert scalar(z * reciprocal(scalar(z))) == 1
    assert bits(scalar(z)) >= 0
