"""What the benches send through a unit, and what must come of it."""
