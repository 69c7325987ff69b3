"""What the figures of several experiments have in common: colours, and verdicts as the title."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from theorylab.experiments.experiment import Reading
    from theorylab.outcome import Observed

# Okabe and Ito's orange, blue, green and purple: told apart by colour-blind readers.
ORANGE: Final = "#d55e00"
BLUE: Final = "#0072b2"
GREEN: Final = "#009e73"
PURPLE: Final = "#cc79a7"
GREY: Final = "#7f7f7f"


def title_with_verdicts(
    figure: Figure, title: str, judged: Sequence[tuple[Reading, Observed]], per_line: int = 4
) -> None:
    """Write the title and below it the word that each reading came to."""
    words = [f"{reading.variant}: {observed.outcome}" for reading, observed in judged]
    lines = [
        "   ".join(words[first : first + per_line]) for first in range(0, len(words), per_line)
    ]
    figure.suptitle("\n".join([title, *lines]), fontsize=10)


def strip(
    axes: Axes,
    place: float,
    values: ArrayLike,
    colour: str,
    marker: str,
    label: str | None = None,
    *,
    bar: bool = True,
) -> None:
    """One mark for each finite value at about this abscissa, and a bar at their median."""
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    if not len(found):
        return
    spread = np.linspace(-0.06, 0.06, len(found)) if len(found) > 1 else np.zeros(1)
    axes.plot(
        place + spread, found, marker, color=colour, alpha=0.6, markersize=4, label=label,
        markeredgewidth=0, linestyle="none",
    )  # fmt: skip
    if bar:
        axes.hlines(float(np.median(found)), place - 0.12, place + 0.12, color=colour, linewidth=2)


def medians(table: ArrayLike) -> NDArray[np.float64]:
    """The median of each column over its finite values; nan for a column without any.

    >>> medians([[1.0, 2.0, float("nan")], [3.0, float("nan"), float("nan")]])
    array([ 2.,  2., nan])
    """
    columns = np.asarray(table, dtype=np.float64).T
    finite = [column[np.isfinite(column)] for column in columns]
    return np.array([np.median(column) if len(column) else np.nan for column in finite])
