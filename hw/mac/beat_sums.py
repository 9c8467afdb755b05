"""One beat's products, summed for each sign pair.

Which sum a product belongs to depends on the signs of the asymmetric operands. With one asymmetric operand or none,
products of both signs meet in one sum, as `product - 256 s`: the one's complement `product ^ s`, the carry `s`, and
an offset of 256 a lane that makes every addend unsigned (the ninth bit is `~s`). Over a block the offsets add up to
256 k, a power of two, which `blocks.py` takes away by inverting one bit. (Each operand with halved sides makes
products one bit wider and the offset twice as large.)

Each lane belongs to just one sum, so two lanes join before they split: `u = p0 + p1` if both are of the same sum,
otherwise `u = p0` and `v = p1`; each sum then takes `u`, `v` or nothing. One adder and an AND-OR a sum, instead of an
addend a lane a sum.
"""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.compress import Columns
from amxfp4.hw.mac.config import MacConfig


class BeatSums(wiring.Component):
    """Sums of one beat's products by sign pair; combinational.

    Ports: `magnitude` (`product_bits` a lane), `a_sign`, `w_sign` (1 bit a lane) in; `rows` out: for each sum
    `beat_rows` values of `beat_bits` bits, whose sum is the beat's. Signed sums carry an offset of `lane_offset` a
    lane. Of four sums with an exact accumulator behind them, the two that count negatively come as
    `256 lanes - sum - lanes / 2`: the one's complement of each pair's addend.
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        lanes = config.lanes
        super().__init__(
            {
                "magnitude": In(data.ArrayLayout(config.product_bits, lanes)),
                "a_sign": In(lanes),
                "w_sign": In(lanes),
                "rows": Out(data.ArrayLayout(data.ArrayLayout(config.beat_bits, config.beat_rows), config.sign_pairs)),
            }
        )

    def classes(self, lane: int) -> list[Value]:
        """For each sum, whether a lane belongs to it."""
        select: list[Value] = [Const(1, 1)]
        for asymmetric, sign in zip(
            (f.asymmetric for f in self.config.formats), (self.a_sign, self.w_sign), strict=True
        ):
            if asymmetric:
                select = [s & side for s in select for side in (~sign[lane], sign[lane])]
        return select

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        columns = [Columns(config.beat_bits) for _ in range(config.sign_pairs)]
        if config.sign_pairs == 1:
            for lane in range(config.lanes):
                value, carry = self._lane(lane)
                columns[0].add(Cat(value[:-1], ~value[-1]))
                columns[0].add(carry)
        elif config.lanes == 1:
            self._split_lane(columns)
        else:
            for lane in range(0, config.lanes, 2):
                self._split_pair(m, columns, lane)
        for index, column in enumerate(columns):
            rows = column.reduce(m, f"fa{index}", config.beat_rows)
            m.d.comb += [row.eq(value) for row, value in zip(self.rows[index], rows, strict=True)]
        return m

    def _lane(self, lane: int) -> tuple[Value, Value]:
        """A lane's value in two's complement and the carry still to be added to it; unsigned without carry where
        the sums are."""
        magnitude = self.magnitude[lane]
        if not self.config.sums_signed:
            return magnitude, Const(0, 1)
        sign = self.a_sign[lane] ^ self.w_sign[lane]
        return Cat(magnitude ^ sign.replicate(len(magnitude)), sign), sign

    def _addend(self, index: int, value: Value) -> Value:
        """A value (zero where it is of another sum) as an unsigned addend of sum `index`."""
        if self.config.sums_signed:
            return Cat(value[:-1], ~value[-1])
        return ~value if self.config.negated(index) else value

    def _split_lane(self, columns: list[Columns]) -> None:
        value, carry = self._lane(0)
        for index, (column, mine) in enumerate(zip(columns, self.classes(0), strict=True)):
            column.add(self._addend(index, value & mine.replicate(len(value))))
            column.add(carry & mine)

    def _split_pair(self, m: Module, columns: list[Columns], lane: int) -> None:
        (value0, carry0), (value1, carry1) = self._lane(lane), self._lane(lane + 1)
        signed = self.config.sums_signed
        width = self.config.product_bits + 1 + signed
        same = Signal(name=f"same{lane}")
        joined = Signal(width, name=f"joined{lane}")
        alone = Signal(width, name=f"alone{lane}")
        # Only asymmetric operands' signs tell sums apart.
        differs: Value = Const(0, 1)
        for f, sign in zip(self.config.formats, (self.a_sign, self.w_sign), strict=True):
            if f.asymmetric:
                differs = differs | (sign[lane] ^ sign[lane + 1])
        m.d.comb += same.eq(~differs)
        partner = value1 & same.replicate(len(value1))
        if signed:  # the partner's carry rides below the adder's least bit
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
            value = joined & take_joined.replicate(width) | alone & take_alone.replicate(width)
            addend = Signal(width, name=f"addend{index}_{lane}")
            m.d.comb += addend.eq(self._addend(index, value))
            column.add(addend)
            if signed:
                column.add(carry0 & take_joined | carry1 & take_alone)
