"""The quantiser: one file per box of its block diagram."""
