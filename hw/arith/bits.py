"""The small vocabulary that every block uses."""

from amaranth.hdl import Value


def gated(value: Value, when: Value) -> Value:
    """`value` where the bit `when` is set, otherwise 0."""
    return value & when.replicate(len(value))
