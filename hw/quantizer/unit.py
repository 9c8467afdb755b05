"""The quantiser: floats in, blocks of E2M1 codes and their scales out, one beat of `lanes` elements per cycle.

    beat -> narrow -+-> store ------------------------> encode -> codes
                    +-> maxima -> [register] -> scales ---+-----> scales

A block's scales are known only after its last element. Until then its elements are held, narrowed to the bits that can
still matter. One store of a block's size is enough, where two in turn (ping-pong) would hold two blocks. A complete
block drains by one beat per cycle, and the next block cannot arrive faster, so it fills the places that become free.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, EnableInserter, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.golden.arguments import check_type
from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.compare import at_least
from amxfp4.hw.config import asymmetry_field
from amxfp4.hw.quantizer.block_store import BlockStore
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.encode import ElementEncode, ScaleDecode
from amxfp4.hw.quantizer.halving_select import HalvingSelect, halved_sides
from amxfp4.hw.quantizer.maxima import BeatMaxima, larger
from amxfp4.hw.quantizer.narrow import Narrow, bits_below, held_magnitude
from amxfp4.hw.quantizer.rivals import Group, joined
from amxfp4.hw.quantizer.scale_select import ScaleSelect
from amxfp4.hw.quantizer.scaled_narrow import ScaledNarrow, split_reciprocal
from amxfp4.hw.quantizer.special_select import SpecialSelect


@dataclass(frozen=True)
class _Arrived:
    """A beat, narrowed.

    Attributes:
        valid: the beat is here.
        last: its block ends a row.
        elements: the narrowed elements.
        below: for each lane what `narrow.bits_below` says.
        magnitudes: for each lane the value whose maximum is found.
        special: one of its elements is NaN or infinite.
    """

    valid: Value
    last: Value
    elements: data.View
    below: Sequence[Sequence[Value]]
    magnitudes: list[Value]
    special: Value


@dataclass(frozen=True)
class _Beat:
    """The flags of a beat.

    Attributes:
        valid: the beat is here.
        first: it begins a block.
        ends: it ends a block.
        last: its block ends a row; looked at only with `ends`.
        special: one of its elements is NaN or infinite.
    """

    valid: Value
    first: Value
    ends: Value
    last: Value
    special: Value


@dataclass(frozen=True)
class _Block:
    """What is known only of a whole block.

    Attributes:
        scales: codes, positive side first.
        asymmetry: the bits of its asymmetry code; empty in formats without one.
        last: the block ends a row.
    """

    scales: list[Value]
    asymmetry: list[Value]
    last: Value


class Quantizer(wiring.Component):
    """Casts floats to a block format.

    Ports:
        i: in, stream of `config.beat_layout`.
        o: out, stream of `config.output_layout`, whose beats are those of a MAC unit's operand.

    A block's first output beat comes `config.drain` cycles after the block's last beat was taken. The block's other
    beats come in the cycles that follow, whatever gaps the block arrived with. So in a block that arrives without gaps
    each beat comes out `config.latency` cycles after it was taken. Blocks follow one another without bubbles.

    A beat that is not taken stalls the unit: `i.ready` is low in just those cycles. Stalled cycles are not counted
    above.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        check_type(QuantizerConfig, config=config)
        self.config = config
        super().__init__(
            {"i": In(stream.Signature(config.beat_layout)), "o": Out(stream.Signature(config.output_layout))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        running = Signal()
        m.d.comb += [running.eq(~self.o.valid | self.o.ready), self.i.ready.eq(running)]
        m.submodules.pipeline = EnableInserter(running)(self._pipeline())
        return m

    def _pipeline(self) -> Module:
        m = Module()
        config = self.config
        arrived = self._narrow(m)
        if config.entrance_registers:
            arrived = self._entrance_register(m, arrived)
        elements = arrived.elements
        beat = self._beat(m, arrived)
        maxima = self._maxima(m, arrived)
        if config.specials:
            complete, block = self._special_block(m, beat, maxima)
        else:
            if config.maximum_registers:
                beat, maxima = self._maximum_register(m, beat, maxima)
            block = self._block(m, beat, maxima)
            complete = beat.valid & beat.ends

        drain = self._drain(m, complete)
        m.submodules.store = store = BlockStore(len(elements.as_value()), config.held_beats)
        m.d.comb += [store.beat.eq(elements), store.valid.eq(arrived.valid), store.drain.eq(drain)]
        self._encode(m, data.View(elements.shape(), store.head), block, drain)
        return m

    def _narrow(self, m: Module) -> _Arrived:
        """Narrows the elements of a beat, or their products with the reciprocal of a tensor's scale."""
        config = self.config
        elements = Signal(data.ArrayLayout(config.element_layout, config.lanes))
        magnitudes: list[Value] = []
        below, special = [], []
        reciprocal = split_reciprocal(m, self.i.payload.reciprocal) if config.tensor_scale else None
        for lane in range(config.lanes):
            narrow = ScaledNarrow(config) if reciprocal else Narrow(config)
            m.submodules[f"narrow{lane}"] = narrow
            m.d.comb += [narrow.float.eq(self.i.payload.elements[lane]), elements[lane].eq(narrow.element)]
            if reciprocal:
                m.d.comb += [
                    narrow.once.eq(reciprocal.once),
                    narrow.thrice.eq(reciprocal.thrice),
                    narrow.exponent.eq(reciprocal.exponent),
                ]
            special.append(narrow.special)
            below.append(bits_below(narrow))
            magnitudes.append(held_magnitude(config, narrow.element, below[-1]))
        return _Arrived(self.i.valid, self.i.payload.last, elements, below, magnitudes, Cat(*special).any())

    def _entrance_register(self, m: Module, arrived: _Arrived) -> _Arrived:
        """Registers the narrowed elements: a multiplication is parted from the search for the maxima."""
        valid = Signal(name="arrived_valid")
        last, special = Signal(name="arrived_last", reset_less=True), Signal(name="arrived_special", reset_less=True)
        elements = Signal(arrived.elements.shape(), name="arrived", reset_less=True)
        below = [
            [Signal(name=f"arrived_below{lane}", reset_less=True) for _ in bits]
            for lane, bits in enumerate(arrived.below)
        ]
        m.d.sync += valid.eq(arrived.valid)
        with m.If(arrived.valid):
            m.d.sync += [last.eq(arrived.last), special.eq(arrived.special), elements.eq(arrived.elements)]
            m.d.sync += [Cat(*held).eq(Cat(*bits)) for held, bits in zip(below, arrived.below, strict=True)]
        magnitudes = [held_magnitude(self.config, elements[lane], bits) for lane, bits in enumerate(below)]
        return _Arrived(valid, last, elements, below, magnitudes, special)

    def _beat(self, m: Module, arrived: _Arrived) -> _Beat:
        """Counts the beats of a block."""
        first = ends = Const(1, 1)
        if self.config.beats_per_block > 1:
            count = Signal(range(self.config.beats_per_block))
            with m.If(arrived.valid):
                m.d.sync += count.eq(count + 1)  # wraps: a block is a power of two beats
            first, ends = ~count.any(), count.all()
        return _Beat(arrived.valid, first, ends, arrived.last, arrived.special)

    def _maxima(self, m: Module, arrived: _Arrived) -> list[Value]:
        """The maxima of a beat; with two special values each with a flag on top, see `Group`."""
        config = self.config
        m.submodules.maxima = maxima = BeatMaxima(config)
        for lane, magnitude in enumerate(arrived.magnitudes):
            m.d.comb += [
                maxima.magnitude[lane].eq(magnitude),
                maxima.negative[lane].eq(arrived.elements[lane].negative),
            ]
        if config.second_special:
            return [Group(*of_side).packed for of_side in zip(maxima.maximum, maxima.rivalled, strict=True)]
        return list(maxima.maximum)

    def _maximum_register(self, m: Module, beat: _Beat, maxima: list[Value]) -> tuple[_Beat, list[Value]]:
        """Registers a beat's maxima: the search for them, which is deep with many lanes, is parted from the choice of
        scales."""
        valid = Signal(name="beat_valid")
        flags = {name: Signal(name=f"beat_{name}", reset_less=True) for name in ("first", "ends", "last", "special")}
        registers = [
            Signal(len(maximum), name=f"maximum{side}", reset_less=True) for side, maximum in enumerate(maxima)
        ]
        m.d.sync += valid.eq(beat.valid)
        with m.If(beat.valid):
            m.d.sync += [register.eq(getattr(beat, name)) for name, register in flags.items()]
            m.d.sync += [register.eq(maximum) for register, maximum in zip(registers, maxima, strict=True)]
        return _Beat(valid, **flags), list(registers)

    def _block(self, m: Module, beat: _Beat, maxima: list[Value]) -> _Block:
        """A block's scales, halved sides and `last`.

        They are there from the cycle after the block's last beat until the cycle after the next block's last beat. A
        larger maximum never has a smaller scale. So of the beats so far the largest scale is kept, which is narrower
        than the largest magnitude.
        """
        config = self.config
        complete = beat.valid & beat.ends
        special, last = self._largest(m, beat, beat.special, "special", Value.__or__), Signal(reset_less=True)
        with m.If(complete):
            m.d.sync += last.eq(beat.last)
        of_scales = [larger(m, maxima[0], maxima[1], "maximum")] if config.halving else maxima
        codes, scales = [], []
        for index, maximum in enumerate(of_scales):
            select = ScaleSelect(config)
            m.submodules[f"select{index}"] = select
            m.d.comb += select.maximum.eq(maximum)
            code = self._largest(m, beat, select.code, f"code{index}", self._larger)
            scale = Signal(len(code), name=f"scale{index}", reset_less=True)
            with m.If(complete):
                # The NaN code that is written has all its bits set, whatever the format.
                m.d.sync += scale.eq(code | special.replicate(len(code)))
            codes.append(code)
            scales.append(scale)
        halved: list[Value] = []
        if config.halving:
            register = Signal(2, name="halved", reset_less=True)
            sides = Cat(*self._halved(m, beat, codes[0], maxima))
            with m.If(complete):
                m.d.sync += register.eq(gated(sides, ~special))
            halved = list(register)
        return _Block(scales, halved, last)

    def _special_block(self, m: Module, beat: _Beat, maxima: list[Value]) -> tuple[Value, _Block]:
        """Whether a block is complete; its scale, asymmetry code and `last`, as `_block` has them.

        The scale depends on both sides at once, so the maxima are kept, not codes. Where there is a register rank, it
        is that of the largest maxima so far.
        """
        config = self.config
        complete, last = beat.valid & beat.ends, beat.last
        sides = [self._kept(m, beat, side, f"side{index}") for index, side in enumerate(maxima)]
        nan = self._kept(m, beat, beat.special, "special")
        if config.maximum_registers:
            completed, block_last = Signal(name="completed"), Signal(name="beat_last", reset_less=True)
            m.d.sync += completed.eq(complete)
            with m.If(beat.valid):
                m.d.sync += block_last.eq(last)
            complete, last = completed, block_last
        m.submodules.select = select = SpecialSelect(config)
        for index, side in enumerate(sides):
            m.d.comb += select.maximum[index].eq(side)
            if config.second_special:
                m.d.comb += select.rivalled[index].eq(Group.of(side).rivalled)
        scale, special = Signal(len(select.code), name="scale0", reset_less=True), Signal.like(select.special)
        shown_last = Signal(name="last", reset_less=True)
        with m.If(complete):
            m.d.sync += [
                scale.eq(select.code | nan.replicate(len(scale))),
                special.eq(gated(select.special, ~nan)),
                shown_last.eq(last),
            ]
        return complete, _Block([scale], list(special), shown_last)

    def _kept(self, m: Module, beat: _Beat, new: Value, name: str) -> Value:
        """The largest, or of groups the joined one, of a block's beats up to this; behind the register rank if any."""
        config = self.config
        if config.beats_per_block == 1 and not config.maximum_registers:
            return new
        so_far, result = Signal(len(new), name=f"{name}_so_far", reset_less=True), Signal(len(new), name=name)
        m.d.comb += result.eq(new)
        if config.beats_per_block > 1:
            earlier = gated(so_far, ~beat.first)
            if len(new) == 1:
                both = earlier | new
            elif config.second_special:
                both = joined(m, config, Group.of(earlier), Group.of(new), f"{name}_joined").packed
            else:
                both = self._larger(earlier, new)
            m.d.comb += result.eq(both)
        with m.If(beat.valid):
            m.d.sync += so_far.eq(result)
        return so_far if config.maximum_registers else result

    def _halved(self, m: Module, beat: _Beat, code: Value, maxima: list[Value]) -> list[Value]:
        """Which sides are halved, in the cycle of a block's last beat."""
        too_small = []
        for side, maximum in enumerate(maxima):
            select = HalvingSelect(self.config)
            m.submodules[f"halving{side}"] = select
            m.d.comb += select.maximum.eq(maximum)
            too_small.append(self._largest(m, beat, select.too_small, f"too_small{side}", self._larger))
        return halved_sides(code, (too_small[0], too_small[1]))

    @staticmethod
    def _larger(old: Value, new: Value) -> Value:
        return Mux(at_least(new, old), new, old)

    def _largest(self, m: Module, beat: _Beat, new: Value, name: str, join: Callable[[Value, Value], Value]) -> Value:
        """`new`, joined by `join` over the beats of a block up to this one."""
        if self.config.beats_per_block == 1:
            return new
        so_far = Signal(len(new), name=f"{name}_so_far", reset_less=True)
        joined = Signal(len(new), name=name)
        m.d.comb += joined.eq(Mux(beat.first, new, join(so_far, new)))
        with m.If(beat.valid):
            m.d.sync += so_far.eq(joined)
        return joined

    def _drain(self, m: Module, known: Value) -> Value:
        """Whether a beat leaves the store: in `beats_per_block` cycles, beginning with the cycle after `known`."""
        drain = Signal()
        if self.config.beats_per_block == 1:
            m.d.sync += drain.eq(known)
            return drain
        count = Signal(range(self.config.beats_per_block))
        m.d.sync += drain.eq(known | (drain & ~count.all()))
        with m.If(drain):
            m.d.sync += count.eq(count + 1)
        return drain

    def _encode(self, m: Module, elements: data.View, block: _Block, drain: Value) -> None:
        config = self.config
        decoded = []
        for index, scale in enumerate(block.scales):
            decode = ScaleDecode(config)
            m.submodules[f"decode{index}"] = decode
            m.d.comb += decode.code.eq(scale)
            decoded.append(decode.scale)
        codes = Signal(data.ArrayLayout(4, config.lanes), reset_less=True)
        valid, last = Signal(), Signal(reset_less=True)
        m.d.sync += valid.eq(drain)
        with m.If(drain):
            m.d.sync += last.eq(block.last)
        for lane in range(config.lanes):
            encode = ElementEncode(config)
            m.submodules[f"encode{lane}"] = encode
            element = elements[lane]
            scale = Mux(element.negative, decoded[-1].as_value(), decoded[0].as_value())
            m.d.comb += [encode.element.eq(element), encode.scale.eq(scale)]
            if config.halving:
                m.d.comb += encode.whole.eq(~Mux(element.negative, block.asymmetry[1], block.asymmetry[0]))
            if config.specials:
                own = element.negative == block.asymmetry[0]
                m.d.comb += encode.special.eq(Cat(own, *block.asymmetry[1:]))
            with m.If(drain):
                m.d.sync += codes[lane].eq(encode.code)
        scales = self._shown(m, block.scales, drain, "scale")
        name = asymmetry_field(config.block_format)
        asymmetry = self._shown(m, block.asymmetry, drain, name or "")
        m.d.comb += [
            self.o.valid.eq(valid),
            self.o.payload.codes.eq(codes),
            self.o.payload.scales.eq(Cat(*scales)),
            self.o.payload.last.eq(last),
        ]
        if name:
            m.d.comb += self.o.payload[name].eq(Cat(*asymmetry))

    def _shown(self, m: Module, fields: list[Value], drain: Value, name: str) -> list[Value]:
        """A block's fields (scales or halved sides) as they stand beside the block's first beat of codes."""
        if self.config.beats_per_block > 1:
            return fields
        # A block is one beat, so the next block's fields are in `fields` by the cycle in which this beat is shown.
        registers = []
        for index, field in enumerate(fields):
            register = Signal(len(field), name=f"shown_{name}{index}", reset_less=True)
            with m.If(drain):
                m.d.sync += register.eq(field)
            registers.append(register)
        return list(registers)
