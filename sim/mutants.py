"""Shows that the benches catch faults: breaks the RTL in one place at a time and runs the bench on it.

    python -m amxfp4.sim.mutants            all of them
    python -m amxfp4.sim.mutants --only nan those whose name contains a word

A mutant is a textual change of the Amaranth source, elaborated from a copy. A text that is not found exactly once is
an error: the source has moved on and the mutant must follow it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import amxfp4.hw
from amxfp4.errors import UsageError
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.config import MacConfig
from amxfp4.hw.generate import unit_verilog
from amxfp4.hw.quantizer_config import QuantizerConfig
from amxfp4.hw.units import Config, unit_of
from amxfp4.sim.matrix import narrowest
from amxfp4.sim.run import DEFAULT_SEED, BenchOptions, quiet, run_bench

SOURCE = Path(amxfp4.hw.__path__[0])
"""The folder `hw/`."""

BEATS = 800

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
CHAIN = ChainConfig("MXFP4", "MXFP4", lanes=4)
POWERS_QUANTIZER = QuantizerConfig("MXFP4", lanes=4, input="float32", rounding="nearest-even")


class StaleMutant(RuntimeError):
    """A mutant's text is not in the source exactly once, or its change has no effect on the Verilog."""


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


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        mutant: which.
        caught_by: the first test that failed on it; None when it survived.
        found: the first lines of that test's report.
        error: why it could not be run; None when it was.
    """

    mutant: Mutant
    caught_by: str | None
    found: str
    error: str | None

    @property
    def good(self) -> bool:
        return self.caught_by is not None and self.error is None


def made(name: str, config: Config, *changes: tuple[str, str, str]) -> Mutant:
    """A mutant from (file, old, new) triples."""
    return Mutant(name, config, tuple(Change(*change) for change in changes))


MUTANTS = (
    # Sums and products.
    made(
        "a carry dropped in the exact accumulator",
        EXACT,
        ("exact.py", "total.eq(row0 + row1)", "total.eq(Cat((row0[:40] + row1[:40])[:40], row0[40:] + row1[40:]))"),
    ),
    made(
        "a carry dropped in the block sums",
        BASELINE,
        ("blocks.py", "total.eq(row0 + row1)", "total.eq(Cat((row0[:6] + row1[:6])[:6], row0[6:] + row1[6:]))"),
    ),
    made(
        "an element shifted one place too far",
        EXACT,
        ("element.py", "one, two = code[2] & ~code[1],", "one, two = code[2] & ~code[0],"),
    ),
    made(
        "a subnormal element with a hidden bit",
        EXACT,
        ("element.py", "Cat(code[0], code[1] | code[2])", "Cat(code[0], code[0] | code[1] | code[2])"),
    ),
    made(
        "one sign pair adds where it subtracts",
        EXACT,
        ("config.py", "self.sign_pairs == 4 and index in (1, 2)", "self.sign_pairs == 4 and index == 1"),
    ),
    made(
        "the lanes that do not join are lost",
        EXACT,
        ("sums.py", "self.classes(lane + 1)[index] & ~same", "self.classes(lane + 1)[index] & same"),
    ),
    made(
        "sums of later turns are not held",
        EXACT,
        ("blocks.py", "with m.If(self.turn[0]):", "with m.If(self.turn.any()):"),
    ),
    # Scales.
    made(
        "positive and negative scale swapped",
        EXACT,
        ("scale.py", "Mux(negative, scales[1], scales[0])", "Mux(negative, scales[0], scales[1])"),
    ),
    made(
        "activation and weight sides swapped",
        FLOAT,
        ("mac.py", "return sides[0], sides[1]", "return sides[1], sides[0]"),
    ),
    made(
        "a subnormal scale with a hidden bit",
        EXACT,
        ("scale.py", "Cat(mantissa, ~subnormal)", "Cat(mantissa, Const(1, 1))"),
    ),
    made(
        "a subnormal scale one binade too low",
        EXACT,
        ("scale.py", "Cat(field[0] | subnormal, field[1:])", "field"),
    ),
    made(
        "scales taken from every beat",
        EXACT,
        ("mac.py", "begins = beat.valid & beat.first\n", "begins = beat.valid\n"),
    ),
    made(
        "halved sides swapped",
        HALVING,
        ("element.py", "Mux(code[3], halved[1], halved[0])", "Mux(code[3], halved[0], halved[1])"),
    ),
    # NaN and overflow.
    made(
        "only one of the NaN codes is NaN",
        EXACT,
        ("scale.py", "field.all() if len(scale.nan_codes) > 1 else code.all()", "code.all()"),
    ),
    made(
        "NaN not sticky",
        EXACT,
        ("exact.py", "nan.eq((nan & ~self.first) | new_nan)", "nan.eq(new_nan)"),
    ),
    made(
        "NaN leaks into the next dot product",
        EXACT,
        ("exact.py", "nan.eq((nan & ~self.first) | new_nan)", "nan.eq(nan | new_nan)"),
    ),
    made(
        "NaN on the scale that no element selects is missed",
        ONE_LANE,
        ("direct.py", "term.nan.eq(Cat(*nans).any())", "term.nan.eq(a.nan | w.nan)"),
    ),
    made(
        "overflow flag missing",
        NARROW,
        ("round.py", "result.overflow.eq(overflow & ~nan)", "result.overflow.eq(0)"),
    ),
    made(
        "overflow not sticky",
        NARROW,
        ("exact.py", "overflowed.eq(self.overflow & ~self.first)", "overflowed.eq(0)"),
    ),
    made(
        "overflow judged within a block",
        NARROW,
        ("exact.py", "(whole & (total[-1] ^ total[-2]))", "(total[-1] ^ total[-2])"),
    ),
    made(
        "infinity does not stay",
        BASELINE,
        ("float32.py", "(total.infinite | rounder.infinite) & keep", "rounder.infinite & keep"),
    ),
    # Accumulating and rounding.
    made(
        "the exact accumulator not cleared",
        EXACT,
        ("exact.py", "addends = [total & (~self.first).replicate(self.width)]", "addends = [total]"),
    ),
    made(
        "the float32 accumulator not cleared",
        FLOAT,
        ("float32.py", "keep = ~self.first", "keep = Const(1, 1)"),
    ),
    made(
        "the exact sum's sticky bit lost on the way",
        EXACT,
        ("normalise.py", "sticky | shifted[: len(value) - kept].any()", "shifted[: len(value) - kept].any()"),
    ),
    made(
        "the float32 sum's sticky bit lost",
        FLOAT,
        ("float32.py", "Cat(near[0] | everything, near[1:])", "near"),
    ),
    made(
        "an alignment beyond the shifter not cut off",
        BASELINE,
        ("float32.py", "near = value & (~far).replicate(len(value))", "near = value"),
    ),
    made(
        "a carry lost between the words of a total",
        HALVING,
        ("words.py", "(carry & ~self.valid)", "(carry & self.valid)"),
    ),
    made(
        "a term a word too low",
        HALVING,
        ("words.py", "step[up + piece] & words_up[up]", "step[up + piece - (up > 0)] & words_up[up]"),
    ),
    made(
        "bits below the leading words lost",
        HALVING,
        ("word_round.py", "under.eq(under_lowest | lower[-1].any())", "under.eq(under_lowest)"),
    ),
    made(
        "words of a dot product before seen below the lowest",
        HALVING,
        ("word_round.py", "choose(word, ~passed[: index + 1].any())", "word"),
    ),
    made(
        "a total that is rounded in place shifted up a place too few",
        SERIAL,
        ("word_round.py", "cycles = self.config.round_cycles - 1", "cycles = self.config.round_cycles - 2"),
        (
            "word_round.py",
            "m.d.sync += ready.eq(rounds)",
            "later = Signal()\n        m.d.sync += [later.eq(rounds), ready.eq(later)]",
        ),
    ),
    made(
        "the exponent does not follow a shift in place",
        SERIAL,
        ("word_round.py", "exponent - Cat(*down)", "exponent - down[0]"),
    ),
    made(
        "the bits left below a significand in place not looked at",
        SERIAL,
        ("word_round.py", "sticky | rest.any()", "sticky"),
    ),
    made(
        "a NaN's result in place is a number",
        SERIAL,
        ("word_round.py", "result.eq(Mux(special, QUIET_NAN, rounded))", "result.eq(rounded)"),
    ),
    made(
        "a term stops a place too high in its word",
        PLACED,
        ("digits.py", "~(count + places)[len(count)]", "~(count + places + 1)[len(count)]"),
    ),
    made(
        "a partial product of a placed term too narrow",
        PLACED,
        ("digits.py", "product = Signal(low + len(held) + 1,", "product = Signal(low + len(held) - 1,"),
    ),
    made(
        "a placed term does not move down when a word is taken",
        PLACED,
        ("digits.py", "product.as_signed() >> config.word_bits", "product"),
    ),
    made(
        "a placed term taken a word too early",
        PLACED,
        ("words.py", "begun = [*(~reached", "begun = [Const(1, 1), *(~reached"),
    ),
    made(
        "a sum is not held while its digits are taken",
        HALVING,
        ("digits.py", "Mux(self.start, taken, held)", "taken"),
    ),
    made(
        "a product not cleared for the next sum",
        HALVING,
        ("digits.py", "moved[low:] & (~self.start).replicate(width)", "moved[low:]"),
    ),
    made(
        "ties away from zero",
        EXACT,
        ("round.py", "(self.guard & (self.sticky | odd | carried))", "self.guard"),
    ),
    made(
        "the one that completes a negation lost",
        EXACT,
        ("round.py", " | (carried & odd)", ""),
    ),
    made(
        "no gradual underflow",
        BASELINE,
        ("float32.py", "changes = changes | stop", "changes = changes"),
    ),
    made(
        "a sum of zero keeps a sign",
        BASELINE,
        ("float32.py", "(total.negative ^ minus) & ~total.zero", "(total.negative ^ minus)"),
    ),
    made(
        "an operand far below aligned by a step too few",
        STEPS,
        ("float32_steps.py", "step == 1 + FAR", "step == FAR"),
    ),
    made(
        "an operand far below not only there",
        STEPS,
        ("float32_steps.py", "value[1] & ~apart", "value[1]"),
    ),
    made(
        "bits lost while aligning step by step",
        STEPS,
        ("float32_steps.py", "Cat(value[0] | value[1], value[2:])", "Cat(value[1], value[2:])"),
    ),
    made(
        "a term made of digits without its sign",
        MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1, accumulator="fp32"),
        ("digits.py", "self.term.negative.eq(negative)", "self.term.negative.eq(0)"),
    ),
    made(
        "a carry lost between the halves of a float32 sum",
        STEPS,
        ("float32_steps.py", "right[LOW_BITS:] + carry", "right[LOW_BITS:]"),
    ),
    made(
        "no gradual underflow step by step",
        STEPS,
        ("float32_steps.py", "normal | ~self.field_register[1:].any()", "normal"),
    ),
    made(
        "the float32 accumulator with steps not cleared",
        STEPS,
        ("float32_steps.py", "clear.eq(end & self.last)", "clear.eq(0)"),
    ),
    # Flow.
    made(
        "a stall drops a beat",
        EXACT,
        ("mac.py", "self.i.ready.eq(running)", "self.i.ready.eq(1)"),
    ),
    made(
        "a stall repeats a beat",
        EXACT,
        ("mac.py", "self.i.ready.eq(running)", "self.i.ready.eq(~self.o.valid)"),
    ),
    made(
        "a result is not held through a stall",
        EXACT,
        ("mac.py", "EnableInserter(running)(pipeline)", "EnableInserter(Const(1, 1))(pipeline)"),
    ),
    made(
        "the end of a dot product seen in every beat",
        ONE_LANE,
        ("mac.py", "self.i.payload.last & last)", "self.i.payload.last)"),
    ),
    made(
        "no beat is ever taken",
        EXACT,
        ("mac.py", "self.i.ready.eq(running)", "self.i.ready.eq(0)"),
    ),
    made(
        "no result ever comes",
        FLOAT,
        ("mac.py", "self.o.valid.eq(accumulator.complete)", "self.o.valid.eq(0)"),
    ),
    made(
        "results a cycle late",
        EXACT,
        ("normalise.py", "ready = Signal(2)", "ready = Signal(3)"),
        ("normalise.py", "ready.eq(Cat(self.valid, ready[0]))", "ready.eq(Cat(self.valid, ready[:2]))"),
        ("normalise.py", "self.ready.eq(ready[1])", "self.ready.eq(ready[2])"),
    ),
    made(
        "no reset of a valid bit",
        EXACT,
        ("mac.py", "complete = Signal()", "complete = Signal(reset_less=True)"),
    ),
    made(
        "no reset of the beat counter",
        EXACT,
        ("mac.py", "count = Signal(range(beats))", "count = Signal(range(beats), reset_less=True)"),
    ),
    # The quantiser's numbers.
    made(
        "quantiser: positive and negative scale swapped",
        QUANTIZER,
        ("quantizer.py", "Mux(element.negative, decoded[-1].as_value(), decoded[0].as_value())",
         "Mux(element.negative, decoded[0].as_value(), decoded[-1].as_value())"),
    ),
    made(
        "quantiser: maxima of both signs in one",
        QUANTIZER,
        ("maxima.py", "own[lane + 1] & ~(first_wins & own[lane])", "own[lane + 1] & ~first_wins"),
    ),
    made(
        "quantiser: a threshold of scales off by one",
        QUANTIZER,
        ("step_count.py", "Const(t, len(fraction))", "Const(t | 1, len(fraction))"),
    ),
    made(
        "quantiser: a tie of elements lost",
        EVEN_QUANTIZER,
        ("narrow.py", "Cat(fraction[:cut].any(), fraction[cut:])", "Cat(fraction[:cut].all(), fraction[cut:])"),
    ),
    made(
        "quantiser: ties of scales always away",
        EVEN_QUANTIZER,
        ("thresholds.py", "(int(fraction) << 1 | code & 1)", "(int(fraction) << 1)"),
    ),
    made(
        "quantiser: NaN does not reach the second scale",
        QUANTIZER,
        ("quantizer.py", "scale.eq(code | special.replicate(len(code)))",
         "scale.eq(code | (special & Const(index == 0, 1)).replicate(len(code)))"),
    ),
    made(
        "quantiser: NaN seen in a block's last beat only",
        QUANTIZER,
        ("quantizer.py", 'special, last = self._largest(m, beat, beat.special, "special", Value.__or__)',
         "special, last = beat.special"),
    ),
    made(
        "quantiser: elements of a NaN block keep their codes",
        QUANTIZER,
        ("element_encode.py", "self.scale.none.eq(nan | ~self.code.any())", "self.scale.none.eq(~self.code.any())"),
    ),
    made(
        "quantiser: infinity is a large number",
        QUANTIZER,
        ("narrow.py", "self.special.eq(above & field.all())", "self.special.eq(above & field.all() & fraction.any())"),
    ),
    made(
        "quantiser: a scale does not saturate",
        QUANTIZER,
        ("step_count.py", "Mux(regular_count > len(steps), len(steps), regular_count[: len(count)])",
         "regular_count[: len(count)]"),
    ),
    made(
        "quantiser: a subnormal scale decoded as a normal one",
        QUANTIZER,
        ("element_encode.py", "m.If(~field.any()), m.Switch(mantissa)", "m.If(field.all()), m.Switch(mantissa)"),
    ),
    made(
        "quantiser: an element does not saturate",
        QUANTIZER,
        ("element_encode.py", "with m.Elif(distance[low:].any()):", "with m.Elif(Const(0, 1)):"),
    ),
    made(
        "quantiser: the sign of elements lost",
        QUANTIZER,
        ("element_encode.py", "self.element.negative & magnitude.any()", "Const(0, 1)"),
    ),
    made(
        "quantiser: negative zeros written",
        QUANTIZER,
        ("element_encode.py", "self.element.negative & magnitude.any()", "self.element.negative"),
    ),
    made(
        "quantiser: subnormal inputs treated as normal",
        POWERS_QUANTIZER,
        ("element_encode.py", "subnormal.eq(~self.element.exponent.any())", "subnormal.eq(0)"),
    ),
    made(
        "quantiser: E8M0 scales a binade too large",
        POWERS_QUANTIZER,
        ("scale_select.py", "self.maximum - ELEMENT_EXPONENT, 0", "self.maximum - ELEMENT_EXPONENT + 1, 0"),
    ),
    # The quantiser's flow.
    made(
        "quantiser: the largest of earlier beats forgotten",
        QUANTIZER,
        ("quantizer.py", "Mux(beat.first, new, join(so_far, new))", "new"),
    ),
    made(
        "quantiser: the largest of the block before remembered",
        QUANTIZER,
        ("quantizer.py", "Mux(beat.first, new, join(so_far, new))", "join(so_far, new)"),
    ),
    made(
        "quantiser: the store repeats a beat",
        QUANTIZER,
        ("block_store.py", "moves: Value = self.drain\n", "moves: Value = self.drain & ~valid[0]\n"),
    ),
    made(
        "quantiser: the store drops a beat",
        QUANTIZER,
        ("block_store.py", "eq(moves | ~valid[stage])", "eq(moves | ~valid[stage] | (valid[0] & valid[1]))"),
    ),
    made(
        "quantiser: gaps in the store do not close",
        QUANTIZER,
        ("block_store.py", "enable.eq(moves | ~valid[stage])", "enable.eq(moves | self.valid)"),
    ),
    made(
        "quantiser: a stall drops a beat",
        QUANTIZER,
        ("quantizer.py", "self.i.ready.eq(running)", "self.i.ready.eq(1)"),
    ),
    made(
        "quantiser: an output beat is not held through a stall",
        QUANTIZER,
        ("quantizer.py", "EnableInserter(running)(self._pipeline())", "EnableInserter(Const(1, 1))(self._pipeline())"),
    ),
    made(
        "quantiser: a stall at the output is seen a beat late",
        QUANTIZER,
        ("quantizer.py", "~self.o.valid | self.o.ready)", "~self.o.valid | self.o.ready | self.i.valid)"),
    ),
    made(
        "quantiser: `last` of the next block",
        QUANTIZER,
        ("quantizer.py", "m.d.sync += last.eq(beat.last)", "m.d.sync += last.eq(self.i.payload.last)"),
    ),
    made(
        "quantiser: scales of a one-beat block shown a beat early",
        QuantizerConfig("AMXFP4", lanes=8, block_size=8, maximum_registers=0),
        ("quantizer.py", "registers.append(register)", "registers.append(field)"),
    ),
    made(
        "quantiser: no reset of the beat counter",
        QUANTIZER,
        ("quantizer.py", "count = Signal(range(self.config.beats_per_block))\n            with m.If(self.i.valid)",
         "count = Signal(range(self.config.beats_per_block), reset_less=True)\n            with m.If(self.i.valid)"),
    ),
    made(
        "quantiser: no reset of what is held",
        QUANTIZER,
        ("block_store.py", 'Signal(name=f"valid{i}")', 'Signal(name=f"valid{i}", reset_less=True)'),
    ),
    # Halved sides.
    made(
        "quantiser: the other side halved",
        HALVING_QUANTIZER,
        ("halving_select.py", "[positive & ~negative, negative & ~positive]",
         "[negative & ~positive, positive & ~negative]"),
    ),
    made(
        "quantiser: both sides halved",
        HALVING_QUANTIZER,
        ("halving_select.py", "[positive & ~negative, negative & ~positive]", "[positive, negative]"),
    ),
    made(
        "quantiser: what lies just above the limit of halving is halved",
        HALVING_QUANTIZER,
        ("narrow.py", "self.below.eq(fraction[: len(fraction) - config.kept_fraction_bits].any())",
         "self.below.eq(fraction[1 : len(fraction) - config.kept_fraction_bits].any())"),
    ),
    made(
        "quantiser: a side at the limit is not halved",
        HALVING_QUANTIZER,
        ("thresholds.py", "_step(HALVING_LIMIT * value / 2, 1, True,", "_step(HALVING_LIMIT * value / 2, 0, True,"),
    ),
    made(
        "quantiser: a side halved in a NaN block",
        HALVING_QUANTIZER,
        ("quantizer.py", "register.eq(sides & (~special).replicate(2))", "register.eq(sides)"),
    ),
    made(
        "quantiser: the scale of the positive side only",
        HALVING_QUANTIZER,
        ("quantizer.py", '[larger(m, maxima[0], maxima[1], "maximum")]', "[maxima[0]]"),
    ),
    made(
        "quantiser: elements of a halved side under the whole scale",
        HALVING_QUANTIZER,
        ("element_encode.py", "less = self.whole if", "less = Const(1, 1) if"),
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

_ELABORATE = """
import importlib.util, json, sys
folder, unit, fields = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
spec = importlib.util.spec_from_file_location(
    "amxfp4.hw", folder + "/__init__.py", submodule_search_locations=[folder]
)
sys.modules["amxfp4.hw"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from amxfp4.hw.generate import unit_verilog
from amxfp4.hw.units import UNITS
sys.stdout.write(unit_verilog(UNITS[unit].configure(fields)))
"""


def mutated_verilog(mutant: Mutant) -> str:
    """The Verilog of the mutant's unit, elaborated from a changed copy of `hw/`.

    Raises:
        StaleMutant: a text is not there exactly once, or nothing changes in the Verilog.
        RuntimeError: the changed source does not elaborate.
    """
    with TemporaryDirectory(prefix="amxfp4-mutant-") as temporary:
        copy = Path(temporary) / "hw"
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        for change in mutant.changes:
            _apply(change, copy)
        words = [str(copy), unit_of(mutant.config).name, json.dumps(mutant.config.as_dict())]
        done = subprocess.run([sys.executable, "-c", _ELABORATE, *words], capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise RuntimeError(f"the mutant does not elaborate: {' '.join(last)}")
    if done.stdout == unit_verilog(mutant.config):
        raise StaleMutant(f"{mutant.name!r} changes nothing in {mutant.config.name}")
    return done.stdout


def _apply(change: Change, folder: Path) -> None:
    path = folder / change.file
    text = path.read_text()
    if (count := text.count(change.old)) != 1:
        raise StaleMutant(f"{change.old!r} is {count} times in hw/{change.file}; a mutant needs it exactly once")
    path.write_text(text.replace(change.old, change.new))


def try_mutant(mutant: Mutant, options: BenchOptions) -> Verdict:
    """Runs the bench on a mutant until a test fails."""
    label = "mutants/" + re.sub(r"\W+", "_", mutant.name)
    try:
        verilog = mutated_verilog(mutant)
        outcome = run_bench(mutant.config, options, verilog=verilog, label=label)
    except RuntimeError as error:
        return Verdict(mutant, None, "", str(error).splitlines()[0])
    if not outcome.failures:
        return Verdict(mutant, None, "", None)
    first = outcome.failures[0]
    return Verdict(mutant, first.test, "\n".join(first.report.splitlines()[:2]), None)


def try_control(config: Config, options: BenchOptions) -> str | None:
    """Runs the same bench on the unit as it is; returns what failed."""
    outcome = run_bench(config, options, label=f"mutants/control_{config.name}")
    return f"{config.name} fails as it is: {outcome.failures[0].test}" if outcome.failures else None


def try_all(
    mutants: Sequence[Mutant],
    options: BenchOptions,
    *,
    jobs: int = 2,
    done: Callable[[Verdict], None] = lambda verdict: None,
) -> tuple[list[Verdict], list[str]]:
    """Tries the mutants, `jobs` at a time, and their units as they are.

    Returns:
        A verdict for each mutant, in order; and what failed without a mutation, which makes the verdicts worthless.
    """
    with ProcessPoolExecutor(jobs, initializer=quiet) as pool:
        tries = {pool.submit(try_mutant, mutant, options): mutant for mutant in mutants}
        controls = [
            pool.submit(try_control, config, options) for config in dict.fromkeys(mutant.config for mutant in mutants)
        ]
        try:
            for future in as_completed(tries):
                done(future.result())
            broken = [found for control in controls if (found := control.result())]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    verdicts = {verdict.mutant: verdict for verdict in (future.result() for future in tries)}
    return [verdicts[mutant] for mutant in mutants], broken


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--only", default="", metavar="WORDS", help="Only mutants whose name contains this.")
@click.option("--seed", type=click.IntRange(0), default=DEFAULT_SEED, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="cores")
def main(only: str, seed: int, jobs: int) -> int:
    """Break the RTL on purpose, one fault at a time, and see each caught by the bench."""
    mutants = [mutant for mutant in MUTANTS if only in mutant.name]
    if not mutants:
        raise UsageError(f"no mutant's name contains {only!r}; there are: {'; '.join(m.name for m in MUTANTS)}")
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("mutants", total=len(mutants))
        verdicts, broken = try_all(
            mutants,
            BenchOptions(seed=seed, beats=BEATS, stop=1),
            jobs=jobs,
            done=lambda verdict: progress.advance(task),
        )
    _show(console, verdicts)
    for sentence in broken:
        console.print(f"[red]{sentence}[/red]", soft_wrap=True)
    missed = [verdict for verdict in verdicts if not verdict.good]
    console.print(f"{len(verdicts) - len(missed)} of {len(verdicts)} mutants caught")
    return 1 if missed or broken else 0


def _show(console: Console, verdicts: Sequence[Verdict]) -> None:
    table = Table(title="faults put into the RTL")
    for heading in ("fault", "unit", "caught by"):
        table.add_column(heading, overflow="fold")
    for verdict in verdicts:
        config = verdict.mutant.config
        outcome = verdict.caught_by or f"[red]{verdict.error or 'SURVIVED'}[/red]"
        table.add_row(verdict.mutant.name, config.name, outcome)
    console.print(table)


if __name__ == "__main__":
    from amxfp4.main import main as run_command

    run_command(main)
