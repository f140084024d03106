#!/usr/bin/env python3
"""Measures vrrp-agent beside keepalived: both in one run, in namespaces of their own on one machine,
so that whatever else keeps the machine busy hits both alike.

Processor time is what the scheduler has counted (/proc/PID/schedstat), and frames carry the
kernel's stamps. keepalived's figures are the sums over its processes. Prints medians, and how many
times keepalived's ours is.
"""

import argparse
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

import agent_scale
import agent_world as world
import reports

ISOLATE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
INSIDE = "LABCTL_BENCH_INSIDE"
PRIORITY = 100
BETTER = 200
# The second burst of announcements comes 5 s after an election of 3.6 s, and 10 s after its start
# our agent gives memory back, once.
SETTLED_SECONDS = 12
QUIET_SECONDS = 1.5  # after a reload
LARGE = 1000
LOADED_SHARE = 3  # times as long as an idle one, for what happens once in a hundred intervals

# (name, instances, version, interval in seconds, role)
IDLE = [
    ("1 master, version 2, 1 s", 1, 2, 1, "master"),
    ("50 masters, version 2, 1 s", 50, 2, 1, "master"),
    ("255 masters, version 2, 1 s", 255, 2, 1, "master"),
    ("1 master, 10 ms", 1, 3, 0.01, "master"),
    ("1 backup, 10 ms", 1, 3, 0.01, "backup"),
    ("100 masters, 100 ms", 100, 3, 0.1, "master"),
    ("100 backups, 100 ms", 100, 3, 0.1, "backup"),
]


