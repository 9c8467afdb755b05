"""A MAC unit's config: one frozen description of what is asked for. Its plan (`plan.py`) says what is built."""

from dataclasses import dataclass, field, fields
from functools import cached_property

from amaranth.lib import data
from amaranth.utils import bits_for

from amxfp4.errors import UsageError, shown
from amxfp4.golden.formats import BlockFormat, block_format
from amxfp4.hw.arith.round import RESULT_LAYOUT
from amxfp4.hw.config import BLOCK_SIZES, CHOSEN, check_geometry, check_one_of, scale_fields
from amxfp4.hw.mac.acc_exact import CAPACITY
from amxfp4.hw.mac.plan import MacPlan, choose_plan
from amxfp4.hw.mac.products import Products
from amxfp4.hw.mac.scale import Scales
from amxfp4.hw.mac.term_direct import Direct
from amxfp4.hw.mac.window import DEFAULT_BITS, DEFAULT_EXPONENT, EXPONENT_AND_BITS_MAX, MAX_BITS, MIN_EXPONENT

ACCUMULATORS = ("exact", "fp32", "window")

MAX_ACCUMULATOR_BITS = 128
"""The widest exact accumulator: wider ones are beyond this project's tests."""


@dataclass(frozen=True)
class MacConfig:
    """A multiply-accumulate unit: formats, geometry, accumulator and pipeline.

    Attributes:
        activation, weight: names of block formats, e.g. "AMXFP4" or "MXFP4-E5M2"; any pair. A name may say the block
            size: "AMXFP4-Z8/16".
        block_size: elements per block: a power of two, 8 .. 128. None takes what the formats say, which is a name's
            block size or else the format's default; of two that differ the smaller one, as the larger block then counts
            as several with the same scales, which the stream repeats.
        lanes: element pairs per beat: 1, 2, 4, 8, 16 or 32, at most `block_size`.
        accumulator: "exact" (fixed point, FP8 scales on both sides), "fp32" (rounded after every term, `lanes` at most
            `block_size` / `sign_pairs`) or "window" (fixed point over a window of exponents, E8M0 scales on either
            side). None takes "exact" where it is possible, otherwise "fp32".
        accumulator_bits: width of a fixed-point accumulator, two's complement; None takes `default_accumulator_bits`. A
            float32 accumulator has None.
        window_exponent: weight of the least bit of a windowed accumulator, as a power of two; None takes -32. The other
            accumulators have None.
        front_registers: register ranks between the adder tree and the block sums, 0 or 1. None takes 1 for 8 lanes or
            more, as their adder tree would otherwise be the longest path, and 0 where a beat is a whole block, as
            nothing is then added to a beat's sum. A unit that adds products directly has no block sums and takes only
            0.

    Raises:
        UsageError: anything that cannot be built.
    """

    activation: str = field(default="AMXFP4", metadata={"help": "Block format of the activations."})
    weight: str = field(
        default="AMXFP4", metadata={"help": "Block format of the weights (default: that of the activations)."}
    )
    block_size: int = field(
        default=CHOSEN,
        metadata={"help": "Elements per block: a power of two, 8 to 128 (default: what the formats say)."},
    )
    lanes: int = field(default=8, metadata={"help": "Element pairs per beat: 1, 2, 4, 8, 16 or 32."})
    accumulator: str = field(
        default=CHOSEN,
        metadata={"help": 'Accumulator: "exact" (default where both scales are FP8), "fp32" or "window".'},
    )
    accumulator_bits: int | None = field(
        default=None,
        metadata={
            "help": "Width of an exact accumulator (default: room for 2^24 worst-case products) or a window (54)."
        },
    )
    front_registers: int = field(
        default=CHOSEN, metadata={"help": "Register ranks between the adder tree and the block sums, 0 or 1."}
    )
    window_exponent: int | None = field(
        default=None,
        metadata={"help": "Weight of a window's least bit, as a power of two (default: -32)."},
    )

    def __post_init__(self) -> None:
        self._choose_block_size()
        check_geometry(self.block_size, self.lanes)
        self._choose_accumulator()
        self._choose_accumulator_bits()
        self._choose_window_exponent()
        self._choose_front_registers()

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _choose_block_size(self) -> None:
        """Takes the block sizes out of the formats' names, so that equal units have equal configs."""
        if self.block_size is not None:
            check_one_of("block_size", self.block_size, BLOCK_SIZES)
        formats = [block_format(name, self.block_size) for name in (self.activation, self.weight)]
        self._set("block_size", min(fmt.block_size for fmt in formats))
        for side, fmt in zip(("activation", "weight"), formats, strict=True):
            self._set(side, fmt.name)

    def _choose_accumulator(self) -> None:
        fp8 = all(f.scale.is_fp8 for f in self.formats)
        if self.accumulator is None:
            self._set("accumulator", "exact" if fp8 else "fp32")
        check_one_of("accumulator", self.accumulator, ACCUMULATORS)
        if self.accumulator == "exact" and not fp8:
            raise UsageError(
                f"accumulator is 'exact' for {self.activation} x {self.weight}; E8M0 scales would need some 540 bits, "
                f"so only FP8 scales on both sides are allowed: take 'fp32' or 'window'"
            )
        if self.accumulator == "window" and fp8:
            raise UsageError(
                f"accumulator is 'window' for {self.activation} x {self.weight}; FP8 scales on both sides fit an exact "
                f"accumulator, so a window is allowed with E8M0 scales on either side only: take 'exact' or 'fp32'"
            )
        if self.accumulator == "fp32" and self.lanes * self.sign_pairs > self.block_size:
            raise UsageError(
                f"lanes is {self.lanes} with accumulator 'fp32'; {self.activation} x {self.weight} gives "
                f"{self.sign_pairs} terms a block of {self.block_size} and one is added a cycle, "
                f"so at most {self.block_size // self.sign_pairs} lanes are allowed"
            )

    def _choose_accumulator_bits(self) -> None:
        if self.accumulator == "fp32":
            if self.accumulator_bits is not None:
                raise UsageError(
                    f"accumulator_bits is {shown(self.accumulator_bits)}; with accumulator 'fp32' it is not allowed"
                )
            return
        if self.accumulator_bits is None:
            self._set("accumulator_bits", self.default_accumulator_bits)
        low, high = self.least_accumulator_bits, MAX_ACCUMULATOR_BITS if self.exact else MAX_BITS
        if type(self.accumulator_bits) is not int or not low <= self.accumulator_bits <= high:
            raise UsageError(
                f"accumulator_bits is {shown(self.accumulator_bits)}; "
                f"allowed are {low} (one worst-case block) to {high}"
            )

    def _choose_window_exponent(self) -> None:
        if not self.windowed:
            if self.window_exponent is not None:
                raise UsageError(
                    f"window_exponent is {shown(self.window_exponent)}; "
                    f"with accumulator {self.accumulator!r} it is not allowed"
                )
            return
        if self.window_exponent is None:
            self._set("window_exponent", DEFAULT_EXPONENT)
        assert self.accumulator_bits is not None
        low, high = MIN_EXPONENT, EXPONENT_AND_BITS_MAX - self.accumulator_bits
        if type(self.window_exponent) is not int or not low <= self.window_exponent <= high:
            raise UsageError(f"window_exponent is {shown(self.window_exponent)}; allowed are {low} to {high}")

    def _choose_front_registers(self) -> None:
        if self.front_registers is None:
            self._set("front_registers", int(self.lanes >= 8 and self.beats_per_block > 1))
        check_one_of("front_registers", self.front_registers, (0, 1))
        if self.front_registers and Direct.fits(self._products, self.exact):
            raise UsageError(
                f"front_registers is {self.front_registers}; {self.activation} x {self.weight} with one lane and an "
                f"exact accumulator has no block sums to register, so only 0 is allowed"
            )

    # -- what is asked ---------------------------------------------------------------------------------------------

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
        """Whether the accumulator is exact."""
        return self.accumulator == "exact"

    @property
    def windowed(self) -> bool:
        """Whether the accumulator is fixed point over a window of exponents."""
        return self.accumulator == "window"

    @property
    def fixed_point(self) -> bool:
        """Whether the accumulator is fixed point, exact or over a window, and so has a width."""
        return self.exact or self.windowed

    @property
    def beats_per_block(self) -> int:
        return self.block_size // self.lanes

    @property
    def sign_pairs(self) -> int:
        """Sums per block: one for each sign of each asymmetric operand, as its scale depends on that sign."""
        a, w = self.formats
        return a.scales_per_block * w.scales_per_block

    # -- a fixed-point accumulator -------------------------------------------------------------------------------------

    @cached_property
    def _products(self) -> Products:
        return Products(self.activation_format, self.weight_format, self.lanes)

    @property
    def lsb_exponent(self) -> int:
        """Weight of the accumulator's least bit, as a power of two: of an exact one -34 for E5M2 x E5M2."""
        return Scales(self._products).least_exponent if self.window_exponent is None else self.window_exponent

    @property
    def block_max(self) -> int:
        """The largest |dot product of one block pair|, in units of the accumulator's least bit.

        With a window it is that of scales whose product is the smallest of which the window keeps every bit.
        """
        if self.windowed:
            return self._products.largest * Scales(self._products).significand_max * self.block_size
        return Scales(self._products).product_max * self.block_size

    @property
    def least_accumulator_bits(self) -> int:
        """The narrowest fixed-point accumulator: sign and room for one worst-case block."""
        return 1 + bits_for(self.block_max)

    @property
    def default_accumulator_bits(self) -> int:
        """Sign and room for 2^24 worst-case products: 96 for E5M2 x E5M2. A window has 54 bits."""
        if self.windowed:
            return DEFAULT_BITS
        return 1 + bits_for(Scales(self._products).product_max * CAPACITY)

    # -- what is built ---------------------------------------------------------------------------------------------

    @cached_property
    def plan(self) -> MacPlan:
        """What is built for this config, and why."""
        return choose_plan(
            self._products, self.block_size, self.accumulator_bits, self.front_registers, self.window_exponent
        )

    @property
    def latency(self) -> int:
        """Cycles from the edge that takes a dot product's last beat to its result, stalled cycles not counted."""
        return self.plan.latency

    # -- ports -----------------------------------------------------------------------------------------------------

    @property
    def beat_layout(self) -> data.StructLayout:
        """An input beat, from bit 0.

        | field | content | looked at in |
        |---|---|---|
        | `a_codes`, `w_codes` | element codes, lane 0 first | every beat |
        | `a_scales`, `w_scales` | scales of the block, positive first | the block's first beat |
        | `a_halved`, `w_halved` | positive side halved, negative side halved | the block's first beat |
        | `a_special`, `w_special` | special value is negative; it is the second one | the block's first beat |
        | `last` | the dot product ends with this block | the block's last beat |

        Only operands with halved sides have `a_halved` or `w_halved`, and only operands with special values `a_special`
        or `w_special`, which has one bit per special value. The field follows that operand's scales.
        """
        a, w = self.formats
        return data.StructLayout(
            {
                "a_codes": data.ArrayLayout(4, self.lanes),
                "w_codes": data.ArrayLayout(4, self.lanes),
                **scale_fields(a, "a_"),
                **scale_fields(w, "w_"),
                "last": 1,
            }
        )

    @property
    def result_layout(self) -> data.StructLayout:
        """See `RESULT_LAYOUT`: value, nan, overflow."""
        return RESULT_LAYOUT

    # -- names -----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """A name for files and Verilog modules that no other config shares."""
        parts = ["mac", self.activation, "x", self.weight, f"l{self.lanes}", self.accumulator]
        usual = min(f.default_block_size for f in self.formats)
        parts += [f"k{self.block_size}"] if self.block_size != usual else []
        resized = self.fixed_point and self.accumulator_bits != self.default_accumulator_bits
        parts += [f"b{self.accumulator_bits}"] if resized else []
        if self.window_exponent not in (None, DEFAULT_EXPONENT):
            parts += [f"e{self.window_exponent}".replace("-", "m")]
        plain = MacConfig(self.activation, self.weight, self.block_size, self.lanes, self.accumulator)
        parts += [f"f{self.front_registers}"] if self.front_registers != plain.front_registers else []
        return "_".join(parts).lower().replace("-", "")

    def as_dict(self) -> dict[str, object]:
        """The config's own fields, for a manifest."""
        return {f.name: getattr(self, f.name) for f in fields(self)}
