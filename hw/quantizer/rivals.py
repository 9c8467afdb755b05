"""Whether a largest magnitude stands alone: no other reaches more than half of it, both cut to a few bits.

A magnitude that reaches more than half of the largest is its rival. Of two groups of magnitudes the one with the larger
maximum wins. The winner's rivals stay rivals. Of the loser only its maximum can be the largest rival, so one comparison
decides. So a flag goes along with each maximum, and nobody looks at an element again.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from amxfp4.golden.formats import ALONE_BITS
from amxfp4.hw.arith.compare import at_least
from amxfp4.hw.quantizer.config import QuantizerConfig


@dataclass(frozen=True)
class Group:
    """Some magnitudes of a block.

    Attributes:
        maximum: the largest of them, 0 if there is none.
        rivalled: it has a rival among them.
    """

    maximum: Value
    rivalled: Value

    @property
    def packed(self) -> Value:
        """Both in one value, to be held."""
        return Cat(self.maximum, self.rivalled)

    @staticmethod
    def of(packed: Value) -> "Group":
        """The group whose `packed` this is."""
        return Group(packed[:-1], packed[-1])


def are_rivals(config: QuantizerConfig, a: Value, b: Value) -> Value:
    """Whether the smaller of two maxima is a rival of the larger.

    It is where their exponents are equal, or where the smaller exponent is one less and has the larger fraction. Which
    of the two is larger need not be known.

    Arbitrary where the larger has the largest exponent, or one of the least two. Rivals do not matter there.
    """
    bits = config.maximum_fraction_bits
    (a_fraction, a_exponent), (b_fraction, b_exponent) = (
        (value[bits - (ALONE_BITS - 1) : bits], value[bits:]) for value in (a, b)
    )
    differ = a_exponent ^ b_exponent
    one_less = _is_next(differ, a_exponent) & ~at_least(b_fraction, a_fraction)
    one_more = _is_next(differ, b_exponent) & ~at_least(a_fraction, b_fraction)
    return ~differ.any() | one_less | one_more


def _is_next(differ: Value, number: Value) -> Value:
    """Whether number + 1 differs from `number` in just these bits. The number with all bits set has no next."""
    carry: Value = Const(1, 1)
    flips = []
    for bit in number:
        flips.append(carry)
        carry = carry & bit
    return (differ == Cat(*flips)) & ~carry


def joined(m: Module, config: QuantizerConfig, a: Group, b: Group, name: str) -> Group:
    """Two groups as one."""
    a_wins = Signal(name=f"{name}_first")
    maximum, rivalled = Signal(len(a.maximum), name=name), Signal(name=f"{name}_rivalled")
    m.d.comb += [
        a_wins.eq(at_least(a.maximum, b.maximum)),
        maximum.eq(Mux(a_wins, a.maximum, b.maximum)),
        rivalled.eq(Mux(a_wins, a.rivalled, b.rivalled) | are_rivals(config, a.maximum, b.maximum)),
    ]
    return Group(maximum, rivalled)
