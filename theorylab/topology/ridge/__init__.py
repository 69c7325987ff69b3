"""Losses with a ridge: paths and the descents in floating point that guide them."""
