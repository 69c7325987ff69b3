"""Scalar networks of squares: exact paths, quadratic forms and their inertia."""
