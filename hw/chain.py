"""A quantiser wired to the activation side of a MAC unit: floats and weights in, results out, one netlist.

    a: floats -> quantiser -+
                            +-> MAC unit -> o: results
    w: weights -------------+

In an array of MAC units one quantiser feeds many MAC units. A chain is the smallest whole: one of each.
"""

from dataclasses import dataclass, field, fields
from functools import cached_property

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.errors import UsageError, shown
from amxfp4.golden.arguments import check_type
from amxfp4.golden.formats import Rounding
from amxfp4.golden.scale_rules import ScaleRule
from amxfp4.hw.config import CHOSEN, scale_fields
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.unit import MacUnit
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.unit import Quantizer

_OF_QUANTIZER = QuantizerConfig.__dataclass_fields__


@dataclass(frozen=True)
class ChainConfig:
    """A MAC unit and the quantiser of its activations.

    Attributes:
        mac: The MAC unit. Its activations' format, block size and lanes are the quantiser's too.
        input: The format of the floats that come in: "bfloat16" or "float32".
        rounding: Where ties go when activations are quantised: "nearest-away" or "nearest-even". None takes the
            quantiser's own default.
        maximum_registers: Register ranks between the maxima of a beat and the scales, 0 or 1. None takes the
            quantiser's own default.
        rule: How scales of activations follow from maxima. None takes the quantiser's own default.
        tensor_scale: Whether each beat of activations brings the reciprocal of a tensor's scale. None takes the
            quantiser's own default. Results are those of the scaled activations.

    Raises:
        UsageError: `mac` is no `MacConfig`, or the quantiser cannot be built.
    """

    mac: MacConfig = field(default_factory=MacConfig)
    input: str = field(default="bfloat16", metadata=_OF_QUANTIZER["input"].metadata)
    rounding: Rounding = field(default=CHOSEN, metadata=_OF_QUANTIZER["rounding"].metadata)
    maximum_registers: int = field(default=CHOSEN, metadata=_OF_QUANTIZER["maximum_registers"].metadata)
    rule: ScaleRule = field(default=CHOSEN, metadata=_OF_QUANTIZER["rule"].metadata)
    tensor_scale: bool = field(default=CHOSEN, metadata=_OF_QUANTIZER["tensor_scale"].metadata)

    def __post_init__(self) -> None:
        if not isinstance(self.mac, MacConfig):
            raise UsageError(f"mac is {shown(self.mac)}; a MacConfig is needed")
        for name in ("rounding", "maximum_registers", "rule", "tensor_scale"):
            object.__setattr__(self, name, getattr(self.quantizer, name))

    @cached_property
    def quantizer(self) -> QuantizerConfig:
        """The quantiser of the MAC unit's activations."""
        mac = self.mac
        return QuantizerConfig(
            mac.activation,
            mac.block_size,
            mac.lanes,
            self.input,
            self.rounding,
            self.maximum_registers,
            self.rule,
            self.tensor_scale,
        )

    @property
    def block_size(self) -> int:
        """Elements per block, of both operands."""
        return self.mac.block_size

    @property
    def lanes(self) -> int:
        """Elements per beat of floats, and of weights."""
        return self.mac.lanes

    @property
    def beats_per_block(self) -> int:
        """Beats of either input stream that make a block."""
        return self.mac.beats_per_block

    @property
    def weight_layout(self) -> data.StructLayout:
        """A beat of weights, from bit 0: the weight half of the MAC unit's beat."""
        fields = {"w_codes": data.ArrayLayout(4, self.lanes), **scale_fields(self.mac.weight_format, "w_")}
        return data.StructLayout(fields)

    @property
    def latency(self) -> int:
        """Cycles from the edge that takes a dot product's last beat of floats to its result.

        The quantiser's and the MAC unit's latency, one after the other: weights wait for the quantised activations.
        Stalled cycles are not counted.
        """
        return self.quantizer.latency + self.mac.latency

    @property
    def name(self) -> str:
        """A name for files and Verilog modules that no other config shares."""
        return "_".join(["chain", self.mac.name.removeprefix("mac_"), *self.quantizer.name.split("_")[3:]])

    def as_dict(self) -> dict[str, object]:
        """Every field for a manifest, flat: those of the MAC unit, then the chain's own."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "mac"}
        return self.mac.as_dict() | own


class Chain(wiring.Component):
    """Dot products of floats, quantised on the way, with weights in blocks.

    The MAC unit takes a weight beat together with the activation beat that belongs to it, so `w.ready` is high only
    when that activation is quantised. A beat of either stream waits for its partner, and the wait reaches back to
    `a.ready`. A result comes `config.latency` cycles after its dot product's last beat of `a` was taken, plus the
    cycles in which the quantiser or the MAC unit stood still in between.

    Args:
        config: The chain to build.

    Ports:
        a: in, stream of `config.quantizer.beat_layout`. Its `last` ends a dot product.
        w: in, stream of `config.weight_layout`: one beat per beat of `a`, in the same order.
        o: out, stream of `config.mac.result_layout`.
    """

    def __init__(self, config: ChainConfig) -> None:
        check_type(ChainConfig, config=config)
        self.config = config
        super().__init__(
            {
                "a": In(stream.Signature(config.quantizer.beat_layout)),
                "w": In(stream.Signature(config.weight_layout)),
                "o": Out(stream.Signature(config.mac.result_layout)),
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
