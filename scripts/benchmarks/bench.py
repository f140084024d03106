#!/usr/bin/env python3
"""Measures how long labs of two machines take to come and go, labctl beside its peers.

Every repetition runs all contestants one after the other, each in namespaces of its own, so that
a busy moment of this machine hits all alike. Prints medians, and lowest times in brackets.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

import reports

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LAB = ROOT / "Labs" / "two-node"
NODES = "2"
ISOLATE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
RUN_LIMIT_SECONDS = 120
PHASES = ["up_ms", "down_ms", "gone_ms"]
# Debian's mininet belongs to Debian's Python.
SYSTEM_PYTHON = "/usr/bin/python3"


class Contestant:
    def __init__(self, name, command, gap=None):
        self.name = name
        self.command = [str(word) for word in command]
        self.gap = gap  # why it is not measured
        self.results = []

    def run(self):
        if self.gap:
            return
        try:
            done = subprocess.run(ISOLATE + self.command, capture_output=True, text=True,
                                  timeout=RUN_LIMIT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            self.gap = f"took more than {RUN_LIMIT_SECONDS} s"
            return
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            self.gap = f"status {done.returncode}: {last}"
            return
        self.results.append(json.loads(done.stdout.splitlines()[-1]))

    def median(self, phase):
        return statistics.median(result[phase] for result in self.results)

    def lowest(self, phase):
        return min(result[phase] for result in self.results)


def gap_of_mininet():
    if subprocess.run([SYSTEM_PYTHON, "-c", "import mininet.net"], capture_output=True,
                      check=False).returncode != 0:
        return "not installed (scripts/setup bench)"
    return None if shutil.which("brctl") else "brctl is not installed (scripts/setup bench)"


def contestants(folder):
    floor = folder / "floor"
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", floor,
                    HERE / "floor.c"], check=True)
    labctl = folder / "labctl"
    gap = None
    if not labctl.exists():
        gap = f"{labctl} is not built"
    elif not LAB.exists():
        gap = f"there is no {LAB.relative_to(ROOT)}"
    return [
        Contestant("floor: namespaces, links, addresses", [floor, NODES, "bare"]),
        Contestant("floor: with a machine's root as well", [floor, NODES, "node"]),
        Contestant("labctl: machines with ready services",
                   [sys.executable, HERE / "labctl_lab.py", labctl, LAB, LAB.name], gap),
        Contestant("a shell script of ip commands",
                   [sys.executable, HERE / "ip_lab.py", NODES],
                   None if shutil.which("ip") else "ip is not installed (scripts/setup)"),
        Contestant("mininet", [SYSTEM_PYTHON, HERE / "mininet_lab.py", NODES],
                   gap_of_mininet()),
    ]


def cell(contestant, phase):
    return f"{contestant.median(phase):.1f} ({contestant.lowest(phase):.1f})"


def table(all_contestants):
    rows = [["two machines on one bridge", "up, ms", "down, ms", "gone, ms", "up, × floor"]]
    floor = all_contestants[0]
    for contestant in all_contestants:
        if not contestant.results:
            rows.append([contestant.name, f"not measured: {contestant.gap}", "", "", ""])
            continue
        ratio = "-"
        if floor.results:
            ratio = f'{contestant.median("up_ms") / floor.median("up_ms"):.1f}'
        rows.append([contestant.name] + [cell(contestant, phase) for phase in PHASES] + [ratio])
    # A gap's reason runs on over the empty cells after it.
    widths = [max(len(row[column]) for row in rows if column != 1 or row[2])
              for column in range(5)]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |"
             for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def legend(all_contestants, repetitions):
    yield (f"Medians (lowest) of {repetitions} alternating repetitions on {os.cpu_count()} "
           f"processors, Linux {platform.release()}, {platform.machine()}.")
    yield ("up: everything is there and the command has returned. down: the command that ends it "
           "has returned. gone: no device and no process is left, counted from when down began.")
    for contestant in all_contestants:
        if contestant.gap and contestant.results:
            yield f"{contestant.name}: stopped after {len(contestant.results)}: {contestant.gap}"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("-n", "--repetitions", type=reports.positive, default=15)
    parser.add_argument("--write", metavar="FILE", type=pathlib.Path,
                        help="also writes the table there, as Markdown")
    parser.add_argument("--programs", metavar="FOLDER", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.exit(3, "bench: namespaces are made as root: run this as root\n")

    measured = contestants(arguments.programs)
    for repetition in range(arguments.repetitions):
        if sys.stderr.isatty():
            print(f"\rrepetition {repetition + 1}/{arguments.repetitions} ", end="",
                  file=sys.stderr, flush=True)
        for contestant in measured:
            contestant.run()
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)

    lines = table(measured) + [""] + list(legend(measured, arguments.repetitions))
    print("\n".join(lines))
    if arguments.write:
        reports.write_section(arguments.write, "Labs of two machines", "scripts/bench", lines)


if __name__ == "__main__":
    main()
