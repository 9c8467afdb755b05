"""Beat sums: the products of one beat, summed for each sign pair.

Which sum a product belongs to depends on the signs of the asymmetric operands. With one asymmetric operand or none,
products of both signs meet in one sum. A product p with sign s is then added as `p - 256 s`: as its one's complement
`p ^ s`, and the carry `s`. An offset of 256 per lane makes every addend unsigned (the ninth bit is `~s`). Over a block
of k elements the offsets add up to 256 k, a power of two. `block_sums.py` takes them away by inverting one bit. (These
figures are those of products up to 144. Halved sides and special values make larger ones, see `Products.largest`. The
offset is the power of two above the largest.)

Each lane belongs to just one sum, so two lanes join before they split: `u = p0 + p1` if both are of the same sum,
otherwise `u = p0` and `v = p1`. Each sum then takes `u`, `v` or nothing. For each pair of lanes this takes one adder,
plus one AND-OR per sum. The plain way would give every sum one addend per lane.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.compress import Columns
from amxfp4.hw.config import plural
from amxfp4.hw.mac.products import Products
from amxfp4.hw.mac.scale import Scales
from amxfp4.hw.mac.window import Window


@dataclass(frozen=True)
class Sums:
    """The sums of a block: how many there are, how wide they get, and in which order the tail takes them.

    Attributes:
        products: the products that are summed.
        block_size: elements per block.
        for_exact: whether a fixed-point accumulator follows. It adds signed terms; a float32 one sign and magnitude.
        front_registers: register ranks between the adder tree and the block sums, 0 or 1.
        window: the window of a windowed accumulator.
    """

    products: Products
    block_size: int
    for_exact: bool
    front_registers: int
    window: Window | None = None

    title = "block sums"

    @property
    def scales(self) -> Scales:
        """The scales of a sum."""
        return Scales(self.products, self.window)

    # -- how many -----------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Sums per block: one for each sign of each asymmetric operand, as its scale depends on that sign."""
        a, w = self.products.formats
        return a.scales_per_block * w.scales_per_block

    @property
    def beats(self) -> int:
        """Beats per block."""
        return self.block_size // self.products.lanes

    @property
    def turns(self) -> int:
        """Sums that one tail serves one after the other: as many as a block has beats for."""
        return min(self.count, self.beats)

    @property
    def paths(self) -> int:
        """Tails side by side: more than one only where a block has fewer beats than sums."""
        return self.count // self.turns

    @property
    def cycles_per_term(self) -> int:
        """Cycles that the accumulator may take for each term without falling behind; 0 with more than one path."""
        return self.beats // self.count

    @property
    def cycles(self) -> int:
        """Cycles from a block's last beat to its sums."""
        return 1 + self.front_registers

    # -- signs --------------------------------------------------------------------------------------------------

    @property
    def mixed(self) -> bool:
        """Whether products of both signs meet in a sum.

        With both operands asymmetric they do not meet: all products of a sum have the sign of its sign pair.
        """
        return self.count < 4

    def negated(self, index: int) -> bool:
        """Whether sum `index` is kept as its negative.

        A fixed-point accumulator adds signed terms. Of the four sums (+,+), (+,-), (-,+), (-,-) the middle ones count
        negatively, so they are collected as negatives and no term needs a sign.
        """
        return self.for_exact and self.count == 4 and index in (1, 2)

    @property
    def signed(self) -> bool:
        """Whether a block sum leaves the front end in two's complement; otherwise it is a magnitude."""
        return self.mixed or self.for_exact

    # -- widths -------------------------------------------------------------------------------------------------

    @property
    def lane_offset(self) -> int:
        """Offset that a lane adds to a mixed sum to keep it positive: the power of two above the largest product."""
        return 1 << self.products.bits

    @property
    def largest(self) -> int:
        """The largest |sum of a block|."""
        return self.products.largest * self.block_size

    @property
    def bits(self) -> int:
        """Width of a block sum.

        In a block of k elements a magnitude is at most 144 k. A signed sum is two's complement with room for +-256 k,
        as its addends carry an offset of 256 per lane. Where products are larger, so are these figures.
        """
        return bits_for((self.lane_offset if self.signed else self.products.largest) * self.block_size)

    @property
    def beat_bits(self) -> int:
        """Width of one beat's sum.

        A lane adds at most 144; with an offset at most 256 + 144; negated, less than 256. Where products are
        larger, so are these figures.
        """
        return bits_for((self.lane_offset * self.mixed + self.products.largest) * self.products.lanes)

    @property
    def beat_rows(self) -> int:
        """Addends in which a beat's sum leaves the adder tree.

        With two rows carries ripple only once, in the block sum's adder. Where a register follows the tree, a third row
        is worth its flip-flops, as it takes one full adder out of the path to the register. With four sums a third row
        would need too many flip-flops.
        """
        return 3 if self.front_registers and self.count < 4 else 2

    @property
    def rows_layout(self) -> data.ArrayLayout:
        """For each sum, the addends of a beat's sum."""
        return data.ArrayLayout(data.ArrayLayout(self.beat_bits, self.beat_rows), self.count)

    def explain(self) -> str:
        """In words: what is built and why."""
        reason = {1: "as each operand has one scale", 2: "one per scale of the asymmetric operand"}
        sums = f"{plural(self.count, 'sum')} of {self.bits} bits per block"
        turns = f"{plural(self.turns, 'turn')} on {plural(self.paths, 'path')}"
        front = "a register" if self.front_registers else "no register"
        return (
            f"{sums}, {reason.get(self.count, 'one per pair of scales')}; {turns}, as a block has "
            f"{plural(self.beats, 'beat')}; {front} behind the adder tree"
        )


