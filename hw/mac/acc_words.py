"""The exact accumulator in words: one word of the total per cycle, for units whose terms come several cycles apart.

A term that has several cycles to itself needs neither a shifter nor an adder as wide as the accumulator. The register
turns round by one word per cycle, lowest word first, past an adder of one word. A term is shifted within a word, and
then falls upon two or three words. The words above add copies of the term's sign. Where a block has time for that too,
the term comes already shifted (`term_placed.py`), and moves down by one word whenever its lowest word has been added.
"""

import functools
import itertools
import operator
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.shift import shift_left
from amxfp4.hw.mac.registers import Terms, TotalInWords, registered
from amxfp4.hw.mac.round_in_place import InPlace
from amxfp4.hw.mac.round_words import ByWords
from amxfp4.hw.mac.term import TermOfSum
from amxfp4.hw.mac.term_digits import Digits
from amxfp4.hw.mac.term_placed import Placed, PlacedTerms
from amxfp4.hw.mac.words import WordSplit, word_and_places, words_reached


@dataclass(frozen=True)
class Words:
    """An accumulator that adds a term in as many cycles as it has words.

    Attributes:
        term: the form of the terms.
        split: the register's words.
        rounder: the rounder of the total.
    """

    term: TermOfSum
    split: WordSplit
    rounder: ByWords | InPlace

    title = "words"

    @property
    def bits(self) -> int:
        """Width of the total, two's complement."""
        return self.split.accumulator_bits

    @property
    def cycles_per_term(self) -> int:
        return self.split.words

    @property
    def term_stays(self) -> bool:
        """Whether a term is held where it was made until it has been added. It then needs no further register."""
        return isinstance(self.term, Placed) or (isinstance(self.term, Digits) and self.term.held)

    @property
    def cycles(self) -> int:
        """Cycles from a term to its total: one in which the term is registered or held, and one per word."""
        return 1 + self.split.words

    def build(self, m: Module, terms: Terms, o: stream.Interface) -> None:
        """Registers terms where they do not stay, adds them and rounds their total into `o`."""
        ends = terms.last
        if not isinstance(terms, PlacedTerms):
            terms = registered(m, terms, "term", stays=self.term_stays)
            ends = Signal(reset_less=True)
            with m.If(terms.valid):
                m.d.sync += ends.eq(terms.last)
        m.submodules.accumulator = accumulator = WordAccumulator(self)
        if isinstance(terms, PlacedTerms):
            m.d.comb += terms.take.eq(accumulator.take)
        m.d.comb += [
            accumulator.term.eq(terms.terms[0]),
            accumulator.valid.eq(terms.valid),
            accumulator.first.eq(terms.first),
            accumulator.last.eq(terms.ends),
        ]
        total = TotalInWords(accumulator.total, accumulator.nan, accumulator.overflow, ends, accumulator.passed)
        self.rounder.build(m, total, o)

    def explain(self) -> str:
        """In words: what is built and why."""
        split = self.split
        return (
            f"fixed point, {self.bits} bits in {split.words} words of {split.word_bits}, one added per cycle, as "
            f"a term has {self.term.sums.cycles_per_term} cycles to itself"
        )


