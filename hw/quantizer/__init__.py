"""The quantiser: a box of its block diagram is a file."""
