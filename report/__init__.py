"""What was measured, on one page: cost against accuracy, where the area sits, delay, FPGA, energy."""
