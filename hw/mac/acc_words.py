"""The exact accumulator a word at a time, for units whose terms come several cycles apart.

A term that has `words` cycles to itself needs neither a shifter nor an adder as wide as the accumulator. The register
turns round by one word a cycle, lowest word first, past an adder of one word. A term is shifted within a word, and then
falls upon two words or three; the words above take copies of its sign. Where there is time for that too, it comes
shifted (`PlacedTerm`), and moves down a word when one has been taken.
"""

import functools
import itertools
import operator

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from amxfp4.hw.mac.acc_exact import shift_left
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.scale import term_layout


def choose(value: Value, when: Value) -> Value:
    """`value` where the bit `when` is set, otherwise 0."""
    return value & when.replicate(len(value))


def words_reached(config: MacConfig, exponent: Value) -> list[Value]:
    """A bit for each number of whole words from 1 on: whether a term is shifted up by so many or more."""
    bits, lowest = config.word_bits, config.exponent_min
    return [exponent >= lowest + count * bits for count in range(1, (config.exponent_max - lowest) // bits + 1)]


def word_and_places(config: MacConfig, exponent: Value) -> tuple[list[Value], Value]:
    """Where a term begins: a bit for each number of whole words it is shifted up by, lowest first, one of them set, and
    the places within a word."""
    bits, lowest = config.word_bits, config.exponent_min
    reached = words_reached(config, exponent)
    words_up = [low & ~high for low, high in zip([Const(1, 1), *reached], [*reached, Const(0, 1)], strict=True)]
    width = bits_for(bits - 1)
    starts = (Const(-(lowest + up * bits) % (1 << width), width) for up in range(config.words))
    starts = (choose(start, here) for start, here in zip(starts, words_up, strict=False))
    return words_up, (exponent + functools.reduce(operator.or_, starts))[:width]


class WordAccumulator(wiring.Component):
    """Adds scaled terms without rounding, a word of the total a cycle.

    Ports: `term` (see `term_layout`) and with it `first`: it begins a dot product, `last`: it ends a block; held from
    the cycle of `valid` until the next (its value, where `placed`, until `take`: the term's lowest word has been taken
    and what is left moves down by one, filled with its sign). `valid`: begin to add it, at least `words` cycles after
    the one before.
    `total` out: the register, `words` words of `word_bits` bits. `passed` out, one-hot: in the cycle k + 1 after
    `valid`, bit k, word k of the new total is on top of `total`, the words 0 .. k - 1 below it. `nan`, `overflow` out:
    sticky since the dot product began; right together with the last bit of `passed`, of a block's last term.

    What counts as overflow is judged on whole blocks, as in `ExactAccumulator`; the running sum may leave
    `accumulator_bits` by less than one more bit in between.
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        self.words, self.bits = config.words, config.word_bits
        super().__init__(
            {
                "term": In(term_layout(config)),
                "valid": In(1),
                "first": In(1),
                "last": In(1),
                "total": Out(data.ArrayLayout(self.bits, self.words)),
                "passed": Out(self.words),
                "nan": Out(1),
                "overflow": Out(1),
                **({"take": Out(1)} if config.placed else {}),
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
        m.d.comb += added.eq(choose(total[0], ~self.first) + self._piece(m, step) + (carry & ~self.valid))
        with m.If(step.any()):
            m.d.sync += [carry.eq(added[-1]), total[-1].eq(added[:-1])]
            m.d.sync += [word.eq(above) for word, above in itertools.pairwise(total)]

        nan, overflowed, whole = (Signal(name=name, reset_less=True) for name in ("nan", "overflowed", "whole"))
        with m.If(self.valid):
            m.d.sync += [nan.eq((nan & ~self.first) | self.term.nan), whole.eq(self.last)]
        # The bits that a total of `accumulator_bits` fills with its sign.
        assert self.config.accumulator_bits is not None
        signs = total[-1][self.config.accumulator_bits - 1 - (self.words - 1) * self.bits :]
        m.d.comb += [
            Cat(*self.total).eq(Cat(*total)),
            self.passed.eq(passed),
            self.nan.eq(nan),
            self.overflow.eq(overflowed | (whole & signs.any() & ~signs.all())),
        ]
        # A new dot product's first term may begin while the last one's top word passes.
        begin = self.valid & self.first
        with m.If(passed[-1] | begin):
            m.d.sync += overflowed.eq(self.overflow & ~begin)
        return m

    def _piece(self, m: Module, step: Value) -> Value:
        """What a term adds to the word of this step."""
        config, term = self.config, self.term
        if config.placed:
            begun = [*(~reached for reached in words_reached(config, term.exponent)), *[Const(1, 1)] * self.words]
            m.d.comb += self.take.eq(Cat(*(here & ready for here, ready in zip(step, begun, strict=False))).any())
            return choose(term.value[: self.bits], self.take)
        words_up, places = word_and_places(config, term.exponent)
        value = shift_left(m, term.value, places, self.bits - 1, "shifted")

        pieces = -(-len(value) // self.bits)
        value = Cat(value, value[-1].replicate(pieces * self.bits - len(value)))
        chosen: list[Value] = []
        for piece in range(pieces):
            here = [step[up + piece] & words_up[up] for up in range(len(words_up)) if up + piece < self.words]
            chosen.append(choose(value[piece * self.bits :][: self.bits], Cat(*here).any()))
        above = [step[word] & words_up[up] for up in range(len(words_up)) for word in range(up + pieces, self.words)]
        chosen.append(choose(value[-1].replicate(self.bits), Cat(*above).any()))
        return functools.reduce(operator.or_, chosen)
