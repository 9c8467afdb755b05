"""The exact accumulator: a fixed-point register wide enough to hold every dot product without rounding."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.compress import columns_of
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.scale import term_layout


def shift_left(m: Module, value: Value, amount: Value, largest: int, name: str) -> Value:
    """`value`, two's complement, shifted left by `amount` (0 .. `largest`), wide enough for the largest shift.

    Small shifts come first, while the value is narrow: a stage costs a multiplexer a bit.
    """
    widest = len(value) + largest
    for index, bit in enumerate(amount):
        width = min(len(value) + (1 << index), widest)
        stage = Signal(width, name=f"{name}{1 << index}")
        extended = Cat(value, value[-1].replicate(width - len(value)))
        m.d.comb += stage.eq(Mux(bit, Cat(Const(0, 1 << index), value)[:width], extended))
        value = stage
    return value


class ExactAccumulator(wiring.Component):
    """Adds scaled terms without rounding.

    Ports: `term`: one for each path (see `term_layout`), `valid`: add them, `first`: they begin a dot product, `last`:
    they end a block. `total` out: `accumulator_bits + 1` bits, two's complement. `nan`, `overflow` out: sticky since
    the dot product began; right when the last term of a block has been added.

    The running sum may leave `accumulator_bits` while a block's terms are added one after the other, by less than one
    more bit; what counts as overflow is judged on whole blocks, when the two top bits differ.
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        assert config.accumulator_bits is not None
        self.width = config.accumulator_bits + 1
        super().__init__(
            {
                "term": In(data.ArrayLayout(term_layout(config), config.paths)),
                "valid": In(1),
                "first": In(1),
                "last": In(1),
                "total": Out(self.width),
                "nan": Out(1),
                "overflow": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        total = Signal(self.width, reset_less=True)
        nan = Signal(reset_less=True)
        overflowed = Signal(reset_less=True)  # before the block whose terms are being added
        whole = Signal(reset_less=True)  # `total` is a whole number of blocks
        m.d.comb += [
            self.total.eq(total),
            self.nan.eq(nan),
            self.overflow.eq(overflowed | (whole & (total[-1] ^ total[-2]))),
        ]
        addends = [total & (~self.first).replicate(self.width)]
        for path, term in enumerate(self.term):
            addends.append(self._aligned(m, term, path))
        if len(addends) > 2:
            row0, row1 = columns_of(self.width, addends).reduce(m, "fa")
        else:
            row0, row1 = addends
        new_nan = Cat(*(term.nan for term in self.term)).any()
        with m.If(self.valid):
            m.d.sync += [
                total.eq(row0 + row1),
                nan.eq((nan & ~self.first) | new_nan),
                overflowed.eq(self.overflow & ~self.first),
                whole.eq(self.last),
            ]
        return m

    def _aligned(self, m: Module, term: data.View, path: int) -> Value:
        """A term in units of the accumulator's least bit, as wide as the accumulator."""
        config = self.config
        largest = config.exponent_max - config.exponent_min
        # Shifting by `exponent` and dropping the `exponent_min` zeros below saves the subtraction.
        value = shift_left(m, term.value, term.exponent, config.exponent_max, f"shifted{path}_")
        value = value[config.exponent_min : config.exponent_min + len(term.value) + largest]
        if len(value) >= self.width:
            return value[: self.width]
        return Cat(value, value[-1].replicate(self.width - len(value)))
