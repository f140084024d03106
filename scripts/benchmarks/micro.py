#!/usr/bin/env python3
"""What the pure modules' work costs: processor time and allocations of single operations, medians of 21
batches of 20 ms. Prints a table.
"""

import argparse
import pathlib
import platform
import os
import subprocess

from reports import markdown, write_section

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def time(nanoseconds):
    """With three digits, in the unit that suits it."""
    for unit, factor in (("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= factor:
            return f"{nanoseconds / factor:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="the folder of the release programs")
    parser.add_argument("--only", default="", metavar="TEXT",
                        help="only operations whose name contains TEXT")
    parser.add_argument("--write", type=pathlib.Path, help="the file whose section is replaced")
    options = parser.parse_args()
    run = subprocess.run([f"{options.programs}/MicroBenchmarks", str(ROOT), options.only],
                         text=True, stdout=subprocess.PIPE, check=True)
    rows = [["operation", "median", "lowest", "allocations"]]
    for line in run.stdout.splitlines():
        name, median, lowest, allocations = line.split("\t")
        rows.append([name, time(float(median)), time(float(lowest)), f"{float(allocations):.3g}"])
    lines = markdown(rows) + [
        "",
        f"Processor time of one operation, medians and lowest of 21 batches on {os.cpu_count()} "
        f"processors, Linux {platform.release()}, {platform.machine()}. allocations: how often "
        "memory is asked for."]
    print("\n".join(lines))
    if options.write:
        write_section(options.write, "Single operations", "scripts/bench micro", lines)


if __name__ == "__main__":
    main()
