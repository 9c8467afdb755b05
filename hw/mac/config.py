"""What is to be built: one frozen description from which every width, stage and port of a MAC unit is derived."""

from dataclasses import dataclass, field, fields
from functools import cached_property

from amaranth.lib import data
from amaranth.utils import bits_for

from amxfp4.errors import UsageError
from amxfp4.golden.formats import BlockFormat, ScaleFormat, block_format
from amxfp4.hw.config import check_geometry, check_one_of, scales_layout

ACCUMULATORS = ("exact", "fp32")

# The largest |element| is 6, in units of 1/2: 12.
ELEMENT_MAX = 12
# Before its shift a product of two 2-bit significands is at most 3 x 3.
PRODUCT_SIGNIFICAND_MAX = 3 * 3
# An exact accumulator holds at least this many worst-case products: 2^19 worst-case blocks of 32.
EXACT_CAPACITY = 1 << 24

# An exact accumulator turns round in this many words: two or three would not pay for themselves, and more than eight
# would save little more of the adder.
MIN_WORDS, MAX_WORDS = 4, 8
# A leading word and two more hold the 24 bits of a significand below the leading bit, and the guard.
MIN_WORD_BITS = 13

# Cycles in which the float32 accumulator adds a term where it shifts by a place a cycle (see `float32_steps.py`).
FLOAT32_STEPS = 31


def largest_significand(scale: ScaleFormat) -> int:
    """The largest integer significand of a scale: 7 for E5M2, 15 for E4M3, 1 for E8M0 (no mantissa)."""
    return (2 << scale.mantissa_bits) - 1


def largest_exponent(scale: ScaleFormat) -> int:
    """The largest exponent field of a finite scale code: 30 for E5M2, 15 for E4M3, 254 for E8M0."""
    return scale.max_code >> scale.mantissa_bits


def smallest_exponent(scale: ScaleFormat) -> int:
    """The smallest effective exponent field: an FP8 field of 0 (subnormal) has the weight of 1; E8M0 has none."""
    return 1 if scale.mantissa_bits else 0


