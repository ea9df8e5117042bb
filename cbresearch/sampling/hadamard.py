"""Hadamard matrices: signs whose columns are orthogonal, so that half-samples balance each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def hadamard(at_least: int) -> NDArray[np.int64]:
    """The smallest matrix of order `at_least` or more that Paley (1933) and Sylvester's doubling give.

    Its entries are 1 and -1, its first row and column 1, and H'H is its order times the identity.
    """
    order = max(at_least, 1)
    while (matrix := _of_order(order)) is None:
        order += 1
    # signs of whole rows and columns do not touch orthogonality
    matrix = matrix * matrix[:, :1]
    return matrix * matrix[:1]


def _of_order(order: int) -> NDArray[np.int64] | None:
    if order == 1:
        return np.ones((1, 1), dtype=np.int64)
    if order % 4 == 0 and _is_prime(order - 1):
        return _paley(order - 1)
    half = _of_order(order // 2) if order % 2 == 0 else None
    return None if half is None else np.block([[half, half], [half, -half]])


def _paley(q: int) -> NDArray[np.int64]:
    """Of order q + 1, for a prime q of the form 4k + 3, from the squares modulo q."""
    squares = np.isin(np.arange(q), np.arange(1, q) ** 2 % q)
    sign = np.where(squares, 1, -1)
    sign[0] = 0
    core = sign[(np.arange(q)[None, :] - np.arange(q)[:, None]) % q]
    skew = np.block([[np.zeros((1, 1), dtype=np.int64), np.ones((1, q), dtype=np.int64)],
                     [-np.ones((q, 1), dtype=np.int64), core]])  # fmt: skip
    return np.asarray(skew + np.eye(q + 1, dtype=np.int64))


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))
