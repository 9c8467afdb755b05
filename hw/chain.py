"""A quantiser wired to the activation side of a MAC unit: floats and weights in, results out, one netlist.

    a: floats -> quantiser -+
                            +-> MAC unit -> o: results
    w: weights -------------+

In an array of MAC units one quantiser feeds many; this is the smallest whole of the two.
"""

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.golden.codes import Rounding
from amxfp4.hw.config import scales_layout
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.unit import MacUnit
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.unit import Quantizer


@dataclass(frozen=True)
class ChainConfig(MacConfig):
    """A MAC unit and the quantiser of its activations.

    Parameters
    ----------
    input
        "bfloat16" or "float32".
    rounding
        What ties do when activations are quantised: "nearest-away" or "nearest-even".
    maximum_registers
        Register ranks between the maxima of a beat and the scales, 0 or 1.

    All others are those of `MacConfig`. Raises `UsageError` for anything that cannot be built.
    """

    input: str = "bfloat16"
    rounding: Rounding = "nearest-away"
    maximum_registers: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "maximum_registers", self.quantizer.maximum_registers)

    @cached_property
    def mac(self) -> MacConfig:
        """The MAC unit's own config."""
        return MacConfig(**{name: getattr(self, name) for name in MacConfig.__dataclass_fields__})

    @cached_property
    def quantizer(self) -> QuantizerConfig:
        """The quantiser's own config."""
        return QuantizerConfig(
            self.activation, self.block_size, self.lanes, self.input, self.rounding, self.maximum_registers
        )

    @property
    def weight_layout(self) -> data.StructLayout:
        """A beat of weights, from bit 0: the weight half of the MAC unit's beat."""
        fmt = self.weight_format
        return data.StructLayout(
            {
                "w_codes": data.ArrayLayout(4, self.lanes),
                "w_scales": scales_layout(fmt),
                **({"w_halved": 2} if fmt.halving else {}),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the edge that takes a dot product's last beat of floats to its result, when weights wait for the
        quantised activations, stalled cycles not counted: the quantiser's and the MAC unit's, one after the other."""
        return self.quantizer.latency + self.mac.latency

    @property
    def name(self) -> str:
        """A name for files and Verilog modules that no other config shares."""
        return "_".join(["chain", self.mac.name.removeprefix("mac_"), *self.quantizer.name.split("_")[3:]])


class Chain(wiring.Component):
    """Dot products of floats, quantised on the way, with weights in blocks.

    Ports: `a`: stream of `config.quantizer.beat_layout`, whose `last` ends a dot product; `w`: stream of
    `config.weight_layout`, a beat for each beat of `a` in the same order; `o`: stream of `config.result_layout`.

    A weight beat is taken together with the activation beat that it meets, so `w.ready` is high only when that one is
    quantised. A beat of either stream waits for the other's; what waits is held back to `a.ready`. A result comes
    `config.latency` cycles after its dot product's last beat of `a` was taken, plus the cycles that either of the two
    stood still in between.
    """

    def __init__(self, config: ChainConfig) -> None:
        self.config = config
        super().__init__(
            {
                "a": In(stream.Signature(config.quantizer.beat_layout)),
                "w": In(stream.Signature(config.weight_layout)),
                "o": Out(stream.Signature(config.result_layout)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.quantizer = quantizer = Quantizer(self.config.quantizer)
        m.submodules.mac = mac = MacUnit(self.config.mac)
        wiring.connect(m, wiring.flipped(self.a), quantizer.i)
        wiring.connect(m, mac.o, wiring.flipped(self.o))
        activation, weight, beat = quantizer.o, self.w, mac.i
        m.d.comb += [
            beat.valid.eq(activation.valid & weight.valid),
            activation.ready.eq(beat.ready & weight.valid),
            weight.ready.eq(beat.ready & activation.valid),
            beat.payload.last.eq(activation.payload.last),
        ]
        m.d.comb += [beat.payload[name].eq(weight.payload[name]) for name, _ in self.config.weight_layout]
        for name, _ in self.config.quantizer.output_layout:
            if name != "last":
                m.d.comb += beat.payload[f"a_{name}"].eq(activation.payload[name])
        return m
