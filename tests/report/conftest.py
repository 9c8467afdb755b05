"""Measurements that every test here may look at."""

from pathlib import Path

import pytest
from helpers import report_samples

from amxfp4.report import inputs
from amxfp4.report.inputs import Inputs


@pytest.fixture
def found(tmp_path: Path) -> Inputs:
    report_samples.write(tmp_path)
    paths = (tmp_path / path for path in (inputs.AREA, inputs.ACCURACY, inputs.SWEEP, inputs.FPGA, inputs.ENERGY))
    return inputs.read_inputs(*paths)
