"""Holds the beats of a block until its scales are known."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class BlockStore(wiring.Component):
    """A queue of beats that close up towards its head.

    Ports:
        beat: in, `width` bits: a beat to take.
        valid: in, 1 bit: `beat` is there.
        drain: in, 1 bit: the beat at the head leaves.
        head: out, `width` bits: the beat at the head.

    The queue has `depth` stages. Each stage loads from the stage behind it, with an enable and no multiplexer. A beat
    moves up one stage per cycle until it stands at the head or behind another beat, so gaps close by themselves. While
    the head drains, all beats move. The user must send a beat only where there is room, and drain only where the head
    holds a beat.
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