def progress(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Results:
    """The measured values by row, ours and keepalived's, in the order in which rows came up."""

    def __init__(self, daemons):
        self.daemons = daemons
        self.rows = {}

    def add(self, row, unit, daemon, value):
        values = self.rows.setdefault((row, unit), {each.name: [] for each in self.daemons})
        values[daemon.name].append(value)

    def table(self):
        names = [daemon.name for daemon in self.daemons]
        rows = [[""] + names + ["ratio", "in single rounds"]]
        for (row, unit), values in self.rows.items():
            ours, theirs = (statistics.median(values[name]) for name in names)
            ratios = [one / other for one, other in zip(*(values[name] for name in names)) if other]
            rows.append([f"{row}, {unit}", f"{ours:.4g}", f"{theirs:.4g}",
                         f"{ours / theirs:.2f}" if theirs else "-",
                         f"{min(ratios):.2f} to {max(ratios):.2f}" if ratios else "-"])
        return reports.markdown(rows)


# MARK: What is measured


def measure_start(daemons, results, repetitions):
    """From the start of the program to the first advertisement of its last instance."""
    for count, times in ((1, 4 * repetitions), (LARGE, repetitions)):
        last = world.configuration(count, 2, 100, world.OWNER)
        cable, vrid = divmod(count - 1, world.PER_CABLE)
        for _ in range(times):
            for daemon in daemons:
                daemon.write(last)
                started = daemon.start()
                frames = daemon.frames_until(
                    lambda frame: frame.kind == "advert" and frame.vrid == vrid + 1, cable)
                results.add(f"start to first advertisement, {count} masters", "ms", daemon,
                            (frames[-1].nanoseconds - started) / 1e6)
                daemon.stop()


class Feeder:
    """Another router that is master of all instances, for backups to listen to."""

    def __init__(self, count, interval, daemons):
        self.interval = interval
        self.frames = [world.advert(number + 1, BETTER, round(interval * 100),
                                    world.address_of(number)) for number in range(count)]
        self.cables = [daemon.cables[0] for daemon in daemons]
        self.rounds = 0

    def run(self, seconds):
        end = time.monotonic() + seconds
        due = time.monotonic()
        while due < end:
            # Who comes second finds the kernel's code in the caches: everyone does, in turn.
            self.rounds += 1
            for frame in self.frames:
                for cable in self.cables[::-1 if self.rounds % 2 else 1]:
                    cable.send(frame)
            due += self.interval
            time.sleep(max(0, due - time.monotonic()))


def measure_idle(daemons, results, repetitions, seconds):
    """Processor time and memory of both at the same time."""
    for _ in range(repetitions):
        for name, count, version, interval, role in IDLE:
            text = world.configuration(count, version, interval, PRIORITY, per_cable=255)
            wait = time.sleep
            if role == "backup":
                wait = Feeder(count, interval, daemons).run
            for daemon in daemons:
                daemon.write(text)
                daemon.start()
            wait(SETTLED_SECONDS)
            before = []
            for daemon in daemons:
                daemon.cables[0].frames()
                before.append((time.monotonic_ns(), daemon.cpu_nanoseconds()))
            wait(seconds)
            shares = [(daemon.cpu_nanoseconds() - used) / (time.monotonic_ns() - start)
                      for daemon, (start, used) in zip(daemons, before)]
            sent = [sum(frame.kind == "advert" and not frame.is_own
                        for frame in daemon.cables[0].frames()) for daemon in daemons]
            # A backup steps in when the feeder has lost the processor for a while.
            if any((number > 0.1 * seconds / interval) != (role == "master") for number in sent):
                progress(f"{name}: left out, this machine is too busy")
                for daemon in daemons:
                    daemon.stop()
                continue
            for daemon, share, number in zip(daemons, shares, sent):
                if role == "master":
                    # keepalived sets out from when it woke, not from when it should have, and so
                    # sends fewer: that is not to count as thrift.
                    results.add(f"processor per advertisement, {name}", "µs", daemon,
                                share * seconds * 1e6 / number)
                    results.add(f"advertisements of those due, {name}", "%", daemon,
                                100 * number * interval / (seconds * count))
                else:
                    results.add(f"processor, {name}", "% of one", daemon, share * 100)
                rss, pss = daemon.memory()
                results.add(f"memory, {name}", "RSS MB", daemon, rss / 1024)
                results.add(f"memory, {name}", "PSS MB", daemon, pss / 1024)
                daemon.stop()


def measure_timers(daemons, results, repetitions, seconds):
    """Intervals between a master's advertisements while all processors are kept busy.

    What a backup suffers from is a gap that is too long. One that is late is counted once so: who
    keeps to its schedule sends the next one in time, after a shorter gap, and who sets out from
    when it woke goes on with whole intervals, and falls behind.
    """
    for _ in range(repetitions):
        for daemon in daemons:
            daemon.write(world.configuration(1, 3, 0.01, world.OWNER))
            daemon.start()
        time.sleep(1)
        busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"])
                for _ in range(os.cpu_count())]
        time.sleep(0.5)
        for daemon in daemons:
            daemon.cables[0].frames()
        time.sleep(LOADED_SHARE * seconds)
        captured = [daemon.cables[0].frames() for daemon in daemons]
        for process in busy:
            process.kill()
            process.wait()
        for daemon, frames in zip(daemons, captured):
            stamps = [frame.nanoseconds for frame in frames if frame.kind == "advert"]
            off = [(later - earlier - 10_000_000) / 1000
                   for earlier, later in zip(stamps, stamps[1:])]
            results.add("10 ms under load, off by: median", "µs", daemon,
                        statistics.median(map(abs, off)))
            for limit in (100, 1000):
                results.add(f"10 ms under load, gaps more than {limit / 1000:g} ms too long", "%",
                            daemon, 100 * sum(each > limit for each in off) / len(off))
            daemon.stop()


def measure_takeover(daemons, results, rounds):
    """From the end of Master_Down_Interval to the new master's first frames."""
    for centiseconds in (10, 1):
        interval = centiseconds / 100
        down = 3 * interval + interval * (256 - PRIORITY) / 256
        for daemon in daemons:
            daemon.write(world.configuration(1, 3, interval, PRIORITY))
            daemon.start()
        time.sleep(1)
        frame = world.advert(1, BETTER, centiseconds, world.address_of(0))
        for _ in range(rounds):
            for daemon in daemons:
                cable = daemon.cables[0]
                cable.frames()
                for _ in range(3):
                    cable.send(frame)
                    time.sleep(interval)
                frames = daemon.frames_until(
                    lambda frame: frame.kind == "arp" and not frame.is_own)
                heard = [each for each in frames if each.kind == "advert"]
                deadline = max(each.nanoseconds for each in heard if each.is_own) + down * 1e9
                first = next(each.nanoseconds for each in heard
                             if not each.is_own and each.nanoseconds > deadline - 1e6)
                # The other one stays backup meanwhile or is master: it is on another cable.
                name = f"master down at {interval * 1000:.0f} ms to"
                results.add(f"{name} first advertisement", "µs", daemon, (first - deadline) / 1e3)
                results.add(f"{name} gratuitous ARP", "µs", daemon,
                            (frames[-1].nanoseconds - deadline) / 1e3)
        for daemon in daemons:
            daemon.stop()


