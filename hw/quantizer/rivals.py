"""Whether a largest magnitude stands alone: no other reaches more than half of it, both cut to a few bits.

A magnitude that reaches more than half of the largest is its rival. Of two groups of magnitudes the one with the larger
maximum wins. The winner's rivals stay rivals. Of the loser only its maximum can be the largest rival, so one comparison
decides. So a flag goes along with each maximum, and nobody looks at an element again.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value

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


def is_rival(config: QuantizerConfig, smaller: Value, larger: Value) -> Value:
    """Whether one maximum, which is at most the other, is its rival.

    Arbitrary where `larger` has the largest exponent, or one of the least two. Rivals do not matter there.
    """
    bits = config.maximum_fraction_bits
    (low, low_exponent), (high, high_exponent) = (
        (value[bits - (ALONE_BITS - 1) : bits], value[bits:]) for value in (smaller, larger)
    )
    next_below = (low_exponent + 1)[: len(high_exponent)] == high_exponent
    return (low_exponent == high_exponent) | (next_below & ~at_least(high, low))


def joined(m: Module, config: QuantizerConfig, a: Group, b: Group, name: str) -> Group:
    """Two groups as one."""
    a_wins = Signal(name=f"{name}_first")
    maximum, rivalled = Signal(len(a.maximum), name=name), Signal(name=f"{name}_rivalled")
    loser = Mux(a_wins, b.maximum, a.maximum)
    m.d.comb += [
        a_wins.eq(at_least(a.maximum, b.maximum)),
        maximum.eq(Mux(a_wins, a.maximum, b.maximum)),
        rivalled.eq(Mux(a_wins, a.rivalled, b.rivalled) | is_rival(config, loser, maximum)),
    ]
    return Group(maximum, rivalled)
