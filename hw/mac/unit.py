"""The multiply-accumulate unit: one class builds AMXFP4, the MXFP4 baseline and every pair in between.

    beat -> products -> beat sums -> [register] -> block sums -> terms -> accumulator -> rounder -> result

`plan.py` chooses the part for each place. The whole pipeline stands still while a result waits to be taken, so every
register has the same enable, which synthesis turns into a gated clock.
"""

from amaranth.hdl import EnableInserter, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.golden.arguments import check_type
from amxfp4.hw.mac.config import MacConfig


class MacUnit(wiring.Component):
    """Dot products of block-scaled FP4 vectors, one beat of `lanes` element pairs per cycle.

    Ports:
        i: in, stream of `config.beat_layout`.
        o: out, stream of `config.result_layout`.

    A result comes `config.latency` cycles after its dot product's last beat was taken. There are no bubbles between
    blocks or dot products. A result that is not taken stalls the unit: `i.ready` is low in just those cycles.
    """

    def __init__(self, config: MacConfig) -> None:
        check_type(MacConfig, config=config)
        self.config = config
        super().__init__(
            {"i": In(stream.Signature(config.beat_layout)), "o": Out(stream.Signature(config.result_layout))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        running = Signal()
        m.d.comb += [running.eq(~self.o.valid | self.o.ready), self.i.ready.eq(running)]
        pipeline = Module()
        self.config.plan.build(pipeline, self.i, self.o)
        m.submodules.pipeline = EnableInserter(running)(pipeline)
        return m
