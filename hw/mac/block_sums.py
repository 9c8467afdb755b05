"""Block sums: a block's beats are added up, and the sums are then handed to the tail in turn."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.compress import columns_of
from amxfp4.hw.mac.beat_sums import Sums


class BlockSums(wiring.Component):
    """Adds the beats of a block and holds its sums until the tail has taken them.

    Ports:
        rows: in, see `BeatSums`.
        valid: in, 1 bit: take the rows.
        first: in, 1 bit: the rows begin a block.
        turn: in, 1 bit per turn, one-hot or 0: whose turn it is. Bit 0 is set in the cycle after a block's last beat
            was taken.
        value: out, the sums of this turn, one per path: `bits` bits, two's complement where `signed`.

    The running sums belong to the next block right after `turn[0]`, so the sums of later turns are held in registers of
    their own.
    """

    def __init__(self, plan: Sums) -> None:
        self.plan = plan
        super().__init__(
            {
                "rows": In(plan.rows_layout),
                "valid": In(1),
                "first": In(1),
                "turn": In(plan.turns),
                "value": Out(data.ArrayLayout(plan.bits, plan.paths)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sums = [self._sum(m, index) for index in range(self.plan.count)]
        turns = self.plan.turns
        for path in range(self.plan.paths):
            first, *later = sums[path * turns : (path + 1) * turns]
            value = first
            if later:
                value = gated(first, self.turn[0])
            for turn, late in enumerate(later, 1):
                held = Signal(len(late), name=f"held{path}_{turn}", reset_less=True)
                with m.If(self.turn[0]):
                    m.d.sync += held.eq(late)
                value = value | gated(held, self.turn[turn])
            m.d.comb += self.value[path].eq(value)
        return m

    def _sum(self, m: Module, index: int) -> Value:
        """The running sum of one sign pair, in two's complement where the sums are signed."""
        plan = self.plan
        offset = plan.mixed or plan.negated(index)
        width = plan.bits if offset else plan.products.bits + (plan.block_size - 1).bit_length()
        total = Signal(width, name=f"sum{index}", reset_less=True)
        # A pair of lanes that comes as one's complement lacks 1. The ones of all pairs in a block are the start value.
        start = plan.block_size // 2 if plan.negated(index) else 0
        columns = columns_of(width, [Mux(self.first, start, total)[:width], *self.rows[index]])
        row0, row1 = columns.reduce(m, f"fa{index}")
        with m.If(self.valid):
            m.d.sync += total.eq(row0 + row1)
        # The offset of 256 per lane is 256 k per block, the weight of the top bit: inverting that bit takes it away.
        return Cat(total[:-1], ~total[-1]) if offset else total
