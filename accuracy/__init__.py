"""What a block format costs in accuracy: on a real transformer, and on a user's own tensors."""

from amxfp4.accuracy.case import Case
from amxfp4.accuracy.measure import Measure, measure_attention, measure_linear
from amxfp4.accuracy.own import measure_own
from amxfp4.accuracy.package import ensure_model
from amxfp4.accuracy.study import run_study

__all__ = ["Case", "Measure", "ensure_model", "measure_attention", "measure_linear", "measure_own", "run_study"]


def __dir__() -> list[str]:
    return sorted(__all__)
