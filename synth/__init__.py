"""What the hardware costs: gates, delay, energy, FPGA, and what each is compared with."""
