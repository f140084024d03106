#!/usr/bin/env python3
"""Measures node-init, the first process of a node, which it talks to as the supervisor does.

What it costs in memory, how soon a node has booted, and that it keeps track of its services through
thousands of orphans, starts and stops, and kills.
"""

import argparse
import ctypes
import os
import pathlib
import platform
import shutil
import signal
import socket
import statistics
import struct
import tempfile
import time

from reports import markdown, positive, write_section

# <sched.h>: mount, cgroup, UTS, IPC, PID and network namespaces of its own.
NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
LIMIT_SECONDS = 120
SETTLING_SECONDS = 3
SECOND_NS = 1_000_000_000
RUNNING, READY, STOPPING, EXITED, SIGNALLED, FAILED = range(6)


def text(value):
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def items(values, encode):
    return struct.pack("<I", len(values)) + b"".join(encode(value) for value in values)


def boot_request(folder):
    """NodeRequest.boot: a disk that is there, no programs, files, variables or services."""
    none = struct.pack("<I", 0)
    return (b"\0" + text("node") + b"\0" + text(f"{folder}/root") + text(f"{folder}/layers") + none
            + b"\0" + text("127.0.0.1 localhost\n") + none + none + none)


def sysctls_request():
    """NodeRequest.sysctls of none: the least that is answered."""
    return b"\1" + struct.pack("<I", 0)


def start_request(name, command):
    """NodeRequest.start of a service that is ready as soon as it runs."""
    return (b"\2" + text(name) + struct.pack("<I", 0) + text("") + b"\1" + items(command, text)
            + b"\0" + struct.pack("<qBq", 5 * SECOND_NS, 0, 5 * SECOND_NS))


class Node:
    """A node without a lab."""

    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="labctl-bench-node.")
        ours, theirs = socket.socketpair()
        self.socket, self.buffer = ours, b""
        ours.settimeout(LIMIT_SECONDS)
        self.reports = []
        self.pid = self.spawn(program, theirs)
        theirs.close()

    def spawn(self, program, theirs):
        reader, writer = os.pipe()
        execution, executing = os.pipe()
        middle = os.fork()
        if middle == 0:
            if ctypes.CDLL(None, use_errno=True).unshare(NAMESPACES):
                os._exit(1)
            pid = os.fork()
            if pid == 0:
                os.dup2(theirs.fileno(), 3)
                os.write(executing, struct.pack("<q", time.monotonic_ns()))
                os.closerange(4, 64)
                os.execv(program, ["node-init"])
            os.write(writer, struct.pack("<i", pid))
            os._exit(0)
        os.close(writer)
        pid, = struct.unpack("<i", os.read(reader, 4))
        os.close(reader)
        os.waitpid(middle, 0)
        self.send(sysctls_request())
        self.receive()
        answered = time.monotonic_ns()
        executed, = struct.unpack("<q", os.read(execution, 8))
        for end in execution, executing:
            os.close(end)
        self.start_ms = (answered - executed) / 1e6
        self.send(boot_request(self.folder))
        self.receive()
        self.boot_ms = (time.monotonic_ns() - answered) / 1e6
        return pid

    def send(self, payload):
        self.socket.sendall(struct.pack("<II", len(payload), 0) + payload)

    def receive(self):
        """The next report's bytes; what comes along with it is closed."""
        while len(self.buffer) < 8 or len(self.buffer) < 8 + self.length():
            data, descriptors, _, _ = socket.recv_fds(self.socket, 65536, 16)
            for descriptor in descriptors:
                os.close(descriptor)
            if not data:
                raise SystemExit("bench: node-init has ended")
            self.buffer += data
        end = 8 + self.length()
        report, self.buffer = self.buffer[8:end], self.buffer[end:]
        if report[0] == 1:
            raise SystemExit(f"bench: {report[5:].decode()}")
        return report

    def length(self):
        return struct.unpack_from("<I", self.buffer)[0]

    def await_state(self, name, *wanted):
        """A service's next state of these, and the process it names."""
        while True:
            report = self.receive()
            if report[0] != 3 or report[5:5 + len(name)] != name.encode():
                continue
            state, rest = report[13 + len(name)], report[14 + len(name):]
            if state == FAILED and FAILED not in wanted:
                raise SystemExit(f"bench: {name}: {rest[4:].decode()}")
            if state in wanted:
                return struct.unpack("<i", rest[:4])[0] if len(rest) >= 4 else None

    def start(self, name, *command):
        self.send(start_request(name, command))
        self.await_state(name, READY)

    def stop(self, name, number=b"\3"):
        self.send(number + text(name))
        self.await_state(name, EXITED, SIGNALLED)

    def processes(self):
        """How many processes live in the node, zombies too."""
        children = pathlib.Path(f"/proc/{self.pid}/root/proc")
        return sum(entry.name.isdigit() for entry in children.iterdir())

    def pss_kib(self):
        lines = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))

    def settled_mib(self):
        """The memory once what booting or starting needed is given back, a second later."""
        before = self.pss_kib()
        deadline = time.monotonic() + SETTLING_SECONDS
        while time.monotonic() < deadline and self.pss_kib() > 0.9 * before:
            time.sleep(0.01)
        return self.pss_kib() / 1024

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        # It is the init process's child by now, and gone when its connection is.
        while self.socket.recv(65536):
            pass
        shutil.rmtree(self.folder)


