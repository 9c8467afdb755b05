"""Describes the multiply-accumulate hardware in Amaranth; turns it into Verilog, gates and areas."""
