"""A quantiser's config: one frozen description from which every width, stage and port is derived."""

from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cached_property

from amaranth.lib import data
from amaranth.utils import bits_for

from amxfp4.errors import UsageError
from amxfp4.golden.formats import ROUNDINGS, BlockFormat, Rounding, block_format
from amxfp4.golden.scale_rules import ScaleRule, resolve_rule
from amxfp4.hw.config import BLOCK_SIZES, CHOSEN, check_geometry, check_one_of, scale_fields
from amxfp4.hw.mac.scale import largest_significand
from amxfp4.hw.quantizer.special_steps import special_fractions
from amxfp4.hw.quantizer.thresholds import (
    Step,
    crowding_steps,
    element_steps,
    halving_steps,
    least_element,
    scale_steps,
)

INPUTS = ("bfloat16", "float32")
EXPONENT_BITS = 8  # of bfloat16 and float32 alike
BIAS = 127


@dataclass(frozen=True)
class QuantizerConfig:
    """A quantiser: format, geometry, input and rounding.

    Attributes:
        format: name of a block format, e.g. "AMXFP4" or "MXFP4-E5M2".
            The name may carry the block size: "AMXFP4-Z8/16".
        block_size: elements per block: a power of two, 8 .. 128. None takes the one in the name, otherwise the
            format's default.
        lanes: elements per beat: 1, 2, 4, 8, 16 or 32, at most `block_size`.
        input: the format of the floats that come in: "bfloat16" or "float32".
        rounding: where ties go, of FP8 scales and of elements: "nearest-away" or "nearest-even". None takes the
            format's default.
        maximum_registers: register ranks between the maxima of a beat and the scales, 0 or 1. A rank takes the choice
            of scales out of the longest path, but one more beat has to be held. None takes 1 for FP8 scales and 8
            lanes or more, where both the search for the maxima and the choice of scales are deep, and for special
            values, where the rank is that of the largest maxima so far. An E8M0 scale takes next to no logic to choose.
        rule: how a scale follows from a block's maximum. E8M0 scales: "floor", "even" or "ceil"; FP8 scales: "nearest".
            None takes "floor" or "nearest". `golden/scale_rules.py` says what they are.
        tensor_scale: whether each beat brings the reciprocal of a tensor's scale, which its elements are multiplied by
            first, as `golden/tensor_scale.py` has it. Only with FP8 scales. None takes what the format says: NVFP4 has
            it, others do not.

    Raises:
        UsageError: anything that cannot be built.
    """

    format: str = field(default="AMXFP4", metadata={"help": "Block format that floats are quantised to."})
    block_size: int = field(
        default=CHOSEN,
        metadata={"help": "Elements per block: a power of two, 8 to 128 (default: what the format says)."},
    )
    lanes: int = field(default=8, metadata={"help": "Elements per beat: 1, 2, 4, 8, 16 or 32."})
    input: str = field(default="bfloat16", metadata={"help": 'Floats that come in: "bfloat16" or "float32".'})
    rounding: Rounding = field(
        default=CHOSEN,
        metadata={
            "help": 'What ties do when quantising: "nearest-away" or "nearest-even" (default: what the format says).'
        },
    )
    maximum_registers: int = field(
        default=CHOSEN, metadata={"help": "Register ranks between the maxima of a beat and the scales, 0 or 1."}
    )
    rule: ScaleRule = field(
        default=CHOSEN,
        metadata={
            "help": 'How scales follow from maxima: E8M0 "floor" (the default), "even" or "ceil"; FP8 "nearest".'
        },
    )

    tensor_scale: bool = field(
        default=CHOSEN,
        metadata={
            "help": "Whether elements are multiplied by a tensor's reciprocal scale first (default: NVFP4 alone)."
        },
    )

    def __post_init__(self) -> None:
        if self.block_size is not None:
            check_one_of("block_size", self.block_size, BLOCK_SIZES)
        fmt = block_format(self.format, self.block_size)
        object.__setattr__(self, "format", fmt.name)
        object.__setattr__(self, "block_size", fmt.block_size)
        check_geometry(self.block_size, self.lanes)
        if self.rounding is None:
            object.__setattr__(self, "rounding", fmt.ties)
        check_one_of("input", self.input, INPUTS)
        check_one_of("rounding", self.rounding, ROUNDINGS)
        if self.maximum_registers is None:
            object.__setattr__(self, "maximum_registers", int(self.fp8 and (self.lanes >= 8 or bool(self.specials))))
        check_one_of("maximum_registers", self.maximum_registers, (0, 1))
        object.__setattr__(self, "rule", resolve_rule(self.rule, self.block_format))
        if self.rule == "four-over-six":
            raise UsageError(f"rule is 'four-over-six'; a quantiser of {self.format} has only the rule nearest")
        if self.tensor_scale is None:
            object.__setattr__(self, "tensor_scale", fmt.tensor_scaled)
        check_one_of("tensor_scale", self.tensor_scale, (False, True))
        if self.tensor_scale and not self.fp8:
            raise UsageError(
                f"tensor_scale is True; {self.format} allows only False, as its scales reach every float32"
            )

    # -- formats ----------------------------------------------------------------------------------------------------

    @cached_property
    def block_format(self) -> BlockFormat:
        return block_format(self.format, self.block_size)

    @property
    def fp8(self) -> bool:
        """Whether scales are FP8, with significands of their own; E8M0 scales are powers of two."""
        return self.block_format.scale.is_fp8

    @property
    def asymmetric(self) -> bool:
        """Whether each side has a scale of its own."""
        return self.block_format.asymmetric

    @property
    def halving(self) -> bool:
        """Whether a side may have half the block's scale."""
        return self.block_format.halving

    @property
    def specials(self) -> tuple[int, ...]:
        """The magnitudes beyond 6 that an element may have: none, 8, or 8 and 12."""
        return self.block_format.specials

    @property
    def second_special(self) -> bool:
        """Whether there is a choice of two special values."""
        return len(self.specials) > 1

    @property
    def sides(self) -> int:
        """Maxima per block: 2 (of the positive and the negative elements) or 1 (of all)."""
        return 1 + self.block_format.two_sided

    @property
    def scales(self) -> int:
        """Scales per block: 2 (positive, negative) or 1."""
        return self.block_format.scales_per_block

    @property
    def ties_to_even(self) -> bool:
        return self.rounding == "nearest-even"

    @property
    def rounds_up(self) -> bool:
        """Whether a maximum may take the E8M0 scale above that of its exponent."""
        return self.rule in ("even", "ceil")

    @property
    def entrance_registers(self) -> int:
        """Register ranks behind the narrowed elements: 1 where they are products, otherwise 0."""
        return int(self.tensor_scale)

    # -- geometry ---------------------------------------------------------------------------------------------------

    @property
    def beats_per_block(self) -> int:
        return self.block_size // self.lanes

    @property
    def held_beats(self) -> int:
        """Beats of narrowed elements that are held: a whole block, and the beats that arrive before its scales are
        known."""
        return self.beats_per_block + self.maximum_registers

    # -- numbers ----------------------------------------------------------------------------------------------------

    @property
    def float_bits(self) -> int:
        """Width of an input element: 16 or 32."""
        return {"bfloat16": 16, "float32": 32}[self.input]

    @property
    def input_fraction_bits(self) -> int:
        """Fraction bits of an input element: 7 or 23."""
        return self.float_bits - 1 - EXPONENT_BITS

    @property
    def kept_fraction_bits(self) -> int:
        """Fraction bits that a comparison can depend on.

        The thresholds' significands decide, as no threshold has more bits than this below its leading one:

        | scale | thresholds: significands up to | kept bits |
        |---|---|---|
        | E5M2 | 7 x 7 = 49 and 3 x 15 = 45 | 5 |
        | E4M3, UE5M3 | 7 x 15 = 105 and 3 x 31 = 93 | 6 |
        | E8M0 | 7 | 2, and 1 more for subnormals |

        For FP8 scales an element is compared with at most 7 times a scale's significand, a maximum with 6 times the
        midpoint of two scales. Whether a side may be halved is a comparison with 7 times a significand too. For E8M0 a
        subnormal input has no leading one, and its least threshold is 2^-127 / 4, the third bit of its fraction.
        """
        scale = self.block_format.scale
        if not self.fp8:
            return bits_for(7)
        largest = largest_significand(scale)
        return max(bits_for(7 * largest), bits_for(3 * (2 * largest + 1))) - 1

    @property
    def fraction_bits(self) -> int:
        """Fraction bits held: the kept ones, and with ties to even a sticky bit: something non-zero was below them."""
        return self.kept_fraction_bits + self.ties_to_even

    @property
    def exponent_bits(self) -> int:
        """Exponent bits held.

        E8M0 scales need all 8. FP8 scales need a window around 2^0 that reaches beyond every threshold on both sides:

        | scale | bits | window | thresholds |
        |---|---|---|---|
        | E5M2 | 6 | 2^-31 .. 2^32 | 2^-18 .. 2^18 |
        | E4M3 | 5 | 2^-15 .. 2^16 | 2^-11 .. 2^11 |
        """
        if not self.fp8:
            return EXPONENT_BITS
        steps = (*self.scale_steps, *(self.special_steps if self.specials else ()))
        lowest = min(step.exponent for step in steps)
        highest = max(step.exponent for step in steps) + self.second_special
        scale = self.block_format.scale
        # The least element threshold is a quarter of the least scale, or of half that scale. The greatest is 5 times
        # the largest scale. It lies in the binade of the greatest scale threshold, which is 6 times almost that scale.
        lowest = min(lowest, scale.least_exponent - 2 - self.halving)
        bits = 1
        while not (1 - (1 << (bits - 1)) < lowest and highest < 1 << (bits - 1)):
            bits += 1
        return bits

    @property
    def window_bias(self) -> int:
        """Held exponent field of 2^0.

        E8M0 holds the float's own field. For FP8 scales the window begins at float field 128 - 2^(bits - 1), so that
        the top bits of a field tell whether it lies in the window.
        """
        return BIAS if not self.fp8 else BIAS - 128 + (1 << (self.exponent_bits - 1))

    @property
    def maximum_sticky(self) -> int:
        """Sticky bits that a maximum has beyond a held magnitude: 0 or 1.

        A side that equals the limit is halved, and a side that exceeds it is not. So a maximum must show that it
        exceeds the limit even by less than the kept bits. With ties to even, held magnitudes have a sticky bit anyway.
        """
        return int(self.halving and not self.ties_to_even)

    @property
    def maximum_fraction_bits(self) -> int:
        return self.fraction_bits + self.maximum_sticky

    @property
    def maximum_bits(self) -> int:
        """Width of the values whose maximum is found.

        These are magnitudes. For an E8M0 scale they are exponents alone, and where it may be the scale above, one bit
        below them, see `power_rule.reaches`.
        """
        return self.exponent_bits + (self.maximum_fraction_bits if self.fp8 else self.rounds_up)

    @cached_property
    def scale_steps(self) -> tuple[Step, ...]:
        """For an FP8 scale: the least maximum of a block that takes scale code 1, 2, ...

        With two special values these are also the thresholds of half a maximum that is divided by 12. As no such
        maximum gives scale 0, code 1 begins at half of `least_element`. A smaller side that these thresholds are for
        is larger than that in any case.
        """
        scale = self.block_format.scale
        least = least_element(scale) / 2 if self.second_special else None
        return scale_steps(scale, self.ties_to_even, self.kept_fraction_bits, least=least)

    @cached_property
    def special_steps(self) -> tuple[Step, ...]:
        """With special values: the least maximum of the larger side that takes scale code 1, 2, ..., divided by 8."""
        scale = self.block_format.scale
        least = least_element(scale)
        return scale_steps(scale, self.ties_to_even, self.kept_fraction_bits, self.specials[0], least)

    @cached_property
    def crowding_steps(self) -> tuple[Step, ...]:
        """With special values: the least maximum of the smaller side that crowds a block under scale code 1, 2, ..."""
        return crowding_steps(self.block_format.scale, self.ties_to_even, self.kept_fraction_bits)

    @cached_property
    def halving_steps(self) -> tuple[Step, ...]:
        """The least maximum of a side that is too large to be halved under scale code 1, 2, ..."""
        return halving_steps(self.block_format.scale, self.kept_fraction_bits)

    @cached_property
    def special_fractions(self) -> tuple[int | None, ...]:
        """With two special values: for each mantissa the fraction from which on an element is 12."""
        return special_fractions(self.block_format.scale, self.kept_fraction_bits)

    @cached_property
    def element_steps(self) -> tuple[tuple[Step, ...], ...]:
        """For each mantissa: the least magnitudes that take the element codes 1 .. 7 under the scale 1.mantissa."""
        bits = self.block_format.scale.mantissa_bits
        significands = (1 + Fraction(mantissa, 1 << bits) for mantissa in range(1 << bits))
        return tuple(element_steps(s, self.ties_to_even, self.kept_fraction_bits) for s in significands)

    # -- ports ------------------------------------------------------------------------------------------------------

    @property
    def beat_layout(self) -> data.StructLayout:
        """An input beat, from bit 0.

        | field | content | read in |
        |---|---|---|
        | `elements` | the bits of the floats, lane 0 first | every beat |
        | `reciprocal` | float32(1 / the tensor's scale), positive; only with `tensor_scale` | every beat |
        | `last` | a row (a dot product's operand) ends with this block | the block's last beat |

        All beats of a tensor have the same `reciprocal`.
        """
        reciprocal = {"reciprocal": 32} if self.tensor_scale else {}
        return data.StructLayout({"elements": data.ArrayLayout(self.float_bits, self.lanes), **reciprocal, "last": 1})

    @property
    def output_layout(self) -> data.StructLayout:
        """An output beat, from bit 0.

        | field | content | valid in |
        |---|---|---|
        | `codes` | element codes, lane 0 first | every beat |
        | `scales` | the block's scales, positive first | the block's first beat |
        | `halved` | positive side halved, negative side halved; only in formats with halved sides | as `scales` |
        | `special` | the special value is negative, and it is 12; only in formats with special values | as `scales` |
        | `last` | the block ends a row | the block's last beat |

        In other beats a field holds arbitrary bits.
        """
        return data.StructLayout(
            {
                "codes": data.ArrayLayout(4, self.lanes),
                **scale_fields(self.block_format),
                "last": 1,
            }
        )

    @property
    def element_layout(self) -> data.StructLayout:
        """A held element: magnitude and sign. The exponent stands above the fraction, so that magnitudes compare as
        integers."""
        return data.StructLayout({"fraction": self.fraction_bits, "exponent": self.exponent_bits, "negative": 1})

    # -- timing -----------------------------------------------------------------------------------------------------

    @property
    def drain(self) -> int:
        """Cycles from the edge that takes a block's last beat to the block's first output beat.

        One cycle registers the scales, one the codes, one the maxima where `maximum_registers` is 1, and one the
        elements where they are products. The block's other beats follow, one per cycle. Stalled cycles are not counted.
        """
        return 2 + self.maximum_registers + self.entrance_registers

    @property
    def latency(self) -> int:
        """Cycles from a beat to the same beat quantised, where its block arrives without gaps.

        These are the rest of the block, and `drain`. Stalled cycles are not counted.
        """
        return self.beats_per_block - 1 + self.drain

    @property
    def name(self) -> str:
        """A name for files and Verilog modules that no other config shares."""
        fmt = self.block_format
        parts = ["quantizer", self.format, f"l{self.lanes}", {"bfloat16": "bf16", "float32": "fp32"}[self.input]]
        plain = QuantizerConfig(self.format, lanes=min(self.lanes, fmt.default_block_size), input=self.input)
        if self.rounding != fmt.ties:
            parts.append("even" if self.ties_to_even else "away")
        parts += [f"k{self.block_size}"] if self.block_size != fmt.default_block_size else []
        parts += [f"{self.rule}scale"] if self.rounds_up else []
        if self.tensor_scale != fmt.tensor_scaled:
            parts.append("ts" if self.tensor_scale else "nots")
        parts += [f"m{self.maximum_registers}"] if self.maximum_registers != plain.maximum_registers else []
        return "_".join(parts).lower().replace("-", "")

    def as_dict(self) -> dict[str, object]:
        """The config's own fields, for a manifest."""
        return {f.name: getattr(self, f.name) for f in fields(self)}