class WordAccumulator(wiring.Component):
    """Adds scaled terms without rounding, one word of the total per cycle.

    Ports:
        term: in, see `Term.layout`; held from the cycle of `valid` until the next. Only a placed term's value moves
            earlier, with `take`.
        first: in, 1 bit, held as `term`: the term begins a dot product.
        last: in, 1 bit, held as `term`: the term ends a block.
        valid: in, 1 bit: begin to add the term, at least `words` cycles after the term before.
        total: out, the register: `words` words of `word_bits` bits.
        passed: out, `words` bits, one-hot: bit k is set in the cycle k + 1 after `valid`. Word k of the new total is
            then on top of `total`, and the words 0 .. k - 1 are below it.
        nan, overflow: out, 1 bit: sticky since the dot product began; valid with the last bit of `passed`, after a
            block's last term.
        take: out, 1 bit, with placed terms only: the term's lowest word is being added. The rest of the term is to move
            down by one word, filled with its sign.

    Overflow is judged on whole blocks only, as in `ExactAccumulator`. Within a block the running sum may need one bit
    more than `bits`.
    """

    def __init__(self, plan: Words) -> None:
        self.plan = plan
        self.words, self.bits = plan.split.words, plan.split.word_bits
        super().__init__(
            {
                "term": In(plan.term.layout),
                "valid": In(1),
                "first": In(1),
                "last": In(1),
                "total": Out(data.ArrayLayout(self.bits, self.words)),
                "passed": Out(self.words),
                "nan": Out(1),
                "overflow": Out(1),
                **({"take": Out(1)} if isinstance(plan.term, Placed) else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        passed = Signal(self.words)
        step = Cat(self.valid, passed[:-1])
        m.d.sync += passed.eq(step)

        total = [Signal(self.bits, name=f"word{index}", reset_less=True) for index in range(self.words)]
        carry = Signal(reset_less=True)
        added = Signal(self.bits + 1)
        m.d.comb += added.eq(gated(total[0], ~self.first) + self._piece(m, step) + (carry & ~self.valid))
        with m.If(step.any()):
            m.d.sync += [carry.eq(added[-1]), total[-1].eq(added[:-1])]
            m.d.sync += [word.eq(above) for word, above in itertools.pairwise(total)]

        nan, overflowed, whole = (Signal(name=name, reset_less=True) for name in ("nan", "overflowed", "whole"))
        with m.If(self.valid):
            m.d.sync += [nan.eq((nan & ~self.first) | self.term.nan), whole.eq(self.last)]
        # A total that fits `bits` has copies of its sign in all of these.
        signs = total[-1][self.plan.bits - 1 - (self.words - 1) * self.bits :]
        m.d.comb += [
            Cat(*self.total).eq(Cat(*total)),
            self.passed.eq(passed),
            self.nan.eq(nan),
            self.overflow.eq(overflowed | (whole & signs.any() & ~signs.all())),
        ]
        # A dot product's first term may begin while the top word of the dot product before passes.
        begin = self.valid & self.first
        if self.plan.term.scales.window:
            with m.If(passed[-1] | self.valid):
                m.d.sync += overflowed.eq((self.overflow & ~begin) | (self.valid & self.term.above))
        else:
            with m.If(passed[-1] | begin):
                m.d.sync += overflowed.eq(self.overflow & ~begin)
        return m

    def _piece(self, m: Module, step: Value) -> Value:
        """The piece of the term that is added to this step's word."""
        return self._placed_piece(m, step) if isinstance(self.plan.term, Placed) else self._shifted_piece(m, step)

    def _placed_piece(self, m: Module, step: Value) -> Value:
        """The lowest word of a placed term, in each step from the one on in which the term begins; 0 before."""
        reached = words_reached(self.plan.split, self.plan.term.scales, self.term.exponent)
        begun = [*(~above for above in reached), *[Const(1, 1)] * self.words]
        m.d.comb += self.take.eq(Cat(*(here & ready for here, ready in zip(step, begun, strict=False))).any())
        return gated(self.term.value[: self.bits], self.take)

    def _shifted_piece(self, m: Module, step: Value) -> Value:
        """The piece of a term, shifted within a word, that falls upon this step's word.

        Words below the term get 0, and words above it copies of its sign. With a window a term starts whole words below
        the lowest, and what falls upon those is left out.
        """
        words_below = self.plan.term.scales.below // self.bits
        words_up, places = word_and_places(self.plan.split, self.plan.term.scales, self.term.exponent)
        value = shift_left(m, self.term.value, places, self.bits - 1, "shifted")
        pieces = -(-len(value) // self.bits)
        value = Cat(value, value[-1].replicate(pieces * self.bits - len(value)))
        chosen: list[Value] = []
        for piece in range(pieces):
            falls = [(up, up + piece - words_below) for up in range(len(words_up))]
            here = [step[word] & words_up[up] for up, word in falls if 0 <= word < self.words]
            chosen.append(gated(value[piece * self.bits :][: self.bits], Cat(*here).any()))
        higher = [
            (up, word) for up in range(len(words_up)) for word in range(self.words) if word >= up + pieces - words_below
        ]
        above = [step[word] & words_up[up] for up, word in higher]
        chosen.append(gated(value[-1].replicate(self.bits), Cat(*above).any()))
        return functools.reduce(operator.or_, chosen)
