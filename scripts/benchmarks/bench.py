#!/usr/bin/env python3
"""Measures how long labs take to come and go, by their size, labctl beside its peers.

Every repetition runs all contestants of a size one after the other, each in namespaces of its own,
so that a busy moment of this machine hits all alike. What has been measured is kept in a file: a run
that is interrupted goes on where it was (--resume). Prints medians.
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

import chart
import reports

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECORD = ROOT / ".build" / "bench-labs.json"
SIZES = [2, 10, 100, 500, 1000]
WITH_SERVICES = 200
ISOLATE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
RUN_LIMIT_SECONDS = 240
# Debian's mininet belongs to Debian's Python.
SYSTEM_PYTHON = "/usr/bin/python3"
MUNET = "munet==0.17.3"
PHASES = ["up_ms", "down_ms", "gone_ms"]


class Contestant:
    """One way to build a lab: what to run, up to which size, and up to which more than once."""

    def __init__(self, name, command, largest=SIZES[-1], repeated=SIZES[-1], gap=None):
        self.name = name
        self.command = command  # of a size
        self.largest = largest
        self.repeated = repeated
        self.gap = gap  # why it is not measured

    def measure(self, size):
        """What one run has shown; nil, with a gap, when it came to nothing."""
        command = ISOLATE + [str(word) for word in self.command(size)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  timeout=RUN_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.gap = f"took more than {RUN_LIMIT_SECONDS} s at {size}"
            return None
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            self.gap = f"status {done.returncode} at {size}: {last}"
            return None
        return json.loads(done.stdout.splitlines()[-1])


class Record:
    """What has been measured, by contestant and size, kept in a file."""

    def __init__(self, resumes):
        self.results = {}
        if resumes and RECORD.exists():
            self.results = json.loads(RECORD.read_text(encoding="utf-8"))

    def of(self, name, size):
        return self.results.get(f"{name}: {size}", [])

    def add(self, name, size, result):
        self.results.setdefault(f"{name}: {size}", []).append(result)
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(json.dumps(self.results), encoding="utf-8")

    def median(self, name, size, phase):
        """Nil where nothing was measured."""
        values = [result[phase] for result in self.of(name, size) if phase in result]
        return statistics.median(values) if values else None


def gap_of_mininet():
    if subprocess.run([SYSTEM_PYTHON, "-c", "import mininet.net"], capture_output=True,
                      check=False).returncode != 0:
        return "not installed (scripts/setup bench)"
    return None if shutil.which("brctl") else "brctl is not installed (scripts/setup bench)"


def munet_python():
    """A Python that has munet, in an environment of its own below the user's cache; and why there
    is none."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(cache) / "labctl-bench" / MUNET
    python = folder / "bin" / "python3"
    if subprocess.run([python, "-c", "import munet.parser"], capture_output=True,
                      check=False).returncode == 0 if python.exists() else False:
        return python, None
    for command in ([SYSTEM_PYTHON, "-m", "venv", "--clear", folder],
                    [python, "-m", "pip", "--quiet", "install", MUNET]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return python, f"could not be installed: {last}"
    return python, None


FLOOR, LIKE, LABCTL = "floor", "floor, machine's root", "labctl"
SERVICES = "labctl, vrrp-agent and web server in each"


def contestants(folder, wants_munet):
    floor = folder / "floor"
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", floor,
                    HERE / "floor.c"], check=True)
    labctl = folder / "labctl"
    gap = None if labctl.exists() else f"{labctl} is not built"
    lab = [sys.executable, HERE / "labctl_lab.py", labctl]
    python, munet_gap = munet_python() if wants_munet else (None, "not asked for")
    return [
        Contestant(FLOOR, lambda size: [floor, size, "bare"]),
        Contestant(LIKE, lambda size: [floor, size, "node"]),
        Contestant(LABCTL, lambda size: [*lab, size], gap=gap),
        Contestant("ip -batch", lambda size: [sys.executable, HERE / "ip_lab.py", size],
                   largest=500, repeated=100,
                   gap=None if shutil.which("ip") else "ip is not installed (scripts/setup)"),
        Contestant("mininet", lambda size: [SYSTEM_PYTHON, HERE / "mininet_lab.py", size],
                   largest=500, repeated=100, gap=gap_of_mininet()),
        Contestant("munet", lambda size: [python, HERE / "munet_lab.py", size],
                   largest=100, repeated=2, gap=munet_gap),
    ], Contestant(SERVICES, lambda size: [*lab, size, "services"], gap=gap)


