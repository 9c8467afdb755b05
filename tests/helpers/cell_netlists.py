"""Netlists of library cells, written by hand."""


def netlist(ports: dict[str, tuple[str, int]], cells: dict[str, tuple[str, dict[str, int]]]) -> dict:
    """As yosys writes it: one module `top`, every port and net a single bit.

    Args:
        ports: Name -> direction and net.
        cells: Name -> the library's cell, and the net of each pin.
    """
    nets = {net for _, net in ports.values()} | {net for _, pins in cells.values() for net in pins.values()}
    return {
        "modules": {
            "top": {
                "ports": {name: {"direction": direction, "bits": [net]} for name, (direction, net) in ports.items()},
                "cells": {
                    name: {"type": kind, "connections": {pin: [net] for pin, net in pins.items()}}
                    for name, (kind, pins) in cells.items()
                },
                "netnames": {f"net{net}": {"bits": [net]} for net in nets},
            }
        }
    }
