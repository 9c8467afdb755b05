"""The multiply-accumulate unit: one file per box of its block diagram."""