def run_all(measured, with_services, sizes, repetitions, record):
    """Fills the record up to so many repetitions: the small first, in turns."""
    def fill(contestant, size, wanted):
        if contestant.gap or size > contestant.largest:
            return
        if size > contestant.repeated:
            wanted = 1
        if len(record.of(contestant.name, size)) >= wanted:
            return
        if sys.stderr.isatty():
            print(f"\r\033[K{size}: {contestant.name} ", end="", file=sys.stderr, flush=True)
        result = contestant.measure(size)
        if result:
            record.add(contestant.name, size, result)

    for repetition in range(1, repetitions + 1):
        for size in sizes:
            for contestant in measured:
                fill(contestant, size, repetition)
        fill(with_services, WITH_SERVICES, repetition)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)


def number(value):
    return "-" if value is None else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def ratio(value, base):
    return "-" if value is None or not base else f"{value / base:.2f}" if value < 10 * base \
        else f"{value / base:.0f}"


def row(record, name, size):
    medians = [record.median(name, size, phase) for phase in PHASES]
    memory = record.median(name, size, "memory_kib")
    bases = [record.median(base, size, "up_ms") for base in (FLOOR, LIKE, LABCTL)]
    gone = record.median(LIKE, size, "gone_ms")
    return ([str(size), name] + [number(median) for median in medians]
            + [ratio(medians[0], base) for base in bases] + [ratio(medians[2], gone)]
            + ["-" if memory is None else f"{memory / size:.0f}"])


HEAD = ["nodes", "", "up, ms", "down, ms", "gone, ms", "up, × floor", "× its root", "× labctl",
        "gone, × floor", "PSS, KiB a node"]


def table(record, measured, sizes):
    rows = [HEAD]
    for size in sizes:
        rows += [row(record, contestant.name, size) for contestant in measured
                 if record.of(contestant.name, size)]
    if record.of(SERVICES, WITH_SERVICES):
        rows.append(row(record, SERVICES, WITH_SERVICES))
    return reports.markdown(rows)


def legend(record, everybody):
    counts = [len(results) for results in record.results.values()]
    yield (f"Medians of {max(counts)} alternating repetitions (one of what takes long) on "
           f"{os.cpu_count()} processors, Linux {platform.release()}, {platform.machine()}, with a "
           f"load of {os.getloadavg()[2]:.1f} over the last quarter of an hour.")
    yield ""
    yield ("up: everything is there and the command has returned. down: the command that ends it "
           "has returned. gone: no device and no process is left, counted from when down began. "
           "floor: namespaces (network, PID, UTS, mount), an init process, links and addresses, by "
           "a C program that talks to the kernel alone. machine's root: IPC and cgroup namespaces, "
           "a control group, and the mounts of labctl's nodes besides; the last ratio is to that. "
           "PSS: of all processes, the supervisor's included, divided by the nodes.")
    gaps = [f"{contestant.name}: {contestant.gap}." for contestant in everybody if contestant.gap]
    if gaps:
        yield ""
        yield " ".join(gaps)


def plot(record, measured, sizes):
    names = [contestant.name for contestant in measured
             if any(record.of(contestant.name, size) for size in sizes)]
    panels = []
    for title, phase in (("up", "up_ms"), ("down, until all is gone", "gone_ms")):
        series = [[(size, record.median(name, size, phase)) for size in sizes
                   if record.of(name, size)] for name in names]
        panels.append((f"{title}, by the number of nodes", sizes, series))
    return chart.svg(names, panels)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("-n", "--repetitions", type=reports.positive, default=5)
    parser.add_argument("--sizes", type=lambda text: sorted(map(reports.positive, text.split(","))),
                        default=SIZES, help="numbers of nodes, as 2,100")
    parser.add_argument("--ours", action="store_true", help="only floor and labctl")
    parser.add_argument("--resume", action="store_true",
                        help="goes on with what an earlier run has measured")
    parser.add_argument("--write", metavar="FILE", type=pathlib.Path,
                        help="also writes the table there, as Markdown, and a plot beside it")
    parser.add_argument("--programs", metavar="FOLDER", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.exit(3, "bench: namespaces are made as root: run this as root\n")

    measured, with_services = contestants(arguments.programs, not arguments.ours)
    if arguments.ours:
        measured = measured[:3]
    record = Record(arguments.resume)
    run_all(measured, with_services, arguments.sizes, arguments.repetitions, record)
    if not record.results:
        gaps = "; ".join(f"{contestant.name}: {contestant.gap}" for contestant in measured)
        parser.exit(1, f"bench: nothing could be measured: {gaps}\n")

    lines = table(record, measured, arguments.sizes) + [""]
    lines += legend(record, measured + [with_services])
    print("\n".join(lines))
    if arguments.write:
        picture = arguments.write.with_suffix(".svg")
        picture.write_text(plot(record, measured, arguments.sizes), encoding="utf-8")
        lines = [f"![How long labs take to come and go, by their size]({picture.name})", ""] + lines
        reports.write_section(arguments.write, "Labs by their size", "scripts/bench", lines)


if __name__ == "__main__":
    main()