def measure_reload(daemons, results, repetitions):
    """A file of a thousand masters, of which the last gets another address."""
    watches = [world.AddressWatch(daemon.namespace) for daemon in daemons]
    for daemon in daemons:
        daemon.write(world.configuration(LARGE, 2, 100, world.OWNER))
        daemon.start()
    time.sleep(SETTLED_SECONDS)
    for repetition in range(repetitions):
        for daemon, watch in zip(daemons, watches):
            address = f"10.3.200.{repetition + 1}"
            daemon.write(world.configuration(LARGE, 2, 100, world.OWNER, last_address=address))
            used, started = daemon.cpu_nanoseconds(), time.monotonic_ns()
            daemon.reload()
            seen = watch.wait_for(address, world.LIMIT_SECONDS)
            time.sleep(QUIET_SECONDS)
            results.add("reload of 1000 instances to the new address", "ms", daemon,
                        (seen - started) / 1e6)
            results.add("reload of 1000 instances, processor", "ms", daemon,
                        (daemon.cpu_nanoseconds() - used) / 1e6)
    for daemon in daemons:
        rss, pss = daemon.memory()
        results.add("memory, 1000 masters after reloads", "RSS MB", daemon, rss / 1024)
        results.add("memory, 1000 masters after reloads", "PSS MB", daemon, pss / 1024)
        daemon.stop()


# MARK: The run


def inside(arguments):
    """Measures, in namespaces of this run's own."""
    world.run("mount", "-t", "tmpfs", "tmpfs", "/run")
    daemons = [world.Daemon("vrrp-agent", 0, arguments.programs / "vrrp-agent"),
               world.Daemon("keepalived", 1, pathlib.Path(shutil.which("keepalived")))]
    results = Results(daemons)
    parts = {
        "start": lambda: measure_start(daemons, results, arguments.repetitions),
        "idle": lambda: measure_idle(daemons, results, arguments.repetitions,
                                     arguments.seconds),
        "timers": lambda: measure_timers(daemons, results, arguments.repetitions,
                                         arguments.seconds),
        "takeover": lambda: measure_takeover(daemons, results, 6 * arguments.repetitions),
        "reload": lambda: measure_reload(daemons, results, 2 * arguments.repetitions),
        "many": lambda: agent_scale.measure_many(daemons, results, arguments.repetitions,
                                                 arguments.seconds, progress),
        "addresses": lambda: agent_scale.measure_addresses(daemons, results,
                                                           arguments.repetitions),
    }
    for part in arguments.only or parts:
        progress(part)
        parts[part]()
    lines = results.table() + [
        "",
        f"Medians of {arguments.repetitions} or more measurements, both daemons in one run, on "
        f"{os.cpu_count()} processors, Linux {platform.release()}, {platform.machine()}, "
        f"keepalived {keepalived_version()}.",
        "ratio: ours to keepalived's; beside it the least and the greatest of single rounds, in "
        "which both ran side by side: a row with 1 between them is a tie. Memory and processor "
        "time are sums over a daemon's processes. A gap between two advertisements that is 1 ms too "
        "long is the slice of a neighbour that keeps the processor busy. A backup that took over "
        "would send a frame for each router at least; one now and then is a report to the group.",
    ]
    print("\n".join(lines))
    if arguments.write:
        reports.write_section(arguments.write, "The agent beside keepalived",
                              "scripts/bench agent", lines)


def keepalived_version():
    text = subprocess.run(["keepalived", "-v"], capture_output=True, text=True, check=True)
    return text.stderr.split()[1].lstrip("v")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench agent", description=__doc__)
    parser.add_argument("-n", "--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10,
                        help="how long an idle or loaded daemon is watched")
    parser.add_argument("--only", action="append",
                        choices=["start", "idle", "timers", "takeover", "reload", "many",
                                 "addresses"])
    parser.add_argument("--write", metavar="FILE", type=pathlib.Path,
                        help="also writes the table into that Markdown file")
    parser.add_argument("--programs", metavar="FOLDER", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.exit(3, "bench: namespaces are made as root: run this as root\n")
    if not shutil.which("keepalived"):
        parser.exit(3, "bench: keepalived is not installed (scripts/setup)\n")
    if INSIDE in os.environ:
        return inside(arguments)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ISOLATE + [sys.executable, "-B", *sys.argv])


if __name__ == "__main__":
    main()
