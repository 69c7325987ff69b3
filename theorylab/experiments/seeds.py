"""Seeds: one root, and a child for every purpose that has a name."""

from __future__ import annotations

import hashlib

import numpy as np

from theorylab.outcome import InputError

_WORDS = 4


def child(seed: int, *names: str | int) -> np.random.SeedSequence:
    """The seed sequence of a purpose, e.g. ("flatness", "init", 3); other names, other draws.

    Guarantees: the same on every machine, and independent of how many children there are. Raises
    InputError for a negative seed.

    >>> a, b = child(0, "init", 3), child(0, "init", 4)
    >>> (a.generate_state(1) != b.generate_state(1)).item()
    True
    """
    if seed < 0:
        raise InputError("seed", seed, "a seed is at least 0", "choose another")
    # the lengths keep ("a", "bc") and ("ab", "c") apart, the types 1 and "1"
    written = "".join(f"{type(n).__name__}{len(str(n))}:{n}" for n in names)
    digest = hashlib.sha256(written.encode()).digest()
    key = tuple(int.from_bytes(digest[4 * i : 4 * i + 4], "big") for i in range(_WORDS))
    return np.random.SeedSequence(seed, spawn_key=key)


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """The generator of a purpose; see ``child``.

    >>> bool(generator(1, "x").random() == generator(1, "x").random())
    True
    """
    return np.random.Generator(np.random.PCG64(child(seed, *names)))
