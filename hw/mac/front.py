"""The front end: beats in, block sums and their scales out, in the turns in which the tail takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream

from amxfp4.hw.mac.beat_sums import BeatSums, Sums
from amxfp4.hw.mac.block_sums import BlockSums
from amxfp4.hw.mac.products import ElementProducts, asymmetry_port, sign
from amxfp4.hw.mac.registers import flags, kept
from amxfp4.hw.mac.scale import ScaleProduct


@dataclass(frozen=True)
class Beat:
    """The flags of a beat.

    Attributes:
        valid: the beat is taken in this cycle.
        first: it begins a block.
        ends: it ends a block.
        last: it ends a dot product, and so a block.
    """

    valid: Value
    first: Value
    ends: Value
    last: Value


@dataclass(frozen=True)
class SumsInTurn:
    """Block sums as the tail gets them.

    Attributes:
        values: this turn's sums, one per path; see `BlockSums`.
        scales: the products of their scales, one per path; see `Scales.layout`.
        negative: for each path, whether its sum, where it is a magnitude, counts negatively.
        beat: the beat that goes into the block sums in this cycle.
        done: a block's sums are complete.
        done_last: that block ends a dot product.
        turn: one-hot, whose turn it is.
    """

    values: Sequence[Value]
    scales: Sequence[Value]
    negative: Sequence[Value]
    beat: Beat
    done: Value
    done_last: Value
    turn: Value


@dataclass(frozen=True)
class Pace:
    """How the tail takes the sums of a block.

    Attributes:
        apart: cycles from one turn to the next.
        counted: whether a counter says whose turn it is, where a chain of flip-flops would be long.
        late: whether a block's scales may still be needed when those of the next block come.
    """

    apart: int
    counted: bool
    late: bool


def count_beats(m: Module, i: stream.Interface, beats: int) -> Beat:
    """Counts the beats of a block.

    Args:
        i: the unit's input.
        beats: per block.
    """
    first: Value = Const(1, 1)
    last: Value = Const(1, 1)
    if beats > 1:
        count = Signal(range(beats))
        # `first` is a register of its own, so that decoding the counter does not lengthen the paths that begin with it.
        first = Signal(init=1)
        last = count.all()
        with m.If(i.valid):
            m.d.sync += [count.eq(count + 1), first.eq(last)]  # wraps: a block is a power of two beats
    return Beat(i.valid, first, last, i.payload.last & last)


def block_scales(m: Module, i: stream.Interface, when: Value) -> tuple[Value, Value]:
    """The scales of the current block, held from the cycle after its first beat until the next block's first beat."""
    a_scales, w_scales = (kept(m, i.payload[name], when, name) for name in ("a_scales", "w_scales"))
    return a_scales, w_scales


def sums_in_turn(m: Module, i: stream.Interface, plan: Sums, pace: Pace) -> SumsInTurn:
    """Builds products, beat sums and block sums, and the products of the scales."""
    beat = count_beats(m, i, plan.beats)
    a_asymmetry, w_asymmetry = _asymmetry(m, i, plan, beat)
    a_format, w_format = plan.products.formats
    m.submodules.products = products = ElementProducts(plan.products)
    m.submodules.sums = sums = BeatSums(plan)
    m.submodules.blocks = blocks = BlockSums(plan)
    m.d.comb += [
        products.a.eq(i.payload.a_codes),
        products.w.eq(i.payload.w_codes),
        getattr(products, asymmetry_port("a", a_format)[0]).eq(a_asymmetry),
        getattr(products, asymmetry_port("w", w_format)[0]).eq(w_asymmetry),
        sums.magnitude.eq(products.magnitude),
        sums.a_sign.eq(Cat(*(sign(code, a_asymmetry, a_format) for code in i.payload.a_codes))),
        sums.w_sign.eq(Cat(*(sign(code, w_asymmetry, w_format) for code in i.payload.w_codes))),
    ]
    rows: Value = sums.rows
    begins = beat.valid & beat.first
    if plan.front_registers:
        beat, rows = _front_register(m, beat, rows)
    m.d.comb += [blocks.rows.eq(rows), blocks.valid.eq(beat.valid), blocks.first.eq(beat.first)]

    done, done_last = flags("done", "last")
    m.d.sync += done.eq(beat.valid & beat.ends)
    with m.If(beat.valid & beat.ends):
        m.d.sync += done_last.eq(beat.last)
    turn = _turn(m, plan, pace, done)
    m.d.comb += blocks.turn.eq(turn)
    scales = _scale_products(m, i, plan, pace, begins, beat, turn)
    sides = [_sides(plan, turn, path) for path in range(plan.paths)]
    return SumsInTurn(
        values=list(blocks.value),
        scales=scales,
        negative=[a ^ w for a, w in sides],
        beat=beat,
        done=done,
        done_last=done_last,
        turn=turn,
    )


