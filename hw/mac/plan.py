"""The plan of a MAC unit: which structure a config gets, and why.

A config says what is asked for (`config.py`), the plan says what is built. The plan has a part for each stage. Each
part's class stands beside the component that it describes, with its widths, its thresholds and the reason for them:

| part | choices |
|---|---|
| front | `Sums` (`beat_sums.py`), `NoSums` (here) |
| term | `Whole`, `Digits`, `Placed`, `Direct` (`term_*.py`) |
| accumulator | `Exact`, `Words`, `Windowed`, `WindowedWords`, `Float32`, `Float32InSteps` (`acc_*.py`) |
| rounder | `AtOnce`, `ByWords`, `InPlace` (`round_*.py`), `InLoop` (`acc_float32.py`) |
"""

from dataclasses import dataclass
from typing import NamedTuple

from amaranth.hdl import Module
from amaranth.lib import stream

from amxfp4.hw.mac.acc_exact import Exact
from amxfp4.hw.mac.acc_float32 import Float32, InLoop
from amxfp4.hw.mac.acc_float32_steps import Float32InSteps
from amxfp4.hw.mac.acc_window import windowed
from amxfp4.hw.mac.acc_words import Words
from amxfp4.hw.mac.beat_sums import Sums
from amxfp4.hw.mac.front import Pace, sums_in_turn
from amxfp4.hw.mac.products import Products
from amxfp4.hw.mac.registers import Terms
from amxfp4.hw.mac.round_exact import AtOnce
from amxfp4.hw.mac.round_in_place import InPlace
from amxfp4.hw.mac.round_words import ByWords
from amxfp4.hw.mac.scale import Scales
from amxfp4.hw.mac.term import TermOfSum
from amxfp4.hw.mac.term_digits import ROWS_WORTH_SAVING, Digits
from amxfp4.hw.mac.term_direct import Direct
from amxfp4.hw.mac.term_placed import Placed
from amxfp4.hw.mac.term_whole import Whole
from amxfp4.hw.mac.words import WordSplit


class Structure(NamedTuple):
    """The names of the parts of a plan."""

    front: str
    term: str
    accumulator: str
    rounder: str


@dataclass(frozen=True)
class NoSums:
    """The front of a unit whose products are terms by themselves.

    Attributes:
        beats: per block.
    """

    beats: int

    title = "none"
    turns = 1
    cycles = 1

    def explain(self) -> str:
        """In words: what is built and why."""
        return "one lane, two asymmetric operands and an exact accumulator: products are added directly"


@dataclass(frozen=True)
class MacPlan:
    """What is built for a config; made by `choose_plan`.

    Attributes:
        front: from beats to block sums.
        accumulator: the register in which terms are added, and its adder. It says which terms it takes and what rounds
            its total.
    """

    front: Sums | NoSums
    accumulator: Exact | Words | Float32 | Float32InSteps

    @property
    def term(self) -> TermOfSum | Direct:
        """From a block sum (or product) to a scaled term."""
        return self.accumulator.term

    @property
    def rounder(self) -> AtOnce | ByWords | InPlace | InLoop:
        """From a total to float32."""
        return self.accumulator.rounder

    @property
    def sums(self) -> Sums:
        """The front, where it is block sums.

        Raises:
            TypeError: products are added directly, so there are no block sums.
        """
        if not isinstance(self.front, Sums):
            raise TypeError("this plan adds products directly; it has no block sums")
        return self.front

    @property
    def scales(self) -> Scales:
        """The scales of sums (or products)."""
        return self.term.scales

    @property
    def products(self) -> Products:
        """The products of the lanes."""
        return self.scales.products

    @property
    def structure(self) -> Structure:
        """The names of the parts."""
        return Structure(self.front.title, self.term.title, self.accumulator.title, self.rounder.title)

    @property
    def latency(self) -> int:
        """Cycles from the edge that takes a dot product's last beat to its result, stalled cycles not counted."""
        return sum(self.stages.values())

    @property
    def stages(self) -> dict[str, int]:
        """Cycles of each stage; their sum is the latency."""
        return {
            "front": self.front.cycles,
            "turns": (self.front.turns - 1) * self.accumulator.cycles_per_term,
            "term": self.term.cycles,
            "accumulator": self.accumulator.cycles,
            "rounder": self.rounder.cycles,
        }

    def explain(self) -> list[str]:
        """In words, one line per part: what is built and why."""
        parts = (self.front, self.term, self.accumulator, self.rounder)
        names = ("front", "term", "accumulator", "rounder")
        lines = [f"{name}: {part.title}; {part.explain()}" for name, part in zip(names, parts, strict=True)]
        cycles = " + ".join(f"{name} {count}" for name, count in self.stages.items() if count)
        return [*lines, f"latency: {self.latency} cycles = {cycles}"]

    def build(self, m: Module, i: stream.Interface, o: stream.Interface) -> None:
        """Builds the whole unit into `m`, from its input to its output."""
        self.accumulator.build(m, self._terms(m, i), o)

    def _terms(self, m: Module, i: stream.Interface) -> Terms:
        if isinstance(self.term, Direct):
            return self.term.build(m, i, self.front.beats)
        pace = Pace(
            apart=self.accumulator.cycles_per_term,
            counted=isinstance(self.accumulator, Float32InSteps),
            late=bool(self.sums.front_registers or self.sums.turns > 1 or self.term.cycles),
        )
        return self.term.build(m, sums_in_turn(m, i, self.sums, pace))