class BeatSums(wiring.Component):
    """Sums of one beat's products by sign pair; combinational.

    Ports:
        magnitude: in, `products.bits` bits per lane.
        a_sign, w_sign: in, 1 bit per lane.
        rows: out, `plan.rows_layout`: per sum, `beat_rows` values of `beat_bits` bits that add up to the beat's sum.

    Mixed sums carry an offset of `lane_offset` per lane. `Sums.negated` sums come as `256 lanes - sum - lanes / 2`, as
    each pair of lanes adds the one's complement of its addend.
    """

    def __init__(self, plan: Sums) -> None:
        self.plan = plan
        lanes = plan.products.lanes
        super().__init__(
            {
                "magnitude": In(data.ArrayLayout(plan.products.bits, lanes)),
                "a_sign": In(lanes),
                "w_sign": In(lanes),
                "rows": Out(plan.rows_layout),
            }
        )

    def classes(self, lane: int) -> list[Value]:
        """For each sum, whether a lane belongs to it."""
        select: list[Value] = [Const(1, 1)]
        for block, sign in zip(self.plan.products.formats, (self.a_sign, self.w_sign), strict=True):
            if block.asymmetric:
                select = [s & side for s in select for side in (~sign[lane], sign[lane])]
        return select

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, lanes = self.plan, self.plan.products.lanes
        columns = [Columns(plan.beat_bits) for _ in range(plan.count)]
        if plan.count == 1:
            for lane in range(lanes):
                value, carry = self._lane(lane)
                columns[0].add(Cat(value[:-1], ~value[-1]))
                columns[0].add(carry)
        elif lanes == 1:
            self._split_lane(columns)
        else:
            for lane in range(0, lanes, 2):
                self._split_pair(m, columns, lane)
        for index, column in enumerate(columns):
            rows = column.reduce(m, f"fa{index}", plan.beat_rows)
            m.d.comb += [row.eq(value) for row, value in zip(self.rows[index], rows, strict=True)]
        return m

    def _lane(self, lane: int) -> tuple[Value, Value]:
        """A lane's value, and a carry still to be added to it.

        In mixed sums the value is in two's complement. Otherwise it is unsigned, and the carry 0.
        """
        magnitude = self.magnitude[lane]
        if not self.plan.mixed:
            return magnitude, Const(0, 1)
        sign = self.a_sign[lane] ^ self.w_sign[lane]
        return Cat(magnitude ^ sign.replicate(len(magnitude)), sign), sign

    def _addend(self, index: int, value: Value) -> Value:
        """A value (0 where it belongs to another sum) as an unsigned addend of sum `index`."""
        if self.plan.mixed:
            return Cat(value[:-1], ~value[-1])
        return ~value if self.plan.negated(index) else value

    def _split_lane(self, columns: list[Columns]) -> None:
        value, carry = self._lane(0)
        for index, (column, mine) in enumerate(zip(columns, self.classes(0), strict=True)):
            column.add(self._addend(index, gated(value, mine)))
            column.add(carry & mine)

    def _split_pair(self, m: Module, columns: list[Columns], lane: int) -> None:
        (value0, carry0), (value1, carry1) = self._lane(lane), self._lane(lane + 1)
        mixed = self.plan.mixed
        width = self.plan.products.bits + 1 + mixed
        same = Signal(name=f"same{lane}")
        joined = Signal(width, name=f"joined{lane}")
        alone = Signal(width, name=f"alone{lane}")
        # Two lanes belong to different sums where the sign of an asymmetric operand differs.
        differs: Value = Const(0, 1)
        for block, sign in zip(self.plan.products.formats, (self.a_sign, self.w_sign), strict=True):
            if block.asymmetric:
                differs = differs | (sign[lane] ^ sign[lane + 1])
        m.d.comb += same.eq(~differs)
        partner = gated(value1, same)
        if mixed:  # the partner's carry rides below the adder's least bit
            total = Signal(width + 1, name=f"total{lane}")
            m.d.comb += [
                total.eq(Cat(Const(1, 1), value0).as_signed() + Cat(carry1 & same, partner).as_signed()),
                joined.eq(total[1:]),
                alone.eq(value1.as_signed()),
            ]
        else:
            m.d.comb += [joined.eq(value0 + partner), alone.eq(value1)]
        for index, column in enumerate(columns):
            take_joined = self.classes(lane)[index]
            take_alone = self.classes(lane + 1)[index] & ~same
            value = gated(joined, take_joined) | gated(alone, take_alone)
            addend = Signal(width, name=f"addend{index}_{lane}")
            m.d.comb += addend.eq(self._addend(index, value))
            column.add(addend)
            if mixed:
                column.add(carry0 & take_joined | carry1 & take_alone)
