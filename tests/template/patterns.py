"""Patterns of actions and ARNs; `*` stands for any text."""

from functools import lru_cache


@lru_cache(maxsize=None)
def overlap(one, other):
    """Whether a text exists that both patterns match."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(one, other[1:]) or overlap(one[1:], other)
    return one[0] == other[0] and overlap(one[1:], other[1:])
