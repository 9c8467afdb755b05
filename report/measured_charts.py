"""The charts of the report, from what was measured."""

from collections.abc import Callable, Iterable

from amxfp4.accuracy.study_tables import shown_label
from amxfp4.hw.mac.config import ACCUMULATORS
from amxfp4.report.accuracy_chart import error_and_bits
from amxfp4.report.chart import PALETTE, Chart, Panel, Series, Symbol
from amxfp4.report.inputs import Inputs, default_of, is_default
from amxfp4.report.pairs import NEGLIGIBLE, RATIOS, Pair, is_asymmetric, label, pair_of, plural
from amxfp4.synth.area_tables import OWN, by_part
from amxfp4.synth.record import Record


def measured_charts(inputs: Inputs) -> list[Chart]:
    """The charts for which there are figures, in the order of the page."""
    made = [
        cost_and_accuracy(inputs),
        error_and_bits(inputs),
        price_of_asymmetry(inputs),
        ratio_against_lanes(inputs),
        by_submodule(inputs),
        delay(inputs),
        trade_off(inputs),
        energy(inputs),
        fpga(inputs),
    ]
    return [chart for chart in made if any(panel.series for panel in chart.panels)]


def _colours(pairs: Iterable[Pair]) -> dict[Pair, str]:
    return {pair: PALETTE[index % len(PALETTE)] for index, pair in enumerate(pairs)}


def _about(unit: Record) -> str:
    """What hovering shows of a unit."""
    lines = [
        _named(unit),
        f"{unit['area_ge']:,.0f} GE ({unit['registers_ge']:,.0f} in registers), "
        f"{unit['area_ge_per_mac']:,.0f} per lane",
        f"period {unit['period_ps']:,.0f} ps, latency {unit['latency']} cycles",
    ]
    return "<br>".join([*lines, *_ratios(unit, "area")])


def _named(unit: Record) -> str:
    return f"<b>{label(pair_of(unit))}</b>, {plural(unit['lanes'])}, {unit['accumulator']}"


def _ratios(unit: Record, quantity: str) -> list[str]:
    """A line for each ratio that a unit has."""
    return [f"×{unit[key]:.3f} of {what}'s {quantity}" for key, what in RATIOS if unit.get(key) is not None]


def _about_case(case: Record) -> str:
    end = case["end_to_end"]["linear"]
    mean = case["linear_layers_mean"]
    shown = {
        "SQNR of layer outputs": (mean["output"], ".2f", " dB"),
        "of activations": (mean["activation"], ".2f", " dB"),
        "of weights": (mean["weight"], ".2f", " dB"),
        "cosine to float32's embeddings": (end["cosine_mean"], ".4f", ""),
        "rank correlation of similarities": (end["rank_correlation"], ".4f", ""),
    }
    return "<br>".join(
        f"{what} {value:{form}}{unit}" for what, (value, form, unit) in shown.items() if value is not None
    )


def cost_and_accuracy(inputs: Inputs) -> Chart:
    """Area beside MXFP4's against the SQNR of layer outputs."""
    colours = _colours(inputs.pairs)
    panels = []
    for lanes in inputs.lanes:
        series = []
        for pair in inputs.pairs:
            for unit in [u for u in inputs.units if pair_of(u) == pair and u["lanes"] == lanes]:
                for encode in ("direct", "least-error"):
                    case = inputs.accuracy(pair, unit["accumulator"], encode)
                    sqnr = case["linear_layers_mean"]["output"] if case else None
                    if unit["ratio_to_mxfp4"] is None or case is None or sqnr is None:
                        continue
                    symbol = _symbol(unit["accumulator"], opened=encode != "direct")
                    hover = f"{_about(unit)}<br>{_about_case(case)}"
                    ratio = unit["ratio_to_mxfp4"]
                    series.append(Series(label(pair), [ratio], [sqnr], [hover], colours[pair], symbol))
                series += _by_other_rules(inputs, unit)
        panels.append(Panel(plural(lanes), [*_front(series), *series]))
    return Chart(
        "cost-accuracy",
        "Cost against accuracy",
        "Up and to the left is better; the dashed line joins the units that no other beats in both. Area of the whole "
        f"unit, library {inputs.library}, over MXFP4's with its float32 accumulator at the same lanes. Accuracy: mean "
        f"SQNR of the linear layers' outputs of {inputs.model}, each format's own blocks where none are named. "
        "Circles: exact accumulator; squares: float32; diamonds: window. Open: the same hardware, weights' "
        "scales chosen offline by least error."
        + "".join(f" {name} has {sqnr:.2f} dB." for name, sqnr in _without_units(inputs)),
        "points",
        "area / MXFP4's",
        "SQNR of layer outputs, dB",
        panels,
        shared_x=True,
    )