# -- the choice --------------------------------------------------------------------------------------------------------


def choose_plan(
    products: Products,
    block_size: int,
    accumulator_bits: int | None,
    front_registers: int,
    window_exponent: int | None = None,
) -> MacPlan:
    """The smallest structure that keeps up with one beat per cycle.

    Args:
        products: formats and lanes.
        block_size: elements per block.
        accumulator_bits: width of a fixed-point accumulator; None for a float32 one.
        front_registers: register ranks between the adder tree and the block sums, 0 or 1.
        window_exponent: weight of the least bit of a windowed accumulator, as a power of two; None for the others.
    """
    if window_exponent is not None:
        assert accumulator_bits is not None
        sums = Sums(products, block_size, True, front_registers)
        placed, accumulator = windowed(sums, accumulator_bits, window_exponent)
        return MacPlan(placed, accumulator)
    exact = accumulator_bits is not None
    if accumulator_bits is not None and Direct.fits(products, exact):
        return MacPlan(NoSums(block_size), Exact(Direct(products), 1, accumulator_bits))
    sums = Sums(products, block_size, exact, front_registers)
    return MacPlan(sums, _float32(sums) if accumulator_bits is None else _exact(sums, accumulator_bits))


def _exact(sums: Sums, bits: int) -> Exact | Words:
    """In words, where a term has so many cycles that the turning register pays for itself; otherwise at full width."""
    splits = WordSplit.choices(bits, sums.cycles_per_term)
    if not splits:
        return Exact(Whole(sums), sums.paths, bits)
    split = splits[0]
    term = _term(sums, split.words, split.words)
    if sums.count == 1 and Placed.fits(sums, split):
        term = Placed(sums, split)
    # From a dot product's last term to the next one's first: blocks are `beats` apart, less the turns within a block.
    gap = sums.beats - (sums.turns - 1) * split.words
    least = term.scales.least_exponent
    rounder = next(iter(InPlace.choices(split, least, gap)), ByWords(split, least))
    return Words(term, split, rounder)


def _float32(sums: Sums) -> Float32 | Float32InSteps:
    """In steps, where a term has enough cycles to itself; otherwise in two cycles or one."""
    cycles = sums.cycles_per_term
    if Float32InSteps.fits(cycles):
        return Float32InSteps(_term(sums, Float32InSteps.cycles_per_term, 1))
    return Float32(Whole(sums), min(2, cycles))


def _term(sums: Sums, cycles: int, held_for: int) -> TermOfSum:
    """Digits, where a term has `cycles` cycles to itself and digits save enough of the multiplier; otherwise whole."""
    digits = Digits.over(sums, cycles, held_for)
    return digits if sums.count == 1 and digits.rows_saved >= ROWS_WORTH_SAVING else Whole(sums)
