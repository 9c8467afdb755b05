"""The multiply-accumulate unit: one class builds AMXFP4, the MXFP4 baseline and every pair in between.

    beat -> products -> sums -> [register] -> block sums -> terms -> accumulator -> rounder -> result

With one lane, both operands asymmetric and an exact accumulator, products become terms by themselves and the block sums
are left out. The whole pipeline stands still while a result waits to be taken, so every register has the same enable,
which synthesis turns into a gated clock.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, EnableInserter, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.round import QUIET_NAN
from amxfp4.hw.mac.acc_exact import ExactAccumulator
from amxfp4.hw.mac.acc_float32 import TermNormaliser, normal_layout
from amxfp4.hw.mac.acc_float32_steps import float32_accumulator
from amxfp4.hw.mac.acc_words import WordAccumulator
from amxfp4.hw.mac.beat_sums import BeatSums
from amxfp4.hw.mac.block_sums import BlockSums
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.products import ElementProducts
from amxfp4.hw.mac.round_exact import ExactRounder
from amxfp4.hw.mac.round_words import SerialRounder, WordRounder
from amxfp4.hw.mac.scale import ScaledTerm, ScaleProduct, term_layout
from amxfp4.hw.mac.term_digits import DigitTerm, PlacedTerm
from amxfp4.hw.mac.term_direct import DirectProduct, DirectTerm, product_layout


@dataclass(frozen=True)
class _Beat:
    """The flags of a beat: taken this cycle; begins a block; ends a block; ends a dot product (and so a block)."""

    valid: Value
    first: Value
    ends: Value
    last: Value


@dataclass(frozen=True)
class _Terms:
    """Terms for every path, all in one cycle, and their flags."""

    terms: list[data.View]
    valid: Value
    first: Value  # begin a dot product
    ends: Value  # end a block
    last: Value  # end a dot product


class MacUnit(wiring.Component):
    """Dot products of block-scaled FP4 vectors, one beat of `lanes` element pairs a cycle.

    Ports: `i`: stream of `config.beat_layout`; `o`: stream of `config.result_layout`. A result comes
    `config.latency` cycles after its dot product's last beat was taken; there are no bubbles between blocks or dot
    products. A result that is not taken stalls the unit: `i.ready` is low in just those cycles.
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        super().__init__(
            {"i": In(stream.Signature(config.beat_layout)), "o": Out(stream.Signature(config.result_layout))}
        )

    @property
    def latency(self) -> int:
        """See `MacConfig.latency`."""
        return self.config.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        running = Signal()
        m.d.comb += [running.eq(~self.o.valid | self.o.ready), self.i.ready.eq(running)]
        pipeline = Module()
        terms = self._direct(pipeline) if self.config.direct else self._by_block(pipeline)
        if self.config.words > 1:
            self._words(pipeline, terms)
        elif self.config.exact:
            self._exact(pipeline, terms)
        else:
            self._float32(pipeline, terms)
        m.submodules.pipeline = EnableInserter(running)(pipeline)
        return m

    # -- front end ---------------------------------------------------------------------------------------------

    def _beat(self, m: Module) -> _Beat:
        """Counts the beats of a block."""
        beats = self.config.beats_per_block
        first: Value = Const(1, 1)
        last: Value = Const(1, 1)
        if beats > 1:
            count = Signal(range(beats))
            # A register of its own: the counter would otherwise come before everything that a block's first beat does.
            first = Signal(init=1)
            last = count.all()
            with m.If(self.i.valid):
                m.d.sync += [count.eq(count + 1), first.eq(last)]  # wraps: a block is a power of two beats
        return _Beat(self.i.valid, first, last, self.i.payload.last & last)

    def _scales(self, m: Module, when: Value) -> tuple[Value, Value]:
        """The scales of the current block: valid from the cycle after its first beat until the next block's."""
        a_scales, w_scales = (self._kept(m, self.i.payload[name], when, name) for name in ("a_scales", "w_scales"))
        return a_scales, w_scales

    def _halved(self, m: Module, beat: _Beat) -> tuple[Value, Value]:
        """Which sides of the current block are halved: needed by the block's first beat already, which brings it."""
        halved: list[Value] = []
        for name, block in zip(("a_halved", "w_halved"), self.config.formats, strict=True):
            if not block.halving:
                halved.append(Const(0, 2))
                continue
            source = self.i.payload[name]
            if self.config.beats_per_block == 1:
                halved.append(source)
                continue
            halved.append(Mux(beat.first, source, self._kept(m, source, beat.valid & beat.first, name)))
        return halved[0], halved[1]

    def _direct(self, m: Module) -> _Terms:
        """One lane, four sums: a term a beat."""
        config = self.config
        beat = self._beat(m)
        a_scales, w_scales = self._scales(m, beat.valid & beat.first)
        m.submodules.product = multiply = DirectProduct(config)
        m.submodules.scale = scale = DirectTerm(config)
        product = Signal(product_layout(), reset_less=True)
        valid, first, last, ends = self._flags("product", "first", "last", "ends")
        begin = Signal(init=1)  # the next block begins a dot product
        m.d.comb += [
            multiply.a.eq(self.i.payload.a_codes[0]),
            multiply.w.eq(self.i.payload.w_codes[0]),
            scale.product.eq(product),
            scale.a_scales.eq(a_scales),
            scale.w_scales.eq(w_scales),
        ]
        m.d.sync += valid.eq(beat.valid)
        with m.If(beat.valid):
            m.d.sync += [
                product.eq(multiply.product),
                first.eq(begin & beat.first),
                ends.eq(beat.ends),
                last.eq(beat.last),
            ]
        with m.If(beat.valid & beat.ends):
            m.d.sync += begin.eq(beat.last)
        return _Terms([scale.term], valid, first, ends, last)

    def _by_block(self, m: Module) -> _Terms:
        """Sums by sign pair over a block, scaled in turn (or side by side, where a block has too few beats)."""
        config = self.config
        beat = self._beat(m)
        a_halved, w_halved = self._halved(m, beat)
        m.submodules.products = products = ElementProducts(config)
        m.submodules.sums = sums = BeatSums(config)
        m.submodules.blocks = blocks = BlockSums(config)
        m.d.comb += [
            products.a.eq(self.i.payload.a_codes),
            products.w.eq(self.i.payload.w_codes),
            products.a_halved.eq(a_halved),
            products.w_halved.eq(w_halved),
            sums.magnitude.eq(products.magnitude),
            sums.a_sign.eq(Cat(*(code[3] for code in self.i.payload.a_codes))),
            sums.w_sign.eq(Cat(*(code[3] for code in self.i.payload.w_codes))),
        ]
        rows: Value = sums.rows
        begins = beat.valid & beat.first
        if config.front_registers:
            beat, rows = self._front_register(m, beat, rows)
        m.d.comb += [blocks.rows.eq(rows), blocks.valid.eq(beat.valid), blocks.first.eq(beat.first)]

        done, done_last = self._flags("done", "last")
        m.d.sync += done.eq(beat.valid & beat.ends)
        with m.If(beat.valid & beat.ends):
            m.d.sync += done_last.eq(beat.last)
        turn = self._turn(m, done)
        m.d.comb += blocks.turn.eq(turn)

        scales = self._scale_products(m, begins, beat, turn)
        if config.placed:
            return self._placed(m, beat, done, blocks.value[0], scales[0])
        begin = Signal(init=1)  # the next block begins a dot product
        if config.digits > 1:
            return self._by_digits(m, done, blocks.value[0], scales[0], begin, done_last)
        with m.If(done):
            m.d.sync += begin.eq(done_last)

        terms = []
        for path, product in enumerate(scales):
            m.submodules[f"term{path}"] = term = ScaledTerm(config)
            a_negative, w_negative = self._sides(turn, path)
            m.d.comb += [
                term.scale.eq(product),
                term.sum.eq(blocks.value[path]),
                term.negative.eq(a_negative ^ w_negative),
            ]
            if config.scale_significand_max == 1:  # E8M0 alone: a constant, of which a register would be kept
                m.d.comb += term.scale.significand.eq(1)
            terms.append(term.term)
        return _Terms(terms, turn.any(), begin & done, turn[-1], turn[-1] & done_last)

    def _turn(self, m: Module, done: Value) -> Value:
        """One-hot: whose turn it is, the first when a block was complete, the others every `loop_stages` cycles."""
        turns, apart = self.config.turns, self.config.loop_stages
        if turns > 1 and self.config.float32_steps:  # a counter, as a chain of flip-flops would get long
            since = Signal(range((turns - 1) * apart + 1))
            with m.If(done | since.any()):
                m.d.sync += since.eq(Mux(since == (turns - 1) * apart, 0, since + 1))
            return Cat(done, *(since == turn * apart for turn in range(1, turns)))
        since = [done]
        for cycle in range(1, (turns - 1) * apart + 1):
            later = Signal(name=f"since{cycle}")
            m.d.sync += later.eq(since[-1])
            since.append(later)
        return Cat(*since[::apart])

    def _by_digits(self, m: Module, start: Value, value: Value, scale: Value, begin: Signal, last: Value) -> _Terms:
        """A single sum, scaled in several cycles."""
        m.submodules.term0 = term = DigitTerm(self.config)
        m.d.comb += [term.start.eq(start), term.sum.eq(value), term.scale.eq(scale)]
        with m.If(term.ready):
            m.d.sync += begin.eq(last)
        return _Terms([term.term], term.ready, begin & term.ready, term.ready, term.ready & last)

    def _placed(self, m: Module, beat: _Beat, start: Value, value: Value, scale: Value) -> _Terms:
        """A sum scaled and shifted in several cycles; the term and its flags stay until the next block's end."""
        m.submodules.term0 = term = PlacedTerm(self.config)
        last, first = Signal(init=1, name="block_last"), Signal(reset_less=True, name="block_first")
        with m.If(beat.valid & beat.ends):
            m.d.sync += [first.eq(last), last.eq(beat.last)]
        m.d.comb += [term.start.eq(start), term.sum.eq(value), term.scale.eq(scale)]
        return _Terms([term.term], term.ready, first, Const(1, 1), last)

    def _scale_products(self, m: Module, begins: Value, beat: _Beat, turn: Value) -> list[Value]:
        """The product of the scales that belong to this turn's sums, one for each path.

        The scales come with `begins`, a block's first beat, and are needed after the last. Where each path has but one
        product for a block, it is made of the scales as they come, and kept in their place; otherwise each turn selects
        from the scales. A block's tail may come after the next block's scales: what was kept is then copied.
        """
        config = self.config
        a_scales: Value = self.i.payload.a_scales
        w_scales: Value = self.i.payload.w_scales
        selected = config.turns > 1
        late = config.front_registers or selected or config.digits > 1
        if selected:
            a_scales, w_scales = self._scales(m, begins)
            a_scales, w_scales = (
                self._kept(m, source, beat.valid & beat.ends, name)
                for source, name in ((a_scales, "tail_a_scales"), (w_scales, "tail_w_scales"))
            )
        products: list[Value] = []
        for path in range(config.paths):
            m.submodules[f"scale{path}"] = scale = ScaleProduct(config)
            a_negative, w_negative = self._sides(turn, path)
            m.d.comb += [
                scale.a_scales.eq(a_scales),
                scale.w_scales.eq(w_scales),
                scale.a_negative.eq(a_negative),
                scale.w_negative.eq(w_negative),
            ]
            product: Value = scale.product
            if not selected:
                product = self._kept(m, product, begins, f"scale_product{path}")
                if late:
                    product = self._kept(m, product, beat.valid & beat.ends, f"tail_scale{path}")
            products.append(product)
        return products

    @staticmethod
    def _flags(name: str, *others: str) -> list[Signal]:
        """A valid flag, and flags that are looked at only where it is set, or was, and so need no reset."""
        return [Signal(name=f"{name}_valid"), *(Signal(name=f"{name}_{flag}", reset_less=True) for flag in others)]

    @staticmethod
    def _kept(m: Module, source: Value, when: Value, name: str) -> Value:
        """A register that takes `source` when told to."""
        register = Signal(source.shape(), name=name, reset_less=True)
        with m.If(when):
            m.d.sync += register.eq(source)
        return register

    def _front_register(self, m: Module, beat: _Beat, rows: Value) -> tuple[_Beat, Value]:
        """Parts the adder tree from the block sums."""
        valid, first, ends, last = self._flags("beat", "first", "ends", "last")
        register = Signal(rows.shape(), name="beat_rows", reset_less=True)
        m.d.sync += valid.eq(beat.valid)
        with m.If(beat.valid):
            m.d.sync += [register.eq(rows), first.eq(beat.first), ends.eq(beat.ends), last.eq(beat.last)]
        return _Beat(valid, first, ends, last), register

    def _sides(self, turn: Value, path: int) -> tuple[Value, Value]:
        """Whether this turn's sum is that of negative activations, of negative weights."""
        turns = self.config.turns
        bits = [f.asymmetric for f in self.config.formats]
        sides = []
        for operand, asymmetric in enumerate(bits):
            place = sum(bits[operand + 1 :])  # of the operand's sign in the index of a sum
            mine = [t for t in range(turns) if asymmetric and ((path * turns + t) >> place) & 1]
            sides.append(Const(1, 1) if len(mine) == turns else Cat(*(turn[t] for t in mine)).any())
        return sides[0], sides[1]

    # -- accumulators ------------------------------------------------------------------------------------------

    def _register(self, m: Module, terms: _Terms, layout: data.Layout | None, name: str) -> _Terms:
        """A pipeline register; without a layout one of the flags alone, as the terms are held where they were made."""
        valid, first, ends, last = self._flags(name, "first", "ends", "last")
        registers = []
        m.d.sync += valid.eq(terms.valid)
        with m.If(terms.valid):
            m.d.sync += [first.eq(terms.first), ends.eq(terms.ends), last.eq(terms.last)]
            for path, term in enumerate(terms.terms):
                if layout is None:
                    registers.append(term)
                    continue
                register = Signal(layout, name=f"{name}{path}", reset_less=True)
                m.d.sync += register.eq(term)
                registers.append(register)
        return _Terms(registers, valid, first, ends, last)

    def _exact(self, m: Module, terms: _Terms) -> None:
        terms = self._register(m, terms, term_layout(self.config), "term")
        m.submodules.accumulator = accumulator = ExactAccumulator(self.config)
        m.submodules.rounder = rounder = ExactRounder(self.config, accumulator.width)
        complete = Signal()
        m.d.sync += complete.eq(terms.valid & terms.last)
        m.d.comb += [
            *(accumulator.term[path].eq(term) for path, term in enumerate(terms.terms)),
            accumulator.valid.eq(terms.valid),
            accumulator.first.eq(terms.first),
            accumulator.last.eq(terms.ends),
            rounder.total.eq(accumulator.total),
            rounder.nan.eq(accumulator.nan),
            rounder.overflow.eq(accumulator.overflow),
            rounder.valid.eq(complete),
            self.o.valid.eq(rounder.ready),
            self.o.payload.eq(rounder.result),
        ]

    def _words(self, m: Module, terms: _Terms) -> None:
        ends = terms.last
        if not self.config.placed:
            terms = self._register(m, terms, None if self.config.term_held else term_layout(self.config), "term")
            ends = Signal(reset_less=True)
            with m.If(terms.valid):
                m.d.sync += ends.eq(terms.last)
        m.submodules.accumulator = accumulator = WordAccumulator(self.config)
        kind = SerialRounder if self.config.round_places else WordRounder
        m.submodules.rounder = rounder = kind(self.config)
        if self.config.placed:
            m.d.comb += m.submodules.term0.take.eq(accumulator.take)
        m.d.comb += [
            accumulator.term.eq(terms.terms[0]),
            accumulator.valid.eq(terms.valid),
            accumulator.first.eq(terms.first),
            accumulator.last.eq(terms.ends),
            rounder.total.eq(accumulator.total),
            rounder.passed.eq(accumulator.passed),
            rounder.nan.eq(accumulator.nan),
            rounder.overflow.eq(accumulator.overflow),
            rounder.valid.eq(ends),
            self.o.valid.eq(rounder.ready),
            self.o.payload.eq(rounder.result),
        ]

    def _float32(self, m: Module, terms: _Terms) -> None:
        if self.config.normalise_stage:
            terms = self._register(m, terms, None if self.config.term_held else term_layout(self.config), "term")
        m.submodules.normaliser = normaliser = TermNormaliser(self.config)
        m.d.comb += normaliser.term.eq(terms.terms[0])
        normal = _Terms([normaliser.normal], terms.valid, terms.first, terms.ends, terms.last)
        normal = self._register(m, normal, normal_layout(self.config), "normal")
        m.submodules.accumulator = accumulator = float32_accumulator(self.config)
        m.d.comb += [
            accumulator.term.eq(normal.terms[0]),
            accumulator.valid.eq(normal.valid),
            accumulator.first.eq(normal.first),
            accumulator.last.eq(normal.last),
            self.o.valid.eq(accumulator.complete),
            self.o.payload.value.eq(Mux(accumulator.nan, QUIET_NAN, accumulator.value)),
            self.o.payload.nan.eq(accumulator.nan),
            self.o.payload.overflow.eq(accumulator.infinite & ~accumulator.nan),
        ]
