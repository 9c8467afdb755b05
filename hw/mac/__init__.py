"""The multiply-accumulate unit: a box of its block diagram is a file."""
