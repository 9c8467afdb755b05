"""The quantiser: floats in, blocks of E2M1 codes and their scales out, one beat of `lanes` elements a cycle.

    beat -> narrow -+-> store ------------------------> encode -> codes
                    +-> maxima -> [register] -> scales ---+-----> scales

A block's scales are known only after its last element, so its elements are held meanwhile, narrowed to what they can
still be compared for. While a block drains, the next one fills the places that it leaves: one block is held in all, and
what arrives while the scales are worked out.
"""

from amaranth.hdl import Cat, Const, EnableInserter, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.block_store import BlockStore
from amxfp4.hw.element_encode import ElementEncode, ScaleDecode
from amxfp4.hw.maxima import BeatMaxima
from amxfp4.hw.narrow import Narrow
from amxfp4.hw.quantizer_config import QuantizerConfig
from amxfp4.hw.scale_select import ScaleSelect


class Quantizer(wiring.Component):
    """Casts floats to a block format.

    Ports: `i`: stream of `config.beat_layout`; `o`: stream of `config.output_layout`. The first beat of a block comes
    `config.drain` cycles after the block's last beat was taken, and its other beats in the cycles that follow; so a block
    that arrived without gaps comes `config.latency` cycles later, beat for beat. Blocks follow one another without
    bubbles. A beat that is not taken stalls the unit: `i.ready` is low in just those cycles, which count for nothing above.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__(
            {"i": In(stream.Signature(config.beat_layout)), "o": Out(stream.Signature(config.output_layout))}
        )

    @property
    def latency(self) -> int:
        """See `QuantizerConfig.latency`."""
        return self.config.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        running = Signal()
        m.d.comb += [running.eq(~self.o.valid | self.o.ready), self.i.ready.eq(running)]
        m.submodules.pipeline = EnableInserter(running)(self._pipeline())
        return m

    def _pipeline(self) -> Module:
        m = Module()
        config = self.config
        elements, special = self._narrow(m)
        first, ends = self._beats(m)

        maxima, special = self._maxima(m, elements, special, first)
        known, last = self.i.valid & ends, self.i.payload.last
        if config.maximum_registers:
            maxima, special, known, last = self._maximum_register(m, maxima, special, known, last)
        scales, last = self._scales(m, maxima, special, known, last)

        drain = self._drain(m, known)
        m.submodules.store = store = BlockStore(len(elements.as_value()), config.held_beats)
        m.d.comb += [store.beat.eq(elements), store.valid.eq(self.i.valid), store.drain.eq(drain)]
        self._encode(m, data.View(elements.shape(), store.head), scales, last, drain)
        return m

    def _narrow(self, m: Module) -> tuple[data.View, Value]:
        """The elements of a beat, narrowed; whether any is NaN or infinite."""
        config = self.config
        elements = Signal(data.ArrayLayout(config.element_layout, config.lanes))
        special = []
        for lane in range(config.lanes):
            narrow = Narrow(config)
            m.submodules[f"narrow{lane}"] = narrow
            m.d.comb += [narrow.float.eq(self.i.payload.elements[lane]), elements[lane].eq(narrow.element)]
            special.append(narrow.special)
        return elements, Cat(*special).any()

    def _beats(self, m: Module) -> tuple[Value, Value]:
        """Counts the beats of a block: whether the one that comes begins it, ends it."""
        if self.config.beats_per_block == 1:
            return Const(1, 1), Const(1, 1)
        count = Signal(range(self.config.beats_per_block))
        with m.If(self.i.valid):
            m.d.sync += count.eq(count + 1)  # wraps: a block is a power of two beats
        return ~count.any(), count.all()

    def _maxima(self, m: Module, elements: data.View, special: Value, first: Value) -> tuple[list[Value], Value]:
        """The maxima of a block so far, this beat included, and whether it has a NaN or an infinity."""
        config = self.config
        m.submodules.maxima = beat = BeatMaxima(config)
        for lane in range(config.lanes):
            element = elements[lane]
            magnitude = Cat(element.fraction, element.exponent) if config.fp8 else element.exponent
            m.d.comb += [beat.magnitude[lane].eq(magnitude), beat.negative[lane].eq(element.negative)]
        if config.beats_per_block == 1:
            return list(beat.maximum), special
        maxima = []
        for side in range(config.sides):
            so_far = Signal(config.maximum_bits, name=f"maximum{side}", reset_less=True)
            new = Signal(config.maximum_bits, name=f"new_maximum{side}")
            m.d.comb += new.eq(Mux(first | (beat.maximum[side] >= so_far), beat.maximum[side], so_far))
            with m.If(self.i.valid):
                m.d.sync += so_far.eq(new)
            maxima.append(new)
        special_before = Signal(reset_less=True)
        special = special | special_before & ~first
        with m.If(self.i.valid):
            m.d.sync += special_before.eq(special)
        return maxima, special

    def _maximum_register(
        self, m: Module, maxima: list[Value], special: Value, known: Value, last: Value
    ) -> tuple[list[Value], Value, Value, Value]:
        registers = []
        late_known, late_last, late_special = Signal(), Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += late_known.eq(known)
        with m.If(self.i.valid):
            for side, maximum in enumerate(maxima):
                register = Signal(len(maximum), name=f"late_maximum{side}", reset_less=True)
                m.d.sync += register.eq(maximum)
                registers.append(register)
            m.d.sync += [late_last.eq(last), late_special.eq(special)]
        return registers, late_special, late_known, late_last

    def _scales(
        self, m: Module, maxima: list[Value], special: Value, known: Value, last: Value
    ) -> tuple[list[Value], Value]:
        """The scale codes of the block that drains next, and its `last`, from the cycle after `known`."""
        config = self.config
        scales = []
        kept_last = Signal(reset_less=True)
        with m.If(known):
            m.d.sync += kept_last.eq(last)
        for side, maximum in enumerate(maxima):
            select = ScaleSelect(config)
            m.submodules[f"select{side}"] = select
            scale = Signal(config.block_format.scale.bits, name=f"scale{side}", reset_less=True)
            m.d.comb += select.maximum.eq(maximum)
            # The NaN code that is written has all its bits set.
            with m.If(known):
                m.d.sync += scale.eq(select.code | special.replicate(len(scale)))
            scales.append(scale)
        return scales, kept_last

    def _drain(self, m: Module, known: Value) -> Value:
        """Whether a beat leaves the store: in each of `beats_per_block` cycles from the one after `known`."""
        drain = Signal()
        if self.config.beats_per_block == 1:
            m.d.sync += drain.eq(known)
            return drain
        count = Signal(range(self.config.beats_per_block))
        m.d.sync += drain.eq(known | (drain & ~count.all()))
        with m.If(drain):
            m.d.sync += count.eq(count + 1)
        return drain

    def _encode(self, m: Module, elements: data.View, scales: list[Value], last: Value, drain: Value) -> None:
        config = self.config
        decoded = []
        for side, scale in enumerate(scales):
            decode = ScaleDecode(config)
            m.submodules[f"decode{side}"] = decode
            m.d.comb += decode.code.eq(scale)
            decoded.append(decode.scale)
        codes = Signal(data.ArrayLayout(4, config.lanes), reset_less=True)
        valid, out_last = Signal(), Signal(reset_less=True)
        m.d.sync += valid.eq(drain)
        with m.If(drain):
            m.d.sync += out_last.eq(last)
        for lane in range(config.lanes):
            encode = ElementEncode(config)
            m.submodules[f"encode{lane}"] = encode
            element = elements[lane]
            scale = Mux(element.negative, decoded[-1].as_value(), decoded[0].as_value())
            m.d.comb += [encode.element.eq(element), encode.scale.eq(scale)]
            with m.If(drain):
                m.d.sync += codes[lane].eq(encode.code)
        shown = scales
        if config.beats_per_block == 1:
            # The next block's scales take the place of this one's as its beat is shown.
            shown = []
            for side, scale in enumerate(scales):
                register = Signal(len(scale), name=f"shown_scale{side}", reset_less=True)
                with m.If(drain):
                    m.d.sync += register.eq(scale)
                shown.append(register)
        m.d.comb += [
            self.o.valid.eq(valid),
            self.o.payload.codes.eq(codes),
            self.o.payload.scales.eq(Cat(*shown)),
            self.o.payload.last.eq(out_last),
        ]
