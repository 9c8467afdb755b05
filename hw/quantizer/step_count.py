"""How many ascending thresholds a magnitude meets, where the fractions of thresholds repeat from binade to binade.

These are thresholds of FP8 scale codes. In each binade of normal codes the thresholds have the same fractions. So the
count has two parts: the exponent less a constant, above the number of fractions met. The few binades of subnormal codes
have lists of their own, and in the last binade the count stops at the number of thresholds.
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.utils import bits_for

from amxfp4.hw.arith.compare import at_least, thermometer_count
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.thresholds import Step


def count_met(m: Module, config: QuantizerConfig, steps: Sequence[Step], maximum: Value) -> Signal:
    """How many of a config's `steps` a maximum meets.

    Args:
        steps: as in `count_steps`.
        maximum: the held exponent, above a fraction as wide as the fractions of `steps`.
    """
    fraction_bits = len(maximum) - config.exponent_bits
    return count_steps(
        m,
        steps,
        maximum[:fraction_bits],
        maximum[fraction_bits:],
        window_bias=config.window_bias,
        mantissa_bits=config.block_format.scale.mantissa_bits,
    )


def count_steps(
    m: Module, steps: Sequence[Step], fraction: Value, exponent: Value, *, window_bias: int, mantissa_bits: int
) -> Signal:
    """The number of `steps` that a magnitude meets, `bits_for(len(steps))` bits wide.

    Args:
        steps: ascending, one for each scale code from 1 on.
        fraction: of the magnitude, as wide as the fractions of `steps`.
        exponent: of the magnitude, as held.
        window_bias: held exponent field of 2^0.
        mantissa_bits: of the scale.
    """
    octave = 1 << mantissa_bits
    binades: dict[int, list[int]] = {}
    for step in steps:
        binades.setdefault(step.exponent, []).append(step.fraction)
    below = {e: sum(step.exponent < e for step in steps) for e in binades}  # count at the binade's lowest magnitudes
    # Codes are normal from the first binade whose list equals that of the last whole binade.
    regular = max(binades) - 1
    first = min(e for e in binades if all(binades[x] == binades[regular] for x in range(e, regular + 1)))
    met = {
        t: at_least(fraction, Const(t, len(fraction)))
        for t in sorted({t for fractions in binades.values() for t in fractions})
    }

    # In the regular binades, count - fractions met is linear in the exponent. Its constant, as field and mantissa:
    field, mantissa = divmod(below[first] - (first + window_bias) * octave, octave)
    regular_count = Signal(len(exponent) + 1 + mantissa_bits)
    low = Signal(mantissa_bits + 1)
    count = Signal(bits_for(len(steps)))
    m.d.comb += [
        low.eq(mantissa + thermometer_count([met[t] for t in binades[regular]])),
        regular_count.eq(Cat(low[:-1], (exponent + low[-1] + field)[: len(exponent) + 1])),
        count.eq(Mux(regular_count > len(steps), len(steps), regular_count[: len(count)])),
    ]
    with m.If(exponent < first + window_bias):
        m.d.comb += count.eq(0)
        with m.Switch(exponent):
            for e in range(min(binades), first):
                here = [met[t] for t in binades.get(e, [])]
                base = sum(step.exponent < e for step in steps)
                with m.Case(e + window_bias):
                    m.d.comb += count.eq(base + thermometer_count(here))
    return count
