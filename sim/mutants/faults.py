"""The faults: each a textual change of the Amaranth source, and the unit that it is put into.

A text that is not found exactly once is an error (`run.StaleMutant`): the source has moved on and the fault must follow
it.
"""

from dataclasses import dataclass

from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.config import Config
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.sim.units import narrowest

EXACT = MacConfig("AMXFP4", "AMXFP4", lanes=8)
NARROW = narrowest(EXACT)
ONE_LANE = MacConfig("AMXFP4", "AMXFP4", lanes=1)
FLOAT = MacConfig("AMXFP4", "AMXFP4", lanes=8, accumulator="fp32")
BASELINE = MacConfig("MXFP4", "MXFP4", lanes=8)
STEPS = MacConfig("MXFP4", "MXFP4", lanes=1)
HALVING = MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8)
SERIAL = MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=2)
PLACED = MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1)
QUANTIZER = QuantizerConfig("AMXFP4", lanes=8)
EVEN_QUANTIZER = QuantizerConfig("AMXFP4", lanes=4, input="float32", rounding="nearest-even")
HALVING_QUANTIZER = QuantizerConfig("AMXFP4-X2", lanes=4, input="float32")
CHAIN = ChainConfig(MacConfig("MXFP4", "MXFP4", lanes=4))
POWERS_QUANTIZER = QuantizerConfig("MXFP4", lanes=4, input="float32", rounding="nearest-even")


@dataclass(frozen=True)
class Change:
    """`old`, which occurs exactly once in a file of `hw/`, becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A fault: its name, in words what is wrong, the unit it is put into, and the changes of the source."""

    name: str
    config: Config
    changes: tuple[Change, ...]


def made(name: str, config: Config, *changes: tuple[str, str, str]) -> Mutant:
    """A mutant from (file, old, new) triples."""
    return Mutant(name, config, tuple(Change(*change) for change in changes))


