"""Holds the beats of a block until its scales are known."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class BlockStore(wiring.Component):
    """A queue of beats that close up towards its head.

    Ports: `beat`, `valid` in: a beat to take. `drain` in: the beat at the head leaves. `head` out.

    `depth` stages of `width` bits, each loading the one behind it, with an enable and no multiplexer. A beat moves up
    a stage a cycle until it stands at the head or behind another beat, so gaps close by themselves; while the head
    drains, all move. The user sees to it that a beat comes only where there is room, and that `drain` finds one.
    """

    def __init__(self, width: int, depth: int) -> None:
        self.width = width
        self.depth = depth
        super().__init__({"beat": In(width), "valid": In(1), "drain": In(1), "head": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = [Signal(self.width, name=f"stage{i}", reset_less=True) for i in range(self.depth)]
        valid = [Signal(name=f"valid{i}") for i in range(self.depth)]
        m.d.comb += self.head.eq(held[-1])
        moves: Value = self.drain
        enables: list[Value] = []
        for stage in reversed(range(self.depth)):
            enable = Signal(name=f"enable{stage}")
            m.d.comb += enable.eq(moves | ~valid[stage])
            enables.insert(0, enable)
            moves = enable
        for stage, enable in enumerate(enables):
            with m.If(enable):
                m.d.sync += [
                    held[stage].eq(held[stage - 1] if stage else self.beat),
                    valid[stage].eq(valid[stage - 1] if stage else self.valid),
                ]
        return m
