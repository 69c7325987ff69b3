"""WHAT is studied: networks, data and the square loss, all over the rationals.

Re-exported names; import them from here. Everything in this package is exact.
"""

from theorylab.model.data import Dataset, dataset_names, load_dataset, read_dataset
from theorylab.model.loss import Loss, Ridge
from theorylab.model.network import (
    Activation,
    Entry,
    Network,
    Pattern,
    Weights,
    convolution,
)
from theorylab.model.network_file import read_network, write_network
from theorylab.model.rational import matrix, rational, rational_text, rows

__all__ = [
    "Activation",
    "Dataset",
    "Entry",
    "Loss",
    "Network",
    "Pattern",
    "Ridge",
    "Weights",
    "convolution",
    "dataset_names",
    "load_dataset",
    "matrix",
    "rational",
    "rational_text",
    "read_dataset",
    "read_network",
    "rows",
    "write_network",
]
