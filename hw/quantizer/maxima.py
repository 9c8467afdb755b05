"""The largest magnitudes of a beat: one for each sign, or one for all lanes.

With two sides each lane belongs to just one of them. So each pair of lanes is compared once, and each side takes the
larger of the lanes that are its own. From there on each side has a tree of its own.
"""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.compare import at_least
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.rivals import Group, are_rivals, joined


def larger(m: Module, a: Value, b: Value, name: str) -> Value:
    """The larger of two unsigned values of the same width."""
    out = Signal(len(a), name=name)
    m.d.comb += out.eq(Mux(at_least(a, b), a, b))
    return out


def largest(m: Module, values: list[Value], name: str) -> Value:
    """The largest of unsigned values of the same width, as a balanced tree."""
    while len(values) > 1:
        pairs = [values[i : i + 2] for i in range(0, len(values), 2)]
        values = [
            larger(m, pair[0], pair[1], f"{name}_{len(pairs)}_{i}") if len(pair) == 2 else pair[0]
            for i, pair in enumerate(pairs)
        ]
    return values[0]


def largest_group(m: Module, config: QuantizerConfig, groups: list[Group], name: str) -> Group:
    """Groups of magnitudes as one, as a balanced tree."""
    while len(groups) > 1:
        pairs = [groups[i : i + 2] for i in range(0, len(groups), 2)]
        groups = [
            joined(m, config, pair[0], pair[1], f"{name}_{len(pairs)}_{i}") if len(pair) == 2 else pair[0]
            for i, pair in enumerate(pairs)
        ]
    return groups[0]


class BeatMaxima(wiring.Component):
    """The largest magnitudes of one beat; combinational.

    Ports:
        magnitude: in, `maximum_bits` bits per lane.
        negative: in, 1 bit per lane.
        maximum: out, `maximum_bits` bits per side: of all lanes, or of the positive and of the negative lanes. A side
            without lanes gives 0.
        rivalled: out, 1 bit per side, only with two special values: the maximum has a rival, see `rivals.py`. Those of
            its own side count, and of the other side the lane that it is paired with.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__(
            {
                "magnitude": In(data.ArrayLayout(config.maximum_bits, config.lanes)),
                "negative": In(config.lanes),
                "maximum": Out(data.ArrayLayout(config.maximum_bits, config.sides)),
                **({"rivalled": Out(config.sides)} if config.second_special else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.config.lanes
        if self.config.sides == 1:
            m.d.comb += self.maximum[0].eq(largest(m, list(self.magnitude), "max"))
            return m
        sides = (~self.negative, self.negative)
        values: list[list[Value]] = [[], []]
        rivalled: list[Value] = []
        if lanes == 1:
            values = [[gated(self.magnitude[0], own)] for own in sides]
        for lane in range(0, lanes - 1, 2):
            first, second = self.magnitude[lane], self.magnitude[lane + 1]
            first_wins = Signal(name=f"first_wins{lane}")
            m.d.comb += first_wins.eq(at_least(first, second))
            for side, own in enumerate(sides):
                own_larger = Signal(len(first), name=f"joined{side}_{lane}")
                m.d.comb += own_larger.eq(
                    gated(first, own[lane] & (first_wins | ~own[lane + 1]))
                    | gated(second, own[lane + 1] & ~(first_wins & own[lane]))
                )
                values[side].append(own_larger)
            if self.config.second_special:
                rivalled.append(are_rivals(self.config, first, second))
        if self.config.second_special:
            self._groups(m, values, rivalled)
            return m
        for side in range(2):
            m.d.comb += self.maximum[side].eq(largest(m, values[side], f"max{side}"))
        return m

    def _groups(self, m: Module, values: list[list[Value]], rivalled: list[Value]) -> None:
        """Each side's largest, of pairs of lanes that may be rivals; a single lane has none.

        A pair's flag goes to both sides, though its lanes may be on different ones. Where the larger of the two is the
        block's largest element, the other is its rival on whichever side. Elsewhere the flag does not matter.
        """
        for side in range(2):
            groups = [Group(value, flag) for value, flag in zip(values[side], rivalled or [Const(0, 1)], strict=True)]
            group = largest_group(m, self.config, groups, f"max{side}")
            m.d.comb += [self.maximum[side].eq(group.maximum), self.rivalled[side].eq(group.rivalled)]