def _asymmetry(m: Module, i: stream.Interface, plan: Sums, beat: Beat) -> tuple[Value, Value]:
    """The asymmetry codes of the current block: which sides are halved, or what its special value is.

    The block's first beat brings these bits and needs them too. So they are taken from the input in the first beat, and
    from a register in later beats.
    """
    codes: list[Value] = []
    for side, block in zip(("a", "w"), plan.products.formats, strict=True):
        name, width = asymmetry_port(side, block)
        if not block.has_asymmetry_code:
            codes.append(Const(0, width))
            continue
        source = i.payload[name]
        if plan.beats == 1:
            codes.append(source)
            continue
        codes.append(Mux(beat.first, source, kept(m, source, beat.valid & beat.first, name)))
    return codes[0], codes[1]


def _front_register(m: Module, beat: Beat, rows: Value) -> tuple[Beat, Value]:
    """Registers a beat's rows: the adder tree is parted from the block sums."""
    valid, first, ends, last = flags("beat", "first", "ends", "last")
    register = Signal(rows.shape(), name="beat_rows", reset_less=True)
    m.d.sync += valid.eq(beat.valid)
    with m.If(beat.valid):
        m.d.sync += [register.eq(rows), first.eq(beat.first), ends.eq(beat.ends), last.eq(beat.last)]
    return Beat(valid, first, ends, last), register


def _turn(m: Module, plan: Sums, pace: Pace, done: Value) -> Value:
    """One-hot: whose turn it is. The first comes when a block is complete, the others every `apart` cycles."""
    turns, apart = plan.turns, pace.apart
    if turns > 1 and pace.counted:
        since = Signal(range((turns - 1) * apart + 1))
        with m.If(done | since.any()):
            m.d.sync += since.eq(Mux(since == (turns - 1) * apart, 0, since + 1))
        return Cat(done, *(since == turn * apart for turn in range(1, turns)))
    chain = [done]
    for cycle in range(1, (turns - 1) * apart + 1):
        later = Signal(name=f"since{cycle}")
        m.d.sync += later.eq(chain[-1])
        chain.append(later)
    return Cat(*chain[::apart])


def _scale_products(
    m: Module, i: stream.Interface, plan: Sums, pace: Pace, begins: Value, beat: Beat, turn: Value
) -> list[Value]:
    """The product of the scales that belong to this turn's sums, one for each path.

    The scales come with `begins`, a block's first beat, and are needed after its last.

    - One turn: the product is made as the scales come, and kept in their place.
    - More turns: the scales are kept, and each turn selects from them.

    A block's tail may be later than the next block's scales. The kept values are then copied at the block's end.
    """
    a_scales: Value = i.payload.a_scales
    w_scales: Value = i.payload.w_scales
    selected = plan.turns > 1
    if selected:
        a_scales, w_scales = block_scales(m, i, begins)
        a_scales, w_scales = (
            kept(m, source, beat.valid & beat.ends, name)
            for source, name in ((a_scales, "tail_a_scales"), (w_scales, "tail_w_scales"))
        )
    products: list[Value] = []
    for path in range(plan.paths):
        m.submodules[f"scale{path}"] = scale = ScaleProduct(plan.scales)
        a_negative, w_negative = _sides(plan, turn, path)
        m.d.comb += [
            scale.a_scales.eq(a_scales),
            scale.w_scales.eq(w_scales),
            scale.a_negative.eq(a_negative),
            scale.w_negative.eq(w_negative),
        ]
        product: Value = scale.product
        if not selected:
            product = kept(m, product, begins, f"scale_product{path}")
            if pace.late:
                product = kept(m, product, beat.valid & beat.ends, f"tail_scale{path}")
        products.append(product)
    return products


def _sides(plan: Sums, turn: Value, path: int) -> tuple[Value, Value]:
    """Whether this turn's sum is that of negative activations, and of negative weights."""
    turns = plan.turns
    bits = [f.asymmetric for f in plan.products.formats]
    sides = []
    for operand, asymmetric in enumerate(bits):
        place = sum(bits[operand + 1 :])  # of the operand's sign in the index of a sum
        mine = [t for t in range(turns) if asymmetric and ((path * turns + t) >> place) & 1]
        sides.append(Const(1, 1) if len(mine) == turns else Cat(*(turn[t] for t in mine)).any())
    return sides[0], sides[1]
