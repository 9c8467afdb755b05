"""Many long calls side by side, with progress, so that one that fails costs no other."""

from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from typing import TYPE_CHECKING, TypeVar

from amxfp4.workers import DIED, Workers

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


def processes(jobs: int) -> Workers:
    """So many processes."""
    return Workers(jobs)


def run_all(
    calls: Mapping[str, Callable[[], T]],
    executor: Executor,
    console: "Console",
    what: str,
    errors: tuple[type[Exception], ...],
    done: Callable[[str, T], None] = lambda name, result: None,
) -> tuple[dict[str, T], dict[str, str]]:
    """Runs calls side by side.

    Args:
        calls: They begin in this order, so the longest should come first. The executor must be able to carry them.
        executor: Runs them.
        console: Shows the progress.
        what: The progress bar's name.
        errors: What a call may raise without stopping the others.
        done: Called with each result as it comes.

    Returns:
        What each call returned, by name; and a sentence for each call that raised one of `errors`. Both are in the
        calls' order.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    found: dict[str, T] = {}
    failed: dict[str, str] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, executor:
        task = progress.add_task(what, total=len(calls))
        running: dict[Future[T], str] = {executor.submit(call): name for name, call in calls.items()}
        try:
            for future in as_completed(running):
                name = running[future]
                try:
                    found[name] = future.result()
                    done(name, found[name])
                except BrokenExecutor:
                    failed[name] = f"{name}: {DIED}"
                except errors as error:
                    sentence = " ".join(str(error).split())
                    failed[name] = sentence if name in sentence else f"{name}: {sentence}"
                progress.update(task, advance=1, description=f"{what}: {name}")
                if not console.is_terminal:  # a log shows no bar before its end
                    count = f"{len(found) + len(failed)}/{len(calls)}"
                    console.print(f"{what} {count}: {name}", highlight=False, markup=False, soft_wrap=True)
        except BaseException:
            if not isinstance(executor, Workers):  # they end by themselves, and trip over a cancelled call
                for future in running:
                    future.cancel()
            raise
        progress.update(task, description=what)
    return (
        {name: found[name] for name in calls if name in found},
        {name: failed[name] for name in calls if name in failed},
    )
