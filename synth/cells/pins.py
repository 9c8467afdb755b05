"""The pins of a cell, one by one, whichever way its library groups them."""

from __future__ import annotations

from collections.abc import Iterator

from amxfp4.synth.cells.liberty_text import Group


def pins_of(cell: Group) -> list[Group]:
    """A group for each pin: `pin (A, B)` is two, and a bundle's members have what the bundle says of them all.

    What several groups say of one pin is joined. A bus stays whole, as it needs its library's types to be told apart.

    Raises:
        UsageError: A pin or a bundle has no name.
    """
    found: dict[str, Group] = {}
    for name, group in _named(cell):
        pin = found.setdefault(name, Group("pin", (name,), source=group.source, at=group.at, parent=cell))
        pin.attributes |= group.attributes
        pin.complex |= {key: values for key, values in group.complex.items() if key != "members"}
        pin.earlier += group.earlier
        pin.groups += [inner for inner in group.groups if inner.kind != "pin"]
    return list(found.values())


def _named(cell: Group) -> Iterator[tuple[str, Group]]:
    """Each pin's name with what is said of it, what is said of several before what is said of one."""
    for group in cell.groups:
        if group.kind not in ("pin", "bus", "bundle"):
            continue
        names = group.names
        if group.kind == "bundle":
            names = tuple(name for text in group.complex.get("members", ()) for name in text.split())
        if not names:
            raise group.lack("name" if group.kind != "bundle" else "members", "one or more are needed")
        for name in names:
            yield name, group
        if group.kind != "pin":
            yield from ((name, pin) for pin in group.of_kind("pin") for name in pin.names)
