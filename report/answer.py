"""Is asymmetry's cost negligible, and for which design? In numbers, from what was measured."""

from amxfp4.accuracy.study_tables import shown_label
from amxfp4.hw.catalogue import Pair
from amxfp4.report.inputs import Inputs
from amxfp4.report.pairs import NEGLIGIBLE, is_asymmetric, label, pair_of, plural


def answer(inputs: Inputs) -> list[str]:
    """The sentences of one paragraph, plain text, the verdict first."""
    prices = {
        pair: prices for pair in inputs.pairs if is_asymmetric(pair) and (prices := _ratios(inputs, pair, "symmetric"))
    }
    if not prices:
        return ["Nothing asymmetric was measured together with its symmetric unit, so there is no answer."]
    sentences = [_verdict(prices), _prices(prices, inputs)]
    best = min(prices, key=lambda pair: (max(prices[pair].values()), pair))
    sentences += [_against_mxfp4(inputs, best), _speed(inputs, best), _energy(inputs, best), _accuracy(inputs, prices)]
    return [sentence for sentence in sentences if sentence]


def _ratios(inputs: Inputs, pair: Pair, to: str) -> dict[int, float]:
    units = {lanes: inputs.unit(pair, lanes) for lanes in inputs.lanes}
    return {n: unit[f"ratio_to_{to}"] for n, unit in units.items() if unit and unit[f"ratio_to_{to}"] is not None}


def _percent(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.1f} %".replace("-", "−")


def _verdict(prices: dict[Pair, dict[int, float]]) -> str:
    limit = f"{100 * (NEGLIGIBLE - 1):.0f} % of the symmetric unit's area"
    always = [pair for pair, by_lanes in prices.items() if max(by_lanes.values()) <= NEGLIGIBLE]
    partly = {
        pair: [lanes for lanes, ratio in by_lanes.items() if ratio <= NEGLIGIBLE]
        for pair, by_lanes in prices.items()
        if pair not in always
    }
    partly = {pair: lanes for pair, lanes in partly.items() if lanes}
    parts = [f"for {_and([label(pair) for pair in always])} at every number of lanes"] if always else []
    parts += [f"for {label(pair)} at {_lanes(lanes)}" for pair, lanes in partly.items()]
    if not parts:
        ratio, lanes, pair = min((r, n, pair) for pair, by_lanes in prices.items() for n, r in by_lanes.items())
        least = f"{label(pair)} with {_percent(ratio)} at {plural(lanes)}"
        return f"No: asymmetry costs more than {limit} in every design measured; the least is {least}."
    never = [label(pair) for pair in prices if pair not in always and pair not in partly]
    rest = f"; no for {_and(never)}" if never else ""
    return f"Yes {', '.join(parts)}{rest}, if negligible means at most {limit}."


def _prices(prices: dict[Pair, dict[int, float]], inputs: Inputs) -> str:
    each = [f"{label(pair)} {' / '.join(map(_percent, by_lanes.values()))}" for pair, by_lanes in prices.items()]
    return (
        f"Asymmetry alone costs, with the default accumulator at {_lanes(inputs.lanes)} in library {inputs.library}: "
        f"{'; '.join(each)}."
    )


def _against_mxfp4(inputs: Inputs, pair: Pair) -> str:
    ratios = _ratios(inputs, pair, "mxfp4")
    if not ratios:
        return ""
    each = _and([f"×{ratio:.2f} at {plural(lanes)}" for lanes, ratio in ratios.items()])
    return f"The whole {label(pair)} unit, the cheapest of them, is {each} of MXFP4's with its float32 accumulator."


def _speed(inputs: Inputs, pair: Pair) -> str:
    ratios = {}
    for lanes in inputs.lanes:
        unit, baseline = inputs.unit(pair, lanes), inputs.unit(("MXFP4", "MXFP4"), lanes)
        if unit and baseline:
            ratios[lanes] = unit["period_ps"] / baseline["period_ps"]
    if not ratios:
        return ""
    return f"Its clock period is {_and([f'×{r:.2f}' for r in ratios.values()])} of MXFP4's."


def _energy(inputs: Inputs, pair: Pair) -> str:
    units = [unit for unit in inputs.energy if pair_of(unit) == pair]
    known = {unit["lanes"]: unit["ratio_to_mxfp4"] for unit in units if unit["ratio_to_mxfp4"] is not None}
    if not known:
        return ""
    each = _and([f"×{ratio:.2f} at {plural(lanes)}" for lanes, ratio in sorted(known.items())])
    return f"A MAC takes {each} of MXFP4's energy."


def _accuracy(inputs: Inputs, prices: dict[Pair, dict[int, float]]) -> str:
    mxfp4 = ("MXFP4", "MXFP4")
    symmetric = [pair for pair in inputs.pairs if not is_asymmetric(pair) and pair != mxfp4]
    known = []
    for pair in (mxfp4, *symmetric, *prices):
        case = inputs.accuracy(pair)
        sqnr = case and case["linear_layers_mean"]["output"]
        if sqnr is not None:
            known.append(f"{label(pair)} {sqnr:.2f}")
    against = [f"{shown_label(case)} {case['linear_layers_mean']['output']:.2f}" for case in inputs.extra_baselines]
    if not known:
        return ""
    return (
        f"What it buys on {inputs.model}, mean SQNR of the linear layers' outputs in dB, each format's own blocks "
        "where none are named: "
        f"{', '.join(known)}{'; beside them ' if against else ''}{_and(against) if against else ''}."
    )


def _lanes(numbers: list[int]) -> str:
    return f"{_and([str(n) for n in numbers])} {'lane' if numbers == [1] else 'lanes'}"


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
