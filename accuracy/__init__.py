"""What a block format costs in accuracy: on a real transformer, and on a user's own tensors."""

from typing import TYPE_CHECKING

from amxfp4.lazy import lazy_exports

if TYPE_CHECKING:
    from amxfp4.accuracy.case import Case, mixed_cases, uniform_cases
    from amxfp4.accuracy.own import check_tensors, measure_own
    from amxfp4.accuracy.package import ensure_model
    from amxfp4.accuracy.study import run_study
    from amxfp4.golden import sqnr
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = ["Case", "check_tensors", "ensure_model", "measure_own", "mixed_cases", "run_study", "sqnr", "uniform_cases"]
