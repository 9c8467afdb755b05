"""The cycle of each result of a job, as the golden model predicts it."""

import numpy as np
from numpy.typing import NDArray

from amxfp4.sim.layer.job import Job


def predicted_cycles(job: Job, outputs: int) -> NDArray[np.int64]:
    """The golden model's cycle of each result, (outputs,), when neither end ever stalls.

    Without stalls a unit repeats itself from one dot product to the next. So the model is asked for the first few,
    which show the period, and the others follow at that period.
    """
    shown = min(outputs, 3)
    last = np.arange(1, shown * job.beats_per_dot + 1) % job.beats_per_dot == 0
    first = job.schedule(last)
    period = int(np.diff(first)[0]) if shown > 1 else 0
    assert (np.diff(first) == period).all()
    return first[0] + period * np.arange(outputs, dtype=np.int64)