def _by_other_rules(inputs: Inputs, unit: Record) -> list[Series]:
    """A unit with another rule for scales, which takes the same MAC unit."""
    colour = PALETTE[len(inputs.pairs) % len(PALETTE)]
    symbol = _symbol(unit["accumulator"])
    return [
        Series(
            shown_label(case),
            [unit["ratio_to_mxfp4"]],
            [case["linear_layers_mean"]["output"]],
            [f"{_about(unit)}<br>{_about_case(case)}"],
            colour,
            symbol,
        )
        for case in inputs.baselines
        if case["rule"] and pair_of(case) == pair_of(unit) and unit["ratio_to_mxfp4"] is not None
    ]


def _without_units(inputs: Inputs) -> list[tuple[str, float]]:
    """What has no unit among those measured: a name, and the SQNR of layer outputs."""
    return [
        (shown_label(case), case["linear_layers_mean"]["output"])
        for case in inputs.baselines
        if pair_of(case) not in inputs.pairs
    ]


def _symbol(accumulator: str, *, opened: bool = False) -> Symbol:
    """How a unit with this accumulator is marked."""
    if accumulator == "exact":
        return "circle-open" if opened else "circle"
    if accumulator == "window":
        return "diamond-open" if opened else "diamond"
    return "square-open" if opened else "square"


def _front(series: list[Series]) -> list[Series]:
    """The line through the points that no other beats in both directions."""
    points = sorted(((float(s.x[0]), float(s.y[0])) for s in series), key=lambda p: (p[0], -p[1]))
    front: list[tuple[float, float]] = []
    for point in points:
        if not front or point[1] > front[-1][1]:
            front.append(point)
    if len(front) < 2:
        return []
    return [Series("front", [p[0] for p in front], [p[1] for p in front], [""] * len(front), "#9ca3af", "none")]


def price_of_asymmetry(inputs: Inputs) -> Chart:
    """What a second scale costs and nothing else."""
    asymmetric = [unit for unit in inputs.units if is_asymmetric(pair_of(unit))]

    def extra(unit: Record) -> float | None:
        ratio = unit["ratio_to_symmetric"]
        return None if ratio is None else 100 * (ratio - 1)

    return Chart(
        "price-of-asymmetry",
        "The price of asymmetry alone",
        "Area beyond that of the unit with the same scale formats, accumulator and lanes but one scale per block on "
        f"both sides. Dotted: the {100 * (NEGLIGIBLE - 1):.0f} % up to which the page calls it negligible.",
        "bars",
        "",
        "extra area, %",
        [Panel("", _of_units(inputs, asymmetric, extra, _about))],
        reference=100 * (NEGLIGIBLE - 1),
    )


def ratio_against_lanes(inputs: Inputs) -> Chart:
    """Area beside MXFP4's over the number of lanes, at every one that was measured."""
    colours = _colours(inputs.pairs)
    by_name = {unit["name"]: unit for unit in (*filter(is_default, inputs.swept), *inputs.units)}
    series = []
    for pair in inputs.pairs:
        of_pair = [u for u in by_name.values() if pair_of(u) == pair and u["ratio_to_mxfp4"] is not None]
        lanes = sorted({unit["lanes"] for unit in of_pair})
        units = [unit for n in lanes if (unit := default_of([u for u in of_pair if u["lanes"] == n])) is not None]
        if units:
            ratios = [unit["ratio_to_mxfp4"] for unit in units]
            x = [float(unit["lanes"]) for unit in units]
            series.append(Series(label(pair), x, ratios, [_about(unit) for unit in units], colours[pair]))
    return Chart(
        "ratio-lanes",
        "Ratio to MXFP4 against lanes",
        "Area of the unit with its default accumulator over MXFP4's with float32 at the same lanes. An exact "
        "accumulator weighs less the more lanes share it; sums by sign weigh more.",
        "lines",
        "lanes",
        "area / MXFP4's",
        [Panel("", series)],
        reference=1.0,
        log_x=True,
    )


def by_submodule(inputs: Inputs) -> Chart:
    """Where the area sits."""
    units = [u for pair in inputs.pairs for n in inputs.lanes if (u := inputs.unit(pair, n)) and u["breakdown"]]
    parts = list(dict.fromkeys(part for unit in units for part in by_part(unit) if part != OWN))
    panels = []
    for lanes in inputs.lanes:
        members = [unit for unit in units if unit["lanes"] == lanes]
        series = []
        for index, part in enumerate([*parts, OWN]):
            shares = [(unit, by_part(unit).get(part, 0.0)) for unit in members]
            shares = [(unit, area) for unit, area in shares if area]
            if shares:
                colour = "#d1d5db" if part == OWN else PALETTE[(index + 1) % len(PALETTE)]
                words = [label(pair_of(unit)) for unit, _ in shares]
                hover = [
                    f"<b>{label(pair_of(unit))}</b>, {plural(lanes)}<br>"
                    f"{part}: {area:,.0f} GE, {area / lanes:,.0f} per lane"
                    for unit, area in shares
                ]
                series.append(Series(part, [area / lanes for _, area in shares], words, hover, colour))
        panels.append(Panel(plural(lanes), series))
    return Chart(
        "submodules",
        "Area by submodule",
        f"Gate equivalents per lane, default accumulator. “{OWN}” is what lies outside any submodule: registers "
        "between stages, and control. From a run that optimises no submodule together with another, so the sum is "
        "larger than the unit.",
        "stacked",
        "gate equivalents per lane",
        "",
        [panel for panel in panels if panel.series],
        shared_y=False,
    )


