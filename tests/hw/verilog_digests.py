"""Digests of the Verilog of units, to see what a change of the code does to netlists.

    python tests/hw/verilog_digests.py             rewrites verilog_digests.json beside this file
    python tests/hw/verilog_digests.py --all       prints those of every config that can be built, which takes hours

Two outputs of `--all`, from before and after a refactoring, are the same where every netlist is.
"""

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of the package `helpers`

from helpers.configs import every_mac, every_quantizer
from helpers.digests import FIRST, OTHERS, RECORD, digests, text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every config that can be built, as JSON on the terminal")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes side by side (default: all cores)")
    options = parser.parse_args()
    if options.all:
        print(json.dumps(digests([*every_mac(), *every_quantizer()], options.jobs), indent=1))
    else:
        RECORD.write_text(text(digests([*FIRST, *OTHERS], options.jobs)))


if __name__ == "__main__":
    main()
