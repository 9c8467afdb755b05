"""What the report needs of the files that the other commands write. All other keys are allowed, and are not read."""

from typing import NotRequired, TypedDict

from amxfp4.synth.record import Measured


class Fpga(Measured):
    """Of `amxfp4 fpga`, a MAC unit."""

    device: str
    speed_grade: int
    luts: int
    carries: int
    flip_flops: int
    fmax_mhz: float
    ratio_to_mxfp4: float | None
    ratio_to_symmetric: float | None


class Energy(Measured):
    """Of `amxfp4 energy`, a MAC unit."""

    library: str
    logic: float
    registers: float
    clock: float
    energy_per_mac: float
    ratio_to_mxfp4: float | None


class Means(TypedDict):
    """SQNR in dB; null where it is not finite."""

    activation: float | None
    weight: float | None
    output: float | None


class EndToEnd(TypedDict):
    """What became of the embeddings; null where a number is not finite."""

    cosine_mean: float | None
    rank_correlation: float | None


Ends = TypedDict("Ends", {"linear": EndToEnd, "linear and attention": EndToEnd})


class Case(TypedDict):
    """Of `amxfp4 accuracy`, one way of quantising."""

    activation: str
    weight: str
    block_size: int
    rounding: str
    weight_encode: str
    accumulate: str | None
    linear_layers_mean: Means
    end_to_end: Ends


class Difference(TypedDict):
    """Of a mean, and its standard error; null where a number is not finite."""

    difference: float | None
    error: float | None


class ComparedEnd(TypedDict):
    """What became of the embeddings, beside NVFP4's; null where a number is not finite."""

    cosine_mean: float | None
    cosine_error: float | None
    to_nvfp4: Difference


ComparedEnds = TypedDict("ComparedEnds", {"linear": ComparedEnd, "linear and attention": ComparedEnd})


class Compared(TypedDict):
    """Of `amxfp4 accuracy`, one of the ways that are compared as they are used."""

    label: str
    activation_bits: float
    linear_layers_mean: Means
    end_to_end: ComparedEnds


class Int4(Compared):
    """Of `amxfp4 accuracy`, one way of INT4."""

    group: int | None


class Study(TypedDict):
    """Of `amxfp4 accuracy`, the whole file. Older ones lack INT4."""

    model: str
    quick: bool
    cases: list[Case]
    int4: NotRequired[list[Int4]]