def milliseconds(values):
    return [f"{pick(values):.1f}" for pick in (min, statistics.median, max)]


def times(program, count):
    """Until it answers, and from then until it has booted."""
    starts, boots = [], []
    for _ in range(count):
        node = Node(program)
        starts.append(node.start_ms)
        boots.append(node.boot_ms)
        node.end()
    return starts, boots


def sizes(program, count):
    """Of one node alone: what several have in common counts for each of them a part."""
    found = []
    for _ in range(count):
        node = Node(program)
        found.append(node.settled_mib())
        node.end()
    return found


def orphans(node, count):
    """Lets a service leave so many children behind; how long until none of them is left."""
    script = f"i=0; while [ $i -lt {count} ]; do (true &) ; i=$((i+1)); done; exec sleep 1000"
    before = time.monotonic()
    node.start("parent", "sh", "-c", script)
    deadline = before + LIMIT_SECONDS
    while name_of(node) != "sleep" or node.processes() > 2:
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: {node.processes()} processes are left")
        time.sleep(0.001)
    spent = time.monotonic() - before
    node.stop("parent")
    return spent


def name_of(node):
    """The name of the node's only service's process."""
    children = pathlib.Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()
    names = [pathlib.Path(f"/proc/{child}/comm").read_text().strip() for child in children[:1]]
    return names[0] if names else ""


def cycles(node, count, number):
    """Starts a service and ends it, so many times; how long one takes, in milliseconds."""
    begin = time.monotonic()
    for _ in range(count):
        node.start("cycled", "sleep", "1000")
        node.stop("cycled", number)
    if node.processes() != 1:
        raise SystemExit(f"bench: {node.processes()} processes are left")
    return (time.monotonic() - begin) * 1000 / count


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="the folder of the release programs")
    parser.add_argument("-n", "--repetitions", type=positive, default=50)
    parser.add_argument("--orphans", type=positive, default=10_000)
    parser.add_argument("--cycles", type=positive, default=1_000)
    parser.add_argument("--write", type=pathlib.Path, help="the file whose section is replaced")
    options = parser.parse_args()
    program = f"{options.programs}/node-init"
    starts, boots = times(program, options.repetitions)
    memory = sizes(program, min(options.repetitions, 5))
    node = Node(program)
    reaping = orphans(node, options.orphans)
    stops = cycles(node, options.cycles, b"\3")
    kills = cycles(node, options.cycles, b"\4")
    grown = node.settled_mib()
    node.end()
    rows = [
        ["node-init", "least", "median", "most", "goal"],
        ["from exec to its first answer, ms", *milliseconds(starts), "3"],
        ["from there to booted, root and all, ms", *milliseconds(boots), ""],
        ["memory (PSS), MiB", *milliseconds(memory), "2"],
        [f"{options.orphans} orphans reaped, s", "", f"{reaping:.1f}", "", ""],
        [f"start and stop, of {options.cycles}, ms", "", f"{stops:.2f}", "", ""],
        [f"start and SIGKILL, of {options.cycles}, ms", "", f"{kills:.2f}", "", ""],
        ["memory after all that, MiB", "", f"{grown:.1f}", "", "2"],
    ]
    lines = [f"Linux {platform.release()}, {os.cpu_count()} processors.", "", *markdown(rows)]
    print("\n".join(lines))
    if options.write:
        write_section(options.write, "The first process of a node", "scripts/bench node", lines)


if __name__ == "__main__":
    main()
