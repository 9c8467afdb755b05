"""A block sum scaled in several cycles, by a digit of the scales' product a cycle: a row to add for each bit of it.

Two forms: `DigitTerm` leaves the shift to the accumulator; `PlacedTerm`, where a block lasts long enough, shifts too.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.compress import columns_of
from amxfp4.hw.mac.acc_words import word_and_places
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.scale import scale_product_layout, term_layout


class _TermOfDigits(wiring.Component):
    """What both forms have in common: their ports, for which see `DigitTerm`, and `more` inputs."""

    def __init__(self, config: MacConfig, **more: wiring.Member) -> None:
        self.config = config
        super().__init__(
            {
                "start": In(1),
                "sum": In(config.sum_bits),
                "scale": In(scale_product_layout(config)),
                **more,
                "ready": Out(1),
                "term": Out(term_layout(config)),
            }
        )


class DigitTerm(_TermOfDigits):
    """Multiplies a sum by the product of its scales, `config.digits` digits of `config.digit_bits` bits, lowest first.

    Ports: `sum`: see `ScaledTerm`, taken with `start`; `scale`: see `scale_product_layout`, held from then on until the
    term is taken. `term` out: see `term_layout`, when `ready` is set, `digits` - 1 cycles after `start`; with
    `config.term_held` in the cycle after that, and until the next `start`.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        digits, bits = self.config.digits, self.config.digit_bits
        later = Signal(digits - 1)
        step = Cat(self.start, later)
        m.d.sync += later.eq(step[:-1])

        taken: Value = self.sum
        if not self.config.exact:  # a magnitude: what stands above it is 0 as well
            taken = (self.sum ^ self.sum[-1].replicate(len(self.sum))) + self.sum[-1]
            negative = Signal(reset_less=True)
            with m.If(self.start):
                m.d.sync += negative.eq(self.sum[-1])
            m.d.comb += self.term.negative.eq(negative)
        held = Signal(len(self.sum), reset_less=True)
        with m.If(self.start):
            m.d.sync += held.eq(taken)
        value = Mux(self.start, taken, held)[: len(self.sum)]

        significand = Cat(self.scale.significand, Const(0, digits * bits - len(self.scale.significand)))
        digit = Signal(bits)
        for index, here in enumerate(step):
            with m.If(here):
                m.d.comb += digit.eq(significand[index * bits :][:bits])

        # What is added to stands on top, `low` bits that no later digit changes below; both move down a digit a cycle.
        low, width = (digits - 1) * bits, len(self.sum) + bits
        product = Signal(low + width, reset_less=True)
        moved = Cat(product[bits:], product[-1].replicate(bits))
        rows = [moved[low:] & (~self.start).replicate(width)]
        for place, bit in enumerate(digit):
            row = value & bit.replicate(len(value))
            rows.append(Cat(Const(0, place), row, row[-1].replicate(width - place - len(row))))
        row0, row1 = columns_of(width, rows).reduce(m, "fa")
        total = Signal(low + width)
        m.d.comb += total.eq(Cat(moved[:low], (row0 + row1)[:width]))
        with m.If(step.any()):
            m.d.sync += product.eq(total)
        m.d.comb += [
            self.ready.eq(step[-1]),
            (self.term.value if self.config.exact else self.term.magnitude).eq(
                product if self.config.term_held else total
            ),
            self.term.exponent.eq(self.scale.exponent),
            self.term.nan.eq(self.scale.nan),
        ]
        return m


class PlacedTerm(_TermOfDigits):
    """Multiplies a sum by the product of its scales, a bit a cycle, lowest first, and shifts it to its place in a word.

    Ports: `sum`: see `ScaledTerm`, taken with `start`; `scale`: see `scale_product_layout`, held from then on until the
    term has been added. `term` out: see `term_layout`; `ready`: it is there, `config.digits` + `config.word_bits`
    cycles after `start`, and stays until the next but for `take`: its lowest word has been added, the others move down.

    What the bits of the significand add to stands on top, and all of it moves down a place a cycle. After the last bit
    it stands as high in its word as a term may; it moves on, and stops at its place.
    """

    def __init__(self, config: MacConfig) -> None:
        super().__init__(config, take=In(1))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        significand = self.scale.significand
        moves = config.digits + config.places
        # 0 at rest; otherwise it counts up, and wraps after the last move that a term may make.
        count = Signal(range(moves + 1))
        begin = (1 << len(count)) - moves
        with m.If(self.start):
            m.d.sync += count.eq(begin)
        with m.Elif(count.any()):
            m.d.sync += count.eq(count + 1)
        ready = Signal()
        m.d.sync += ready.eq(count.all())

        bit = Signal()
        with m.Switch(count):
            for index in range(config.digits):
                with m.Case(begin + index):
                    m.d.comb += bit.eq(significand[index])
        # Places to be left undone are the last moves; the sum of both passes all ones only in these.
        _, places = word_and_places(config, self.scale.exponent)
        moving = count.any() & ~(count + places)[len(count)]

        held = Signal(len(self.sum), reset_less=True)
        # On top, a sum and less than half of twice that much: a bit more than the term itself may need.
        low = moves - 1
        product = Signal(low + len(held) + 1, reset_less=True)
        moved = Cat(product[1:], product[-1])
        row = held & bit.replicate(len(held))
        with m.If(self.start):
            m.d.sync += [held.eq(self.sum), product.eq(0)]
        with m.Elif(self.take):
            m.d.sync += product.eq(product.as_signed() >> config.word_bits)
        with m.Elif(moving):
            m.d.sync += product.eq(Cat(moved[:low], moved[low:].as_signed() + row.as_signed()))
        m.d.comb += [
            self.ready.eq(ready),
            self.term.value.eq(product),
            self.term.exponent.eq(self.scale.exponent),
            self.term.nan.eq(self.scale.nan),
        ]
        return m
