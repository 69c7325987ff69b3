"""The works whose statements are measured here."""

from __future__ import annotations

from typing import Final

from theorylab.outcome import Source

FREEMAN_BRUNA: Final = Source(
    ("C. Daniel Freeman", "Joan Bruna"),
    "Topology and Geometry of Half-Rectified Network Optimization",
    2017,
)
GARIPOV: Final = Source(
    (
        "Timur Garipov",
        "Pavel Izmailov",
        "Dmitrii Podoprikhin",
        "Dmitry Vetrov",
        "Andrew Gordon Wilson",
    ),
    "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs",
    2018,
    "section 3",
)
POGGIO_LIAO: Final = Source(
    ("Tomaso Poggio", "Qianli Liao"), "Theory II: Deep learning and optimization", 2018
)
MHASKAR_POGGIO: Final = Source(
    ("Hrushikesh Mhaskar", "Tomaso Poggio"),
    "Deep vs. shallow networks: an approximation theory perspective",
    2016,
)
SOUDRY: Final = Source(
    ("Daniel Soudry", "Elad Hoffer", "Mor Shpigel Nacson", "Suriya Gunasekar", "Nathan Srebro"),
    "The Implicit Bias of Gradient Descent on Separable Data",
    2018,
    "Theorem 3",
)
YAO: Final = Source(("Yuan Yao",), "On Mathematical Theories of Deep Learning (lectures)", 2018)
ZHANG: Final = Source(
    ("Chiyuan Zhang", "Samy Bengio", "Moritz Hardt", "Benjamin Recht", "Oriol Vinyals"),
    "Understanding Deep Learning Requires Rethinking Generalization",
    2017,
    "section 2",
)
