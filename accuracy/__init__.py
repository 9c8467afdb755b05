"""What a block format costs in accuracy: on a real transformer, and on a user's own tensors."""

from typing import TYPE_CHECKING

from amxfp4.lazy import lazy_exports

if TYPE_CHECKING:
    from amxfp4.accuracy.case import Case, mixed_cases, uniform_cases
    from amxfp4.accuracy.measure import Measure, measure_attention, measure_linear
    from amxfp4.accuracy.own import check_tensors, measure_own
    from amxfp4.accuracy.package import ensure_model
    from amxfp4.accuracy.study import run_study
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "Case",
    "Measure",
    "check_tensors",
    "ensure_model",
    "measure_attention",
    "measure_linear",
    "measure_own",
    "mixed_cases",
    "run_study",
    "uniform_cases",
]