def delay(inputs: Inputs) -> Chart:
    """The smallest clock period."""
    return Chart(
        "delay",
        "Clock period",
        f"Longest path from register to register with clock-to-output and setup, no wires, library {inputs.library}; "
        "default accumulator.",
        "bars",
        "",
        "period, ps",
        [Panel("", _of_units(inputs, inputs.units, lambda unit: unit["period_ps"], _about))],
    )


def trade_off(inputs: Inputs) -> Chart:
    """Area against period of everything that a sweep measured."""
    colours = _colours(inputs.pairs)
    panels = []
    for lanes in sorted({unit["lanes"] for unit in inputs.swept}):
        series = []
        for pair in inputs.pairs:
            for accumulator in ACCUMULATORS:
                units = [
                    u
                    for u in inputs.swept
                    if pair_of(u) == pair and u["lanes"] == lanes and u["accumulator"] == accumulator
                ]
                if units:
                    hover = [f"{_about(u)}<br>front registers {u['config']['front_registers']}" for u in units]
                    x, y = [u["period_ps"] for u in units], [u["area_ge_per_mac"] for u in units]
                    series.append(Series(label(pair), x, y, hover, colours[pair], _symbol(accumulator)))
        panels.append(Panel(plural(lanes), series))
    return Chart(
        "trade-off",
        "Area against clock period, every pipeline",
        "Every unit of the sweep. Circles: exact accumulator, squares: float32, diamonds: window.",
        "points",
        "period, ps",
        "gate equivalents per lane",
        panels,
        shared_y=False,
    )


def energy(inputs: Inputs) -> Chart:
    """Energy per MAC, where it was estimated."""

    def about(unit: Record) -> str:
        parts = ", ".join(f"{part} {unit[part] / unit['lanes']:,.0f}" for part in ("logic", "registers", "clock"))
        beside = "" if unit["ratio_to_mxfp4"] is None else f"<br>×{unit['ratio_to_mxfp4']:.3f} of MXFP4's"
        return f"{_named(unit)}<br>{unit['energy_per_mac']:,.0f} fJ per MAC: {parts}{beside}"

    library = inputs.energy[0]["library"] if inputs.energy else ""
    return Chart(
        "energy",
        "Energy of a multiply-accumulate",
        "Toggles of the mapped gates while a layer runs through them, weighed by the library's internal energies and "
        f"pin capacitances, library {library}: no wires, no glitches, no leakage, no clock tree.",
        "bars",
        "",
        "",
        [
            Panel("fJ per MAC", _of_units(inputs, inputs.energy, lambda unit: unit["energy_per_mac"], about)),
            Panel("/ MXFP4's", _of_units(inputs, inputs.energy, lambda unit: unit["ratio_to_mxfp4"], about)),
        ],
        shared_y=False,
    )


def _of_units(
    inputs: Inputs, units: list[Record], value: Callable[[Record], float | None], about: Callable[[Record], str]
) -> list[Series]:
    """For each pair a series over lanes, of the units with the default accumulator."""
    colours = _colours(inputs.pairs)
    series = []
    for pair in inputs.pairs:
        members = [unit for unit in units if pair_of(unit) == pair]
        by_lanes = [default_of([u for u in members if u["lanes"] == n]) for n in sorted({u["lanes"] for u in members})]
        known = [(unit, number) for unit in by_lanes if unit and (number := value(unit)) is not None]
        if known:
            words = [plural(unit["lanes"]) for unit, _ in known]
            numbers, hover = [number for _, number in known], [about(unit) for unit, _ in known]
            series.append(Series(label(pair), words, numbers, hover, colours[pair]))
    return series


def fpga(inputs: Inputs) -> Chart:
    """LUTs and clock on the FPGA."""
    panels = [
        Panel("LUTs / MXFP4's", _of_units(inputs, inputs.fpga, lambda unit: unit["ratio_to_mxfp4"], _about_fpga)),
        Panel("Fmax, MHz", _of_units(inputs, inputs.fpga, lambda unit: unit["fmax_mhz"], _about_fpga)),
    ]
    device = f"{inputs.fpga[0]['device']}, speed grade {inputs.fpga[0]['speed_grade']}" if inputs.fpga else ""
    return Chart(
        "fpga",
        "FPGA",
        f"Lattice {device}, after place and route; multipliers in LUTs, default accumulator. The RTL is written for "
        "gates: its adder trees are carry-save, which an FPGA's carry chains do not speed up.",
        "bars",
        "",
        "",
        panels if inputs.fpga else [],
        shared_y=False,
    )


def _about_fpga(unit: Record) -> str:
    lines = [
        _named(unit),
        f"{unit['luts']:,} LUTs, {unit['carries']:,} carries, {unit['flip_flops']:,} flip-flops",
        f"{unit['fmax_mhz']:.1f} MHz",
    ]
    return "<br>".join([*lines, *_ratios(unit, "LUTs")])
