#!/usr/bin/env python3
"""Measures wire-relay, the userspace wire: how far off a delay of 10 ms is, and how many small
frames a second it carries without losing one that it was not told to lose.

The floors are in the same run: a bare pair of veths, and a bridge of two ports, which is what stands
in the place of a wire where no fault is. Delays are differences of the kernel's stamps; processor
time is what the scheduler has counted (/proc/PID/schedstat).
"""

import argparse
import json
import os
import pathlib
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import reports

ISOLATE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
INSIDE = "LABCTL_BENCH_INSIDE"
HERE = pathlib.Path(__file__).resolve().parent
DELAY_NS = 10_000_000
SMALL_BYTES = 64
LIMIT_SECONDS = 60


def progress(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(words):
    subprocess.run(words.split(), check=True)


def busy_percent():
    """What share of the processors is in use, over a second."""
    def times():
        words = pathlib.Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
        return sum(map(int, words)), int(words[3]) + int(words[4])

    (all_before, idle_before), _, (all_after, idle_after) = times(), time.sleep(1), times()
    return 100 - 100 * (idle_after - idle_before) / (all_after - all_before)


def index(device):
    return socket.if_nametoindex(device)


def make_pair(left, right):
    """Two ends of a cable on which the kernel itself says nothing."""
    run(f"ip link add {left} type veth peer name {right}")
    for end in left, right:
        run(f"ip link set {end} addrgenmode none arp off up")


class Relay:
    """wire-relay between two cables."""

    def __init__(self, program):
        make_pair("relay-in", "relay-a")
        make_pair("relay-out", "relay-b")
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [program, "--control", str(theirs.fileno())], pass_fds=[theirs.fileno()])
        theirs.close()
        ours.settimeout(LIMIT_SECONDS)
        self.lines = ours.makefile("rw")
        self.requests = 0

    def ask(self, **request):
        self.requests += 1
        self.lines.write(json.dumps({"id": self.requests, **request}) + "\n")
        self.lines.flush()
        reply = json.loads(self.lines.readline())
        if not reply.get("done"):
            raise SystemExit(f"bench: wire-relay: {reply}")
        return reply

    def set(self, *rules):
        self.ask(set=[{"name": "link", "node": index("relay-a"), "network": index("relay-b"),
                       "out": list(rules)}])

    def lost(self):
        counters = self.ask(counters=True)["links"][0]["out"]
        return counters["missed"] + counters["refused"] + counters["all"]["overlimit"]

    def cpu_ns(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/schedstat").read_text(encoding="ascii")
        return int(text.split()[0])


class Way:
    """A way that frames go: named devices, and what to set and to read for it."""

    def __init__(self, name, first, last, arrival, relay=None, rules=(), delay=0):
        self.name, self.first, self.last, self.arrival = name, first, last, arrival
        self.relay, self.rules, self.delay = relay, rules, delay

    def load(self, program, count, rate):
        """What wire_load has found, with the share of a processor that the relay has used."""
        if self.relay:
            self.relay.set(*self.rules)
            lost, used = self.relay.lost(), self.relay.cpu_ns()
        text = subprocess.run(
            [program, self.first, self.last, str(count), str(rate), str(SMALL_BYTES), self.arrival],
            capture_output=True, text=True, check=True, timeout=LIMIT_SECONDS).stdout
        found = json.loads(text)
        found["cpu"] = found["lost"] = 0
        if self.relay:
            found["cpu"] = (self.relay.cpu_ns() - used) / found["seconds"] / 1e9
            found["lost"] = self.relay.lost() - lost
        return found


def ways(program):
    make_pair("veth-in", "veth-out")
    run("ip link add switch type bridge stp_state 0 mcast_snooping 0 forward_delay 0")
    run("ip link set switch addrgenmode none arp off up")
    for name in "bridge-in", "bridge-out":
        make_pair(name, f"{name}-port")
        run(f"ip link set {name}-port master switch")
    relay = Relay(program)
    delay = {"impairment": {"delay": DELAY_NS, "limitPackets": 100_000}}
    return [
        Way("veth pair", "veth-in", "veth-out", "veth-out"),
        Way("bridge", "bridge-in", "bridge-out", "bridge-in-port"),
        Way("wire", "relay-in", "relay-out", "relay-a", relay),
        Way("wire, 10 ms", "relay-in", "relay-out", "relay-a", relay, [delay], DELAY_NS),
    ]


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def measure_delay(all_ways, program, arguments):
    """How much later than it should a frame leaves, on an idle machine."""
    rows = [["frames a second", "way", "median, µs", "99 of 100, µs", "worst, µs", "processor, %"]]
    for rate in 100, 1000:
        off = {way.name: [] for way in all_ways}
        cpu = {way.name: [] for way in all_ways}
        for _ in range(arguments.repetitions):
            for way in all_ways:
                if way.arrival == way.last:
                    continue  # Nothing lies between.
                found = way.load(program, rate * arguments.seconds, rate)
                off[way.name] += [each - way.delay for each in found["late_ns"]]
                cpu[way.name].append(found["cpu"] * 100)
        for way in all_ways:
            if not off[way.name]:
                continue
            distances = [abs(each) for each in off[way.name]]
            rows.append([str(rate), way.name, f"{statistics.median(off[way.name]) / 1e3:+.1f}",
                         f"{percentile(distances, 0.99) / 1e3:.1f}",
                         f"{max(distances) / 1e3:.1f}",
                         f"{statistics.median(cpu[way.name]):.1f}" if way.relay else "-"])
    return rows


def measure_rate(all_ways, program, arguments):
    """Small frames at set rates: how many arrive, and what that costs the relay."""
    rows = [["frames a second", "way", "sent a second", "lost of a million", "out of order",
             "processor, %"]]
    for rate in 20_000, 100_000, 150_000, 200_000, 0:
        for way in all_ways:
            results = [way.load(program, (rate or 300_000) * arguments.seconds, rate)
                       for _ in range(arguments.repetitions)]
            found = sorted(results, key=lambda each: each["received"] / each["sent"])[0]
            speed = statistics.median(each["received"] / each["seconds"] for each in results)
            lost = 1e6 * (found["sent"] - found["received"]) / found["sent"]
            rows.append([f"{rate}" if rate else "all", way.name, f"{speed:.0f}", f"{lost:.0f}",
                         str(max(each["disordered"] for each in results)),
                         f"{100 * statistics.median(each['cpu'] for each in results):.0f}"
                         if way.relay else "-"])
    return rows


def ratio(rows, rate):
    """The relay's frames a second to the bridge's."""
    speeds = {row[1]: float(row[2]) for row in rows[1:] if row[0] == rate}
    return speeds["wire"] / speeds["bridge"]


def inside(arguments):
    """Measures, in namespaces of this run's own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="labctl-bench-wire."))
    program = folder / "wire_load"
    try:
        subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program,
                        HERE / "wire_load.c"], check=True)
        all_ways = ways(arguments.programs / "wire-relay")
        busy = busy_percent()
        progress("delay")
        delays = measure_delay(all_ways, program, arguments)
        progress("rate")
        rates = measure_rate(all_ways, program, arguments)
    finally:
        program.unlink(missing_ok=True)
        folder.rmdir()
    lines = (reports.markdown(delays) + [""] + reports.markdown(rates) + [
        "",
        f"{arguments.repetitions} × {arguments.seconds} s of each, in turn, on {os.cpu_count()} "
        f"processors, of which other work took {busy:.0f} % before it began, Linux "
        f"{platform.release()}, {platform.machine()}. The first table: how much "
        f"later than its delay says a frame of {SMALL_BYTES} bytes leaves, by the kernel's stamps; "
        f"\"99 of 100\" and \"worst\" are distances. The second: the worst of the runs. The "
        f"program that sends and receives needs one of the processors. As fast as it goes, the "
        f"wire without a rule carries {ratio(rates, 'all'):.2f} times what the bridge does."])
    print("\n".join(lines))
    if arguments.write:
        reports.write_section(arguments.write, "The userspace wire", "scripts/bench wire", lines)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench wire", description=__doc__)
    parser.add_argument("-n", "--repetitions", type=reports.positive, default=5)
    parser.add_argument("--seconds", type=reports.positive, default=2,
                        help="how long each measurement sends")
    parser.add_argument("--write", metavar="FILE", type=pathlib.Path,
                        help="also writes the tables into that Markdown file")
    parser.add_argument("--programs", metavar="FOLDER", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.exit(3, "bench: namespaces are made as root: run this as root\n")
    if INSIDE in os.environ:
        return inside(arguments)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ISOLATE + [sys.executable, "-B", *sys.argv])


if __name__ == "__main__":
    main()
