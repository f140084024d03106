#!/usr/bin/env python3
"""Measures takeovers in Labs/fast-failover with each daemon, against the protocol's own figure.

Every round builds the lab anew for every daemon and case, one after the other, so that a busy moment
of this machine hits all alike. All times are read from the lab's timeline: frames carry the kernel's
stamp, addresses the supervisor's when it was told, requests the time of their answer.
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
import tempfile
import time

from reports import markdown, positive, write_section

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LAB = ROOT / "Labs" / "fast-failover"
VIP = "10.10.10.10"
RUN_LIMIT_SECONDS = 60
ATTACH_LIMIT_SECONDS = 20
DAEMONS = {"vrrp-agent": None, "keepalived": "/usr/sbin/keepalived", "frr": "/usr/lib/frr/vrrpd"}
COLUMNS = ["advert", "address", "GARP", "client"]
SKEW = (256 - 99) / 256  # of an interval: the backup's (RFC 9568 section 6.1)
PROBE = "2ms"


class Case:
    """What is done to the master, at which interval."""

    def __init__(self, name, text, interval_ms, files, act, silent_intervals):
        self.name, self.text, self.files, self.act = name, text, files, act
        # From the old master's last advertisement to the new one's first.
        self.prescribed_ms = (silent_intervals + SKEW) * interval_ms

    def scenario(self):
        files = "" if not self.files else "    files:\n" + "".join(
            f"      {node}:\n"
            f"        /etc/keepalived/keepalived.conf: {node}/keepalived-{self.files}.conf\n"
            f"        /etc/frr/frr.conf: {node}/frr-{self.files}.conf\n"
            for node in ("master", "backup"))
        return (f"  {self.name}:\n{files}"
                f"    probes: {{ web: {{ from: client, http: \"http://{VIP}/\", every: {PROBE} }} }}\n"
                f"    steps:\n"
                f"      - expect: {{ vip: {VIP}, on: master }}\n"
                f"      - wait: 500ms\n"
                f"      - {self.act}\n"
                f"      - expect: {{ vip: {VIP}, on: backup }}\n"
                f"      - expect: {{ http: \"http://{VIP}/\", from: client, body: this is backup }}\n"
                f"      - wait: 100ms\n")


CASES = [
    Case("cut-100ms", "100 ms, power cut", 100, None, "kill: master", 3),
    Case("cut-10ms", "10 ms, power cut", 10, "10ms", "kill: master", 3),
    Case("stop-100ms", "100 ms, daemon stopped", 100, None, "stop: master/vrrp", 0),
    Case("stop-10ms", "10 ms, daemon stopped", 10, "10ms", "stop: master/vrrp", 0),
]


def lab_with_cases(folder):
    """A copy of the lab with one scenario a case."""
    copy = pathlib.Path(folder) / "lab"
    shutil.copytree(LAB, copy)
    text = (copy / "lab.yaml").read_text(encoding="utf-8")
    head = text[:text.index("scenarios:")]
    (copy / "lab.yaml").write_text(
        head + "scenarios:\n" + "\n".join(case.scenario() for case in CASES), encoding="utf-8")
    return copy


def timeline(labctl, lab, case, daemon):
    """The events of one run of a case, in order."""
    name = f"bench-failover-{os.getpid()}"
    with subprocess.Popen(
            [labctl, "test", lab, "--name", name, "--scenario", case.name, "--vrrp", daemon],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        deadline = time.monotonic() + ATTACH_LIMIT_SECONDS
        lines = ""
        # Until the lab is there, nobody answers; then all there has been is told, up to its end.
        while not lines and run.poll() is None and time.monotonic() < deadline:
            lines = subprocess.run(
                [labctl, "events", "-l", name, "--follow", "--format", "json"],
                capture_output=True, text=True, check=False, timeout=RUN_LIMIT_SECONDS).stdout
        output = run.communicate(timeout=RUN_LIMIT_SECONDS)[0]
    if run.returncode != 0:
        raise RuntimeError(output.strip().splitlines()[-1] if output.strip() else "no message")
    events = [json.loads(line) for line in lines.splitlines()]
    return sorted(events, key=lambda event: event["time"])


def measure(events, case):
    """By how many milliseconds each thing came after the moment the protocol prescribes."""
    verb, target = case.act.split(": ")
    strike = next(event["time"] for event in events
                  if event["event"] == "control" and event["verb"] == verb
                  and event["target"] == target)
    after = [event for event in events if event["time"] > strike]

    def first(kind, **wanted):
        return next(event["time"] for event in after if event["event"] == kind
                    and all(event[key] == value for key, value in wanted.items()))

    new = next(event["time"] for event in after if event["event"] == "advertisement"
               and event["node"] == "backup" and event["priority"] > 0)
    last = max(event["time"] for event in events if event["event"] == "advertisement"
               and event["node"] == "master" and event["time"] < new)
    address = next(event["time"] for event in after if event["event"] == "address-added"
                   and event["node"] == "backup" and event["address"].startswith(VIP + "/"))
    answer = next(event["time"] for event in after if event["event"] == "probe"
                  and "this is backup" in event.get("body", ""))
    moment = last + case.prescribed_ms * 1e6
    return [(stamp - moment) / 1e6 for stamp in
            (new, address, first("gratuitous-arp", node="backup", address=VIP), answer)]


def cell(values):
    return f"{statistics.median(values):.2f} ({max(values):.2f})"


def table(results):
    rows = [["case", "prescribed, ms", "daemon"] + [f"{column}, ms" for column in COLUMNS]]
    for case in CASES:
        for daemon in DAEMONS:
            measured = results.get((case.name, daemon))
            if measured:
                rows.append([case.text, f"{case.prescribed_ms:.1f}", daemon]
                            + [cell(column) for column in zip(*measured)])
    return markdown(rows)


def legend(rounds):
    yield (f"Medians (worst) of {rounds} rounds on {os.cpu_count()} processors, Linux "
           f"{platform.release()}, {platform.machine()}. Every time is counted from the moment that "
           "RFC 9568 prescribes: the old master's last advertisement plus the second column. advert: "
           "the new master's first. address: it is on the new master. GARP: its first gratuitous "
           f"ARP. client: the first answer of the new master to one who asks every {PROBE}.")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench failover", description=__doc__)
    parser.add_argument("-n", "--rounds", type=positive, default=10)
    parser.add_argument("--write", metavar="FILE", type=pathlib.Path,
                        help="also puts the table there, as a section of Markdown")
    parser.add_argument("--programs", metavar="FOLDER", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.exit(3, "failover: namespaces are made as root: run this as root\n")

    results, gaps = {}, []
    present = [name for name, path in DAEMONS.items() if path is None or os.path.exists(path)]
    gaps += [f"{name}: not installed" for name in DAEMONS if name not in present]
    with tempfile.TemporaryDirectory(prefix="bench-failover-") as folder:
        lab = lab_with_cases(folder)
        for number in range(arguments.rounds):
            for case in CASES:
                for daemon in present:
                    if sys.stderr.isatty():
                        print(f"\r\033[Kround {number + 1}/{arguments.rounds}: {case.name}, {daemon}",
                              end="", file=sys.stderr, flush=True)
                    try:
                        events = timeline(arguments.programs / "labctl", lab, case, daemon)
                        results.setdefault((case.name, daemon), []).append(measure(events, case))
                    except (RuntimeError, StopIteration, subprocess.TimeoutExpired) as error:
                        gaps.append(f"{case.text}, {daemon}, round {number + 1}: {error!r}")
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    lines = table(results) + [""] + list(legend(arguments.rounds)) + gaps
    print("\n".join(lines))
    if arguments.write:
        write_section(arguments.write, "Takeovers", "scripts/bench failover", lines)


if __name__ == "__main__":
    main()