@dataclass(frozen=True)
class MacConfig:
    """A multiply-accumulate unit: formats, geometry, accumulator and pipeline.

    Parameters
    ----------
    activation, weight
        Names of block formats, e.g. "AMXFP4" or "MXFP4-E5M2"; any pair.
    block_size
        Elements a block: a power of two, 8 .. 128.
    lanes
        Element pairs a beat: 1, 2, 4, 8, 16 or 32, at most `block_size`.
    accumulator
        "exact" (fixed point, FP8 scales on both sides) or "fp32" (rounded after every term, `lanes` at most
        `block_size` / `sign_pairs`). None takes "exact" where it is possible.
    accumulator_bits
        Width of the exact accumulator, two's complement; None takes `default_accumulator_bits`.
    front_registers
        Register ranks between the input and the block sums, 0 or 1; None takes 1 for 8 lanes or more, whose
        adder tree would otherwise be the longest path, unless a beat is a whole block and so there is nothing to add
        to its sum.

    Raises `UsageError` for anything that cannot be built.
    """

    activation: str = field(default="AMXFP4", metadata={"help": "Block format of the activations."})
    weight: str = field(
        default="AMXFP4", metadata={"help": "Block format of the weights (default: that of the activations)."}
    )
    block_size: int = field(default=32, metadata={"help": "Elements per block: a power of two, 8 to 128."})
    lanes: int = field(default=8, metadata={"help": "Element pairs per beat: 1, 2, 4, 8, 16 or 32."})
    accumulator: str | None = field(
        default=None, metadata={"help": 'Accumulator: "exact" (default where both scales are FP8) or "fp32".'}
    )
    accumulator_bits: int | None = field(
        default=None, metadata={"help": "Width of the exact accumulator (default: room for 2^24 worst-case products)."}
    )
    front_registers: int | None = field(
        default=None, metadata={"help": "Register ranks between the input and the block sums, 0 or 1."}
    )

    def __post_init__(self) -> None:
        check_geometry(self.block_size, self.lanes)
        for side in ("activation", "weight"):
            object.__setattr__(self, side, block_format(getattr(self, side), self.block_size).name)
        fp8 = all(f.scale.mantissa_bits for f in self.formats)
        if self.accumulator is None:
            object.__setattr__(self, "accumulator", "exact" if fp8 else "fp32")
        check_one_of("accumulator", self.accumulator, ACCUMULATORS)
        if self.accumulator == "exact" and not fp8:
            raise UsageError(
                f"accumulator is 'exact' for {self.activation} x {self.weight}; E8M0 scales would need some 540 bits, "
                f"so only FP8 scales on both sides are allowed: take 'fp32'"
            )
        if self.accumulator == "fp32" and self.lanes * self.sign_pairs > self.block_size:
            raise UsageError(
                f"lanes is {self.lanes} with accumulator 'fp32'; {self.activation} x {self.weight} gives "
                f"{self.sign_pairs} terms a block of {self.block_size} and one is added a cycle, "
                f"so at most {self.block_size // self.sign_pairs} lanes are allowed"
            )
        self._check_accumulator_bits()
        if self.front_registers is None:
            object.__setattr__(self, "front_registers", int(self.lanes >= 8 and self.beats_per_block > 1))
        check_one_of("front_registers", self.front_registers, (0, 1))

    def _check_accumulator_bits(self) -> None:
        if self.accumulator == "fp32":
            if self.accumulator_bits is not None:
                raise UsageError(
                    f"accumulator_bits is {self.accumulator_bits!r}; with accumulator 'fp32' it is not allowed"
                )
            return
        if self.accumulator_bits is None:
            object.__setattr__(self, "accumulator_bits", self.default_accumulator_bits)
        low, high = self.least_accumulator_bits, 128
        if type(self.accumulator_bits) is not int or not low <= self.accumulator_bits <= high:
            raise UsageError(
                f"accumulator_bits is {self.accumulator_bits!r}; allowed are {low} (one worst-case block) to {high}"
            )

    # -- formats -----------------------------------------------------------------------------------------------

    @cached_property
    def activation_format(self) -> BlockFormat:
        return block_format(self.activation, self.block_size)

    @cached_property
    def weight_format(self) -> BlockFormat:
        return block_format(self.weight, self.block_size)

    @property
    def formats(self) -> tuple[BlockFormat, BlockFormat]:
        """Activation format, weight format."""
        return self.activation_format, self.weight_format

    @property
    def exact(self) -> bool:
        return self.accumulator == "exact"

    # -- geometry ----------------------------------------------------------------------------------------------

    @property
    def beats_per_block(self) -> int:
        return self.block_size // self.lanes

    @property
    def sign_pairs(self) -> int:
        """Sums a block: one for each sign of each asymmetric operand, as its scale depends on that sign."""
        return (1 + self.activation_format.asymmetric) * (1 + self.weight_format.asymmetric)

    @property
    def direct(self) -> bool:
        """Whether every scaled product goes into the accumulator by itself: with one lane and an exact
        accumulator there is nothing to sum first, and four block sums would cost more than they save. One leaves a
        whole block's beats for each term, two leave half of them, which is worth more (see `words`)."""
        return self.exact and self.lanes == 1 and self.sign_pairs == 4

    @property
    def turns(self) -> int:
        """Sums that one tail serves one after the other: as many as a block has beats for."""
        return 1 if self.direct else min(self.sign_pairs, self.beats_per_block)

    @property
    def paths(self) -> int:
        """Tails side by side: more than one only where a block has fewer beats than sums."""
        return 1 if self.direct else self.sign_pairs // self.turns

    # -- front end: products and sums --------------------------------------------------------------------------

    @property
    def halvings(self) -> int:
        """Operands whose sides may have half the block's scale. Their elements count in units of half that scale, so
        that a side which is not halved is shifted by one place more: the asymmetry costs a shift, not a sum."""
        return sum(f.halving for f in self.formats)

    @property
    def product_max(self) -> int:
        """The largest product of two elements, in units of 1/4, 1/8 or 1/16 of the scales: 144, 288 or 576."""
        return ELEMENT_MAX * ELEMENT_MAX << self.halvings

    @property
    def product_bits(self) -> int:
        return bits_for(self.product_max)

    @property
    def lane_offset(self) -> int:
        """What a lane adds to a signed sum to keep it positive: the power of two above `product_max`."""
        return 1 << self.product_bits

    @property
    def sums_signed(self) -> bool:
        """With both operands asymmetric a sum's sign is that of its sign pair; otherwise products of both signs
        meet in one sum."""
        return self.sign_pairs < 4

    def negated(self, index: int) -> bool:
        """Whether sum `index` is kept as its negative. An exact accumulator adds signed terms, and of the four sums
        (+,+), (+,-), (-,+), (-,-) the middle ones count negatively; a float32 one adds sign and magnitude."""
        return self.exact and self.sign_pairs == 4 and index in (1, 2)

    @property
    def block_signed(self) -> bool:
        """Whether a block sum leaves the front end in two's complement; otherwise it is a magnitude."""
        return self.sums_signed or self.exact

    @property
    def sum_bits(self) -> int:
        """Width of a block sum: at most 144 k. A signed one is two's complement with room for +-256 k, as its addends
        carry an offset of 256 a lane (see `sums.py`); with halved sides, twice or four times as much."""
        lane = self.lane_offset if self.block_signed else self.product_max
        return bits_for(lane * self.block_size)

    @property
    def beat_bits(self) -> int:
        """Width of one beat's sum: a lane adds at most 144, with an offset at most 256 + 144, negated below 256."""
        return bits_for((self.lane_offset * self.sums_signed + self.product_max) * self.lanes)

    @property
    def beat_rows(self) -> int:
        """Addends in which a beat's sum leaves the adder tree: two, so that the carries are waited for once, together
        with the block sum's. Where a register comes between, a third is worth its bits, as one full adder less comes
        before it; with four sums it is not, as each would have a row more to hold."""
        return 3 if self.front_registers and self.sign_pairs < 4 else 2

    # -- scaled terms ------------------------------------------------------------------------------------------

    @property
    def scale_significand_max(self) -> int:
        """The largest product of the two scale significands."""
        return largest_significand(self.activation_format.scale) * largest_significand(self.weight_format.scale)

    @property
    def term_bits(self) -> int:
        """Width of a term's magnitude: a sum (or one product's significand) times two scale significands."""
        largest = PRODUCT_SIGNIFICAND_MAX if self.direct else self.product_max * self.block_size
        return bits_for(largest * self.scale_significand_max)

    @property
    def product_shift_max(self) -> int:
        """The largest shift of a direct product's significand: 0 .. 2 for each operand."""
        return 2 + 2

    @property
    def exponent_min(self) -> int:
        """The smallest sum of two effective scale exponent fields."""
        return sum(smallest_exponent(f.scale) for f in self.formats)

    @property
    def exponent_max(self) -> int:
        """The largest sum of two scale exponent fields, with a direct product's own shift."""
        return sum(largest_exponent(f.scale) for f in self.formats) + self.product_shift_max * self.direct

    @property
    def exponent_bits(self) -> int:
        return bits_for(self.exponent_max)

    @property
    def exponent_offset(self) -> int:
        """A term's value is magnitude x 2^(exponent - exponent_offset): both scales' biases and mantissa bits, and
        2 for the products' unit of 1/4, and 1 for each operand in halves of its scale."""
        return 2 + self.halvings + sum(f.scale.bias + f.scale.mantissa_bits for f in self.formats)

    # -- exact accumulator -------------------------------------------------------------------------------------

    @property
    def lsb_exponent(self) -> int:
        """Weight of the exact accumulator's least bit, as a power of two: -34 for E5M2 x E5M2."""
        return self.exponent_min - self.exponent_offset

    @property
    def _product_max(self) -> int:
        """The largest scaled product of two elements, in units of the accumulator's least bit."""
        top = (largest_exponent(f.scale) - smallest_exponent(f.scale) for f in self.formats)
        codes = (f.scale.max_code & ((1 << f.scale.mantissa_bits) - 1) for f in self.formats)
        value = self.product_max
        for shift, mantissa, f in zip(top, codes, self.formats, strict=True):
            value *= ((1 << f.scale.mantissa_bits) + mantissa) << shift
        return value

    @property
    def block_max(self) -> int:
        """The largest |dot product of one block pair|, in units of the exact accumulator's least bit."""
        return self._product_max * self.block_size

    @property
    def least_accumulator_bits(self) -> int:
        """The narrowest exact accumulator: sign and room for one worst-case block."""
        return 1 + bits_for(self.block_max)

    @property
    def default_accumulator_bits(self) -> int:
        """Sign and room for 2^24 worst-case products: 96 for E5M2 x E5M2."""
        return 1 + bits_for(self._product_max * EXACT_CAPACITY)

    @property
    def words(self) -> int:
        """Words in which the exact accumulator turns round, one a cycle: at most as many as a term has cycles to
        itself, where these are enough to pay for the turning. A leading word and the two below it hold a float32's
        significand.

        A bit of the register is a flip-flop; a bit of a word is one of the adder, of what a term is shifted and chosen
        by, and of the rounder's, and costs about twice as much."""
        cycles = self.beats_per_block // self.sign_pairs
        if not self.exact or self.direct or cycles < MIN_WORDS:
            return 1
        width = 1 + (self.accumulator_bits or 0)
        counts = [n for n in range(MIN_WORDS, min(cycles, MAX_WORDS) + 1) if -(-width // n) >= MIN_WORD_BITS]
        return min(counts, key=lambda n: ((n + 2) * -(-width // n), -n), default=1)

    @property
    def word_bits(self) -> int:
        """Width of a word; together at least one bit more than the accumulator, for what a block's terms may leave it
        by before the last one is added."""
        return -(-(1 + (self.accumulator_bits or 0)) // self.words)

    @property
    def digit_bits(self) -> int:
        """Bits of the scales' significand product that a sum is multiplied by in a cycle."""
        return 1 if self.placed else -(-bits_for(self.scale_significand_max) // self.loop_stages)

    @property
    def placed(self) -> bool:
        """Whether a sum is scaled by a bit a cycle and stops within a word where its exponent says, in one register
        that also holds it while it is added.

        The cycles of a block are enough for taking the sum, its bits, all places of a word but one, and the words."""
        bits = bits_for(self.scale_significand_max)
        cycles = bits + self.word_bits + self.words
        return self.words > 1 and self.sign_pairs == 1 and bits > 1 and cycles <= self.beats_per_block

    @property
    def places(self) -> int:
        """Places that a term comes shifted up by at most."""
        return self.word_bits - 1 if self.placed else 0

    @property
    def digits(self) -> int:
        """Cycles in which a sum is scaled; 1 where this saves fewer than five rows of the multiplier, which is what
        holding the sum and the growing product costs."""
        bits = bits_for(self.scale_significand_max)
        if self.placed:
            return bits
        saved = bits - self.digit_bits
        slow = self.words > 1 or self.float32_steps
        return -(-bits // self.digit_bits) if self.sign_pairs == 1 and slow and saved >= 5 else 1

    @property
    def term_held(self) -> bool:
        """Whether a term made of digits stays where it was made until it has been added: the next one is begun later
        than that, so that it needs no register of its own."""
        return self.digits > 1 and self.digits + self.words <= self.beats_per_block

    @property
    def dot_product_gap(self) -> int:
        """Cycles from a dot product's last term to the next one's first, at least: blocks come a block's beats apart,
        and a block's terms take turns."""
        return self.beats_per_block - (self.turns - 1) * self.loop_stages

    @property
    def round_places(self) -> int:
        """Places by which a total is shifted up a cycle to be rounded in place: 1, or 3 where only these leave time; 0
        where it is shifted at once, and rounded into a register of its own.

        A term's words pass in the cycles 1 .. `words` after it; `round_cycles` later the result is there, and the unit
        stands still until it is taken. So it must not come later than the next dot product's first term, which begins
        NaN and overflow anew, and whose first word comes a cycle later still."""
        if self.words == 1:
            return 0
        return next((n for n in (1, 3) if self.words + self._round_cycles(n) <= self.dot_product_gap), 0)

    @property
    def round_cycles(self) -> int:
        """Cycles from a total's last word to the result: shifts, rounding and the register."""
        return self._round_cycles(self.round_places)

    def _round_cycles(self, places: int) -> int:
        return 2 + (-(-(self.word_bits - 1) // places) if places else 0)

    # -- float32 accumulator -----------------------------------------------------------------------------------

    @property
    def beyond_float32(self) -> bool:
        """Whether terms may lie outside float32's normal range, so that subnormals and infinity are built: E8M0
        scales reach 2^+-127 each; two FP8 scales stay within 2^-34 .. 2^44."""
        return any(not f.scale.mantissa_bits for f in self.formats)

    @property
    def normal_exponent_offset(self) -> int:
        """Biased float32 exponent of a term whose top bit is set and whose scales' exponent fields are 0."""
        return 127 - self.exponent_offset + self.term_bits - 1

    @property
    def normal_exponent_bits(self) -> int:
        """Width of a normalised term's biased exponent: float32's own 8 bits, or signed and wide enough for E8M0."""
        if not self.beyond_float32:
            return 8
        lowest = self.normal_exponent_offset - (self.term_bits - 1)
        return 1 + bits_for(max(self.normal_exponent_offset + self.exponent_max, -lowest))

    @property
    def loop_stages(self) -> int:
        """Cycles from a term to its sum, after which the next one may come: with a float32 accumulator `FLOAT32_STEPS`,
        or otherwise 2, where a block leaves longer for each of its terms; with an exact one as many as it has words."""
        if self.exact:
            return self.words
        cycles = self.beats_per_block // self.sign_pairs
        # One cycle more clears the accumulator of a dot product.
        return FLOAT32_STEPS if cycles > FLOAT32_STEPS else min(2, cycles)

    @property
    def float32_steps(self) -> bool:
        """Whether the float32 accumulator shifts by a place a cycle."""
        return not self.exact and self.loop_stages == FLOAT32_STEPS

    @property
    def normalise_stage(self) -> bool:
        """Whether a term is registered before it is normalised; without scale significands there is no
        multiplication to separate."""
        return not self.exact and self.scale_significand_max > 1

    # -- ports -------------------------------------------------------------------------------------------------

    @property
    def beat_layout(self) -> data.StructLayout:
        """An input beat, from bit 0: codes of lane 0 first, the scales (positive first) of the block that begins,
        and whether the dot product ends with this block (looked at in the block's last beat). A format with halved
        sides has two bits more behind its scale: positive side halved, negative side halved."""
        a, w = self.formats
        return data.StructLayout(
            {
                "a_codes": data.ArrayLayout(4, self.lanes),
                "w_codes": data.ArrayLayout(4, self.lanes),
                "a_scales": scales_layout(a),
                **({"a_halved": 2} if a.halving else {}),
                "w_scales": scales_layout(w),
                **({"w_halved": 2} if w.halving else {}),
                "last": 1,
            }
        )

    @property
    def result_layout(self) -> data.StructLayout:
        """A result, from bit 0: the float32's bits; NaN; overflow (of the exact accumulator, or to infinity)."""
        return data.StructLayout({"value": 32, "nan": 1, "overflow": 1})

    # -- timing ------------------------------------------------------------------------------------------------

    @property
    def latency(self) -> int:
        """Cycles from the edge that takes a dot product's last beat to its result, stalled cycles not counted.

        Front registers, block sums (or a direct product), the turns, then the exact path: scaled term, accumulator,
        rounder; or the float32 path: scaled term, normalised term, the addition's stages.
        """
        front = 1 + (0 if self.direct else self.front_registers or 0)
        waiting = (self.turns - 1) * self.loop_stages + self.digits - 1 + self.places + self.placed
        tail = 1 + self.words + self.round_cycles if self.exact else 1 + self.normalise_stage + self.loop_stages
        return front + waiting + tail

    @property
    def name(self) -> str:
        """A name for files and Verilog modules that no other config shares."""
        parts = ["mac", self.activation, "x", self.weight, f"l{self.lanes}", str(self.accumulator)]
        parts += [f"k{self.block_size}"] if self.block_size != 32 else []
        parts += (
            [f"b{self.accumulator_bits}"]
            if self.exact and self.accumulator_bits != self.default_accumulator_bits
            else []
        )
        plain = MacConfig(self.activation, self.weight, self.block_size, self.lanes, self.accumulator)
        parts += [f"f{self.front_registers}"] if self.front_registers != plain.front_registers else []
        return "_".join(parts).lower().replace("-", "")

    def as_dict(self) -> dict[str, object]:
        """The config's own fields, for a manifest."""
        return {f.name: getattr(self, f.name) for f in fields(self)}
