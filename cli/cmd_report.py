"""`amxfp4 report`: what was measured, on one page and as still pictures."""

from pathlib import Path

import click

from amxfp4.cli import run_options

FOLDER = Path("build/report")
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("report")
@click.option("--area", type=_FILE, help="What `amxfp4 area` wrote (default build/area/area.json).")
@click.option("--accuracy", type=_FILE, help="What `amxfp4 accuracy` wrote (default build/accuracy/accuracy.json).")
@click.option("--sweep", type=_FILE, help="What `amxfp4 sweep` wrote (default build/sweep/sweep.json); optional.")
@click.option("--fpga", type=_FILE, help="What `amxfp4 fpga` wrote (default build/fpga/fpga.json); optional.")
@click.option("--energy", type=_FILE, help="What `amxfp4 energy` wrote (default build/energy/energy.json); optional.")
@run_options.output_folder(FOLDER, "index.html, summary.md and the pictures")
def command(
    area: Path | None, accuracy: Path | None, sweep: Path | None, fpga: Path | None, energy: Path | None, output: Path
) -> None:
    """Write one HTML page of cost, accuracy, delay and ratios, which needs no network; a table; SVG pictures.

    Reads what `amxfp4 area` and `amxfp4 accuracy` wrote, and `amxfp4 sweep`, `amxfp4 fpga` and `amxfp4 energy` where
    they did.
    """
    from amxfp4.files import check_readable, write_text
    from amxfp4.report import inputs, page, still
    from amxfp4.report.answer import answer
    from amxfp4.report.measured_charts import measured_charts
    from amxfp4.report.pair_table import pair_table

    # What need not be there must be there if it is asked for.
    for asked, writer in ((sweep, "sweep"), (fpga, "fpga"), (energy, "energy")):
        if asked is not None:
            check_readable(asked, f"a file that `amxfp4 {writer}` wrote")
    found = inputs.read_inputs(
        area or inputs.AREA,
        accuracy or inputs.ACCURACY,
        sweep or inputs.SWEEP,
        fpga or inputs.FPGA,
        energy or inputs.ENERGY,
    )
    drawn = measured_charts(found)
    keys = {chart.key for chart in drawn}
    notes = [note for key, note in LEFT_OUT.items() if key not in keys]
    if found.quick:
        notes.append("Accuracy is that of `amxfp4 accuracy --quick`: some sentences only, and no pairs of two formats.")
    sentences = answer(found)
    text = page.page(found, sentences, drawn, notes)
    pictures = [output / f"{chart.key}.svg" for chart in drawn]
    for chart, picture in zip(drawn, pictures, strict=True):
        still.write(chart, picture)
    write_text(output / "index.html", text)
    write_text(output / "summary.md", pair_table(found))
    click.echo(" ".join(sentences))
    for note in notes:
        click.echo(note, err=True)
    click.echo(
        f"written to {', '.join(str(file) for file in (output / 'index.html', output / 'summary.md', *pictures))}"
    )


LEFT_OUT = {
    "submodules": "Area by submodule is left out: `amxfp4 area` was run without it.",
    "trade-off": "Area against clock period of every pipeline is left out: `amxfp4 sweep` measures it.",
    "energy": "Energy is left out: `amxfp4 energy` estimates it.",
    "fpga": "FPGA figures are left out: `amxfp4 fpga` measures them.",
}