MUTANTS = (
    # Sums and products.
    made(
        "a carry dropped in the exact accumulator",
        EXACT,
        (
            "mac/acc_exact.py",
            "total.eq(row0 + row1)",
            "total.eq(Cat((row0[:40] + row1[:40])[:40], row0[40:] + row1[40:]))",
        ),
    ),
    made(
        "a carry dropped in the block sums",
        BASELINE,
        ("mac/block_sums.py", "total.eq(row0 + row1)", "total.eq(Cat((row0[:6] + row1[:6])[:6], row0[6:] + row1[6:]))"),
    ),
    made(
        "an element shifted one place too far",
        EXACT,
        ("mac/products.py", "one, two = code[2] & ~code[1],", "one, two = code[2] & ~code[0],"),
    ),
    made(
        "a subnormal element with a hidden bit",
        EXACT,
        ("mac/products.py", "Cat(code[0], code[1] | code[2])", "Cat(code[0], code[0] | code[1] | code[2])"),
    ),
    made(
        "one sign pair adds where it subtracts",
        EXACT,
        ("mac/config.py", "self.sign_pairs == 4 and index in (1, 2)", "self.sign_pairs == 4 and index == 1"),
    ),
    made(
        "the lanes that do not join are lost",
        EXACT,
        ("mac/beat_sums.py", "self.classes(lane + 1)[index] & ~same", "self.classes(lane + 1)[index] & same"),
    ),
    made(
        "sums of later turns are not held",
        EXACT,
        ("mac/block_sums.py", "with m.If(self.turn[0]):", "with m.If(self.turn.any()):"),
    ),
    # Scales.
    made(
        "positive and negative scale swapped",
        EXACT,
        ("mac/scale.py", "Mux(negative, scales[1], scales[0])", "Mux(negative, scales[0], scales[1])"),
    ),
    made(
        "activation and weight sides swapped",
        FLOAT,
        ("mac/unit.py", "return sides[0], sides[1]", "return sides[1], sides[0]"),
    ),
    made(
        "a subnormal scale with a hidden bit",
        EXACT,
        ("mac/scale.py", "Cat(mantissa, ~subnormal)", "Cat(mantissa, Const(1, 1))"),
    ),
    made(
        "a subnormal scale one binade too low",
        EXACT,
        ("mac/scale.py", "Cat(field[0] | subnormal, field[1:])", "field"),
    ),
    made(
        "scales taken from every beat",
        EXACT,
        ("mac/unit.py", "begins = beat.valid & beat.first\n", "begins = beat.valid\n"),
    ),
    made(
        "halved sides swapped",
        HALVING,
        ("mac/products.py", "Mux(code[3], halved[1], halved[0])", "Mux(code[3], halved[0], halved[1])"),
    ),
    # NaN and overflow.
    made(
        "only one of the NaN codes is NaN",
        EXACT,
        ("mac/scale.py", "field.all() if len(scale.nan_codes) > 1 else code.all()", "code.all()"),
    ),
    made(
        "NaN not sticky",
        EXACT,
        ("mac/acc_exact.py", "nan.eq((nan & ~self.first) | new_nan)", "nan.eq(new_nan)"),
    ),
    made(
        "NaN leaks into the next dot product",
        EXACT,
        ("mac/acc_exact.py", "nan.eq((nan & ~self.first) | new_nan)", "nan.eq(nan | new_nan)"),
    ),
    made(
        "NaN on the scale that no element selects is missed",
        ONE_LANE,
        ("mac/term_direct.py", "term.nan.eq(Cat(*nans).any())", "term.nan.eq(a.nan | w.nan)"),
    ),
    made(
        "overflow flag missing",
        NARROW,
        ("arith/round.py", "result.overflow.eq(overflow & ~nan)", "result.overflow.eq(0)"),
    ),
    made(
        "overflow not sticky",
        NARROW,
        ("mac/acc_exact.py", "overflowed.eq(self.overflow & ~self.first)", "overflowed.eq(0)"),
    ),
    made(
        "overflow judged within a block",
        NARROW,
        ("mac/acc_exact.py", "(whole & (total[-1] ^ total[-2]))", "(total[-1] ^ total[-2])"),
    ),
    made(
        "infinity does not stay",
        BASELINE,
        ("mac/acc_float32.py", "(total.infinite | rounder.infinite) & keep", "rounder.infinite & keep"),
    ),
    # Accumulating and rounding.
    made(
        "the exact accumulator not cleared",
        EXACT,
        ("mac/acc_exact.py", "addends = [total & (~self.first).replicate(self.width)]", "addends = [total]"),
    ),
    made(
        "the float32 accumulator not cleared",
        FLOAT,
        ("mac/acc_float32.py", "keep = ~self.first", "keep = Const(1, 1)"),
    ),
    made(
        "the exact sum's sticky bit lost on the way",
        EXACT,
        ("mac/round_exact.py", "sticky | shifted[: len(value) - kept].any()", "shifted[: len(value) - kept].any()"),
    ),
    made(
        "the float32 sum's sticky bit lost",
        FLOAT,
        ("mac/acc_float32.py", "Cat(near[0] | everything, near[1:])", "near"),
    ),
    made(
        "an alignment beyond the shifter not cut off",
        BASELINE,
        ("mac/acc_float32.py", "near = value & (~far).replicate(len(value))", "near = value"),
    ),
    made(
        "a carry lost between the words of a total",
        HALVING,
        ("mac/acc_words.py", "(carry & ~self.valid)", "(carry & self.valid)"),
    ),
    made(
        "a term a word too low",
        HALVING,
        ("mac/acc_words.py", "step[up + piece] & words_up[up]", "step[up + piece - (up > 0)] & words_up[up]"),
    ),
    made(
        "bits below the leading words lost",
        HALVING,
        ("mac/round_words.py", "under.eq(under_lowest | lower[-1].any())", "under.eq(under_lowest)"),
    ),
    made(
        "words of a dot product before seen below the lowest",
        HALVING,
        ("mac/round_words.py", "choose(word, ~passed[: index + 1].any())", "word"),
    ),
    made(
        "a total that is rounded in place shifted up a place too few",
        SERIAL,
        ("mac/round_words.py", "cycles = self.config.round_cycles - 1", "cycles = self.config.round_cycles - 2"),
        (
            "mac/round_words.py",
            "m.d.sync += ready.eq(rounds)",
            "later = Signal()\n        m.d.sync += [later.eq(rounds), ready.eq(later)]",
        ),
    ),
    made(
        "the exponent does not follow a shift in place",
        SERIAL,
        ("mac/round_words.py", "exponent - Cat(*down)", "exponent - down[0]"),
    ),
    made(
        "the bits left below a significand in place not looked at",
        SERIAL,
        ("mac/round_words.py", "sticky | rest.any()", "sticky"),
    ),
    made(
        "a NaN's result in place is a number",
        SERIAL,
        ("mac/round_words.py", "result.eq(Mux(special, QUIET_NAN, rounded))", "result.eq(rounded)"),
    ),
    made(
        "a term stops a place too high in its word",
        PLACED,
        ("mac/term_digits.py", "~(count + places)[len(count)]", "~(count + places + 1)[len(count)]"),
    ),
    made(
        "a partial product of a placed term too narrow",
        PLACED,
        ("mac/term_digits.py", "product = Signal(low + len(held) + 1,", "product = Signal(low + len(held) - 1,"),
    ),
    made(
        "a placed term does not move down when a word is taken",
        PLACED,
        ("mac/term_digits.py", "product.as_signed() >> config.word_bits", "product"),
    ),
    made(
        "a placed term taken a word too early",
        PLACED,
        ("mac/acc_words.py", "begun = [*(~reached", "begun = [Const(1, 1), *(~reached"),
    ),
    made(
        "a sum is not held while its digits are taken",
        HALVING,
        ("mac/term_digits.py", "Mux(self.start, taken, held)", "taken"),
    ),
    made(
        "a product not cleared for the next sum",
        HALVING,
        ("mac/term_digits.py", "moved[low:] & (~self.start).replicate(width)", "moved[low:]"),
    ),
    made(
        "ties away from zero",
        EXACT,
        ("arith/round.py", "(self.guard & (self.sticky | odd | carried))", "self.guard"),
    ),
    made(
        "the one that completes a negation lost",
        EXACT,
        ("arith/round.py", " | (carried & odd)", ""),
    ),
    made(
        "no gradual underflow",
        BASELINE,
        ("mac/acc_float32.py", "changes = changes | stop", "changes = changes"),
    ),
    made(
        "a sum of zero keeps a sign",
        BASELINE,
        ("mac/acc_float32.py", "(total.negative ^ minus) & ~total.zero", "(total.negative ^ minus)"),
    ),
    made(
        "an operand far below aligned by a step too few",
        STEPS,
        ("mac/acc_float32_steps.py", "step == 1 + FAR", "step == FAR"),
    ),
    made(
        "an operand far below not only there",
        STEPS,
        ("mac/acc_float32_steps.py", "value[1] & ~apart", "value[1]"),
    ),
    made(
        "bits lost while aligning step by step",
        STEPS,
        ("mac/acc_float32_steps.py", "Cat(value[0] | value[1], value[2:])", "Cat(value[1], value[2:])"),
    ),
    made(
        "a term made of digits without its sign",
        MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1, accumulator="fp32"),
        ("mac/term_digits.py", "self.term.negative.eq(negative)", "self.term.negative.eq(0)"),
    ),
    made(
        "a carry lost between the halves of a float32 sum",
        STEPS,
        ("mac/acc_float32_steps.py", "right[LOW_BITS:] + carry", "right[LOW_BITS:]"),
    ),
    made(
        "no gradual underflow step by step",
        STEPS,
        ("mac/acc_float32_steps.py", "normal | ~self.field_register[1:].any()", "normal"),
    ),
    made(
        "the float32 accumulator with steps not cleared",
        STEPS,
        ("mac/acc_float32_steps.py", "clear.eq(end & self.last)", "clear.eq(0)"),
    ),
    # Flow.
    made(
        "a stall drops a beat",
        EXACT,
        ("mac/unit.py", "self.i.ready.eq(running)", "self.i.ready.eq(1)"),
    ),
    made(
        "a stall repeats a beat",
        EXACT,
        ("mac/unit.py", "self.i.ready.eq(running)", "self.i.ready.eq(~self.o.valid)"),
    ),
    made(
        "a result is not held through a stall",
        EXACT,
        ("mac/unit.py", "EnableInserter(running)(pipeline)", "EnableInserter(Const(1, 1))(pipeline)"),
    ),
    made(
        "the end of a dot product seen in every beat",
        ONE_LANE,
        ("mac/unit.py", "self.i.payload.last & last)", "self.i.payload.last)"),
    ),
    made(
        "no beat is ever taken",
        EXACT,
        ("mac/unit.py", "self.i.ready.eq(running)", "self.i.ready.eq(0)"),
    ),
    made(
        "no result ever comes",
        FLOAT,
        ("mac/unit.py", "self.o.valid.eq(accumulator.complete)", "self.o.valid.eq(0)"),
    ),
    made(
        "results a cycle late",
        EXACT,
        ("mac/round_exact.py", "ready = Signal(2)", "ready = Signal(3)"),
        ("mac/round_exact.py", "ready.eq(Cat(self.valid, ready[0]))", "ready.eq(Cat(self.valid, ready[:2]))"),
        ("mac/round_exact.py", "self.ready.eq(ready[1])", "self.ready.eq(ready[2])"),
    ),
    made(
        "no reset of a valid bit",
        EXACT,
        ("mac/unit.py", "complete = Signal()", "complete = Signal(reset_less=True)"),
    ),
    made(
        "no reset of the beat counter",
        EXACT,
        ("mac/unit.py", "count = Signal(range(beats))", "count = Signal(range(beats), reset_less=True)"),
    ),
    # The quantiser's numbers.
    made(
        "quantiser: positive and negative scale swapped",
        QUANTIZER,
        ("quantizer/unit.py", "Mux(element.negative, decoded[-1].as_value(), decoded[0].as_value())",
         "Mux(element.negative, decoded[0].as_value(), decoded[-1].as_value())"),
    ),
    made(
        "quantiser: maxima of both signs in one",
        QUANTIZER,
        ("quantizer/maxima.py", "own[lane + 1] & ~(first_wins & own[lane])", "own[lane + 1] & ~first_wins"),
    ),
    made(
        "quantiser: a threshold of scales off by one",
        QUANTIZER,
        ("quantizer/step_count.py", "Const(t, len(fraction))", "Const(t | 1, len(fraction))"),
    ),
    made(
        "quantiser: a tie of elements lost",
        EVEN_QUANTIZER,
        (
            "quantizer/narrow.py",
            "Cat(fraction[:cut].any(), fraction[cut:])",
            "Cat(fraction[:cut].all(), fraction[cut:])",
        ),
    ),
    made(
        "quantiser: ties of scales always away",
        EVEN_QUANTIZER,
        ("quantizer/thresholds.py", "(int(fraction) << 1 | code & 1)", "(int(fraction) << 1)"),
    ),
    made(
        "quantiser: NaN does not reach the second scale",
        QUANTIZER,
        ("quantizer/unit.py", "scale.eq(code | special.replicate(len(code)))",
         "scale.eq(code | (special & Const(index == 0, 1)).replicate(len(code)))"),
    ),
    made(
        "quantiser: NaN seen in a block's last beat only",
        QUANTIZER,
        ("quantizer/unit.py", 'special, last = self._largest(m, beat, beat.special, "special", Value.__or__)',
         "special, last = beat.special"),
    ),
    made(
        "quantiser: elements of a NaN block keep their codes",
        QUANTIZER,
        ("quantizer/encode.py", "self.scale.none.eq(nan | ~self.code.any())", "self.scale.none.eq(~self.code.any())"),
    ),
    made(
        "quantiser: infinity is a large number",
        QUANTIZER,
        (
            "quantizer/narrow.py",
            "self.special.eq(above & field.all())",
            "self.special.eq(above & field.all() & fraction.any())",
        ),
    ),
    made(
        "quantiser: a scale does not saturate",
        QUANTIZER,
        ("quantizer/step_count.py", "Mux(regular_count > len(steps), len(steps), regular_count[: len(count)])",
         "regular_count[: len(count)]"),
    ),
    made(
        "quantiser: a subnormal scale decoded as a normal one",
        QUANTIZER,
        ("quantizer/encode.py", "m.If(~field.any()), m.Switch(mantissa)", "m.If(field.all()), m.Switch(mantissa)"),
    ),
    made(
        "quantiser: an element does not saturate",
        QUANTIZER,
        ("quantizer/encode.py", "with m.Elif(distance[low:].any()):", "with m.Elif(Const(0, 1)):"),
    ),
    made(
        "quantiser: the sign of elements lost",
        QUANTIZER,
        ("quantizer/encode.py", "self.element.negative & magnitude.any()", "Const(0, 1)"),
    ),
    made(
        "quantiser: negative zeros written",
        QUANTIZER,
        ("quantizer/encode.py", "self.element.negative & magnitude.any()", "self.element.negative"),
    ),
    made(
        "quantiser: subnormal inputs treated as normal",
        POWERS_QUANTIZER,
        ("quantizer/encode.py", "subnormal.eq(~self.element.exponent.any())", "subnormal.eq(0)"),
    ),
    made(
        "quantiser: E8M0 scales a binade too large",
        POWERS_QUANTIZER,
        ("quantizer/scale_select.py", "self.maximum - ELEMENT_EXPONENT, 0", "self.maximum - ELEMENT_EXPONENT + 1, 0"),
    ),
    # The quantiser's flow.
    made(
        "quantiser: the largest of earlier beats forgotten",
        QUANTIZER,
        ("quantizer/unit.py", "Mux(beat.first, new, join(so_far, new))", "new"),
    ),
    made(
        "quantiser: the largest of the block before remembered",
        QUANTIZER,
        ("quantizer/unit.py", "Mux(beat.first, new, join(so_far, new))", "join(so_far, new)"),
    ),
    made(
        "quantiser: the store repeats a beat",
        QUANTIZER,
        ("quantizer/block_store.py", "moves: Value = self.drain\n", "moves: Value = self.drain & ~valid[0]\n"),
    ),
    made(
        "quantiser: the store drops a beat",
        QUANTIZER,
        ("quantizer/block_store.py", "eq(moves | ~valid[stage])", "eq(moves | ~valid[stage] | (valid[0] & valid[1]))"),
    ),
    made(
        "quantiser: gaps in the store do not close",
        QUANTIZER,
        ("quantizer/block_store.py", "enable.eq(moves | ~valid[stage])", "enable.eq(moves | self.valid)"),
    ),
    made(
        "quantiser: a stall drops a beat",
        QUANTIZER,
        ("quantizer/unit.py", "self.i.ready.eq(running)", "self.i.ready.eq(1)"),
    ),
    made(
        "quantiser: an output beat is not held through a stall",
        QUANTIZER,
        (
            "quantizer/unit.py",
            "EnableInserter(running)(self._pipeline())",
            "EnableInserter(Const(1, 1))(self._pipeline())",
        ),
    ),
    made(
        "quantiser: a stall at the output is seen a beat late",
        QUANTIZER,
        ("quantizer/unit.py", "~self.o.valid | self.o.ready)", "~self.o.valid | self.o.ready | self.i.valid)"),
    ),
    made(
        "quantiser: `last` of the next block",
        QUANTIZER,
        ("quantizer/unit.py", "m.d.sync += last.eq(beat.last)", "m.d.sync += last.eq(self.i.payload.last)"),
    ),
    made(
        "quantiser: scales of a one-beat block shown a beat early",
        QuantizerConfig("AMXFP4", lanes=8, block_size=8, maximum_registers=0),
        ("quantizer/unit.py", "registers.append(register)", "registers.append(field)"),
    ),
    made(
        "quantiser: no reset of the beat counter",
        QUANTIZER,
        ("quantizer/unit.py", "count = Signal(range(self.config.beats_per_block))\n            with m.If(self.i.valid)",
         "count = Signal(range(self.config.beats_per_block), reset_less=True)\n            with m.If(self.i.valid)"),
    ),
    made(
        "quantiser: no reset of what is held",
        QUANTIZER,
        ("quantizer/block_store.py", 'Signal(name=f"valid{i}")', 'Signal(name=f"valid{i}", reset_less=True)'),
    ),
    # Halved sides.
    made(
        "quantiser: the other side halved",
        HALVING_QUANTIZER,
        ("quantizer/halving_select.py", "[positive & ~negative, negative & ~positive]",
         "[negative & ~positive, positive & ~negative]"),
    ),
    made(
        "quantiser: both sides halved",
        HALVING_QUANTIZER,
        ("quantizer/halving_select.py", "[positive & ~negative, negative & ~positive]", "[positive, negative]"),
    ),
    made(
        "quantiser: what lies just above the limit of halving is halved",
        HALVING_QUANTIZER,
        ("quantizer/narrow.py", "self.below.eq(fraction[: len(fraction) - config.kept_fraction_bits].any())",
         "self.below.eq(fraction[1 : len(fraction) - config.kept_fraction_bits].any())"),
    ),
    made(
        "quantiser: a side at the limit is not halved",
        HALVING_QUANTIZER,
        (
            "quantizer/thresholds.py",
            "_step(HALVING_LIMIT * value / 2, 1, True,",
            "_step(HALVING_LIMIT * value / 2, 0, True,",
        ),
    ),
    made(
        "quantiser: a side halved in a NaN block",
        HALVING_QUANTIZER,
        ("quantizer/unit.py", "register.eq(sides & (~special).replicate(2))", "register.eq(sides)"),
    ),
    made(
        "quantiser: the scale of the positive side only",
        HALVING_QUANTIZER,
        ("quantizer/unit.py", '[larger(m, maxima[0], maxima[1], "maximum")]', "[maxima[0]]"),
    ),
    made(
        "quantiser: elements of a halved side under the whole scale",
        HALVING_QUANTIZER,
        ("quantizer/encode.py", "less = self.whole if", "less = Const(1, 1) if"),
    ),
    # A quantiser and a MAC unit.
    made(
        "chain: weights taken when there is no activation",
        CHAIN,
        ("chain.py", "weight.ready.eq(beat.ready & activation.valid)", "weight.ready.eq(beat.ready)"),
    ),
    made(
        "chain: an activation passes without its weights",
        CHAIN,
        ("chain.py", "activation.ready.eq(beat.ready & weight.valid)", "activation.ready.eq(beat.ready)"),
    ),
    made(
        "chain: a beat goes on without its weights",
        CHAIN,
        ("chain.py", "beat.valid.eq(activation.valid & weight.valid)", "beat.valid.eq(activation.valid)"),
    ),
)  # fmt: skip
