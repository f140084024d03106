"""What the measured peers share: stopwatches, and waiting until nothing is left.

Everything here looks at the private namespaces the measurement runs in.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import time

GONE_LIMIT_SECONDS = 60
GONE_POLL_SECONDS = 0.0005


def now_ms():
    return time.monotonic_ns() / 1e6


def devices():
    """The network devices that are not there from the start."""
    names = [line.split(":")[0].strip()
             for line in pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]]
    # A module may put its own into every namespace.
    return [name for name in names if name.startswith(("port", "s1", "br0", "h0", "h1", "h2", "net0"))]


def processes():
    """The processes of this PID namespace that are neither this one nor its ancestors."""
    own, pid = set(), os.getpid()
    while pid > 0:
        own.add(pid)
        pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in own:
            continue
        try:
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found.append(int(entry.name))
    return found


def memory_kib(pids):
    """What processes take together, what they share counted once (PSS, proc_pid_smaps(5))."""
    total = 0
    for pid in pids:
        try:
            lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def isolate():
    """Gives this process and its children a /run and control groups where no other lab of this
    machine is. Returns what removes the groups again."""
    subprocess.run(["mount", "-t", "tmpfs", "run", "/run"], check=True)
    mounts = [line.split() for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    places = [fields[4] for fields in mounts if fields[fields.index("-") + 1] == "cgroup2"]
    if not places:
        return lambda: None
    folder = tempfile.mkdtemp(prefix="labctl-bench.", dir=places[0])
    outside = os.open(places[0], os.O_RDONLY | os.O_DIRECTORY)
    subprocess.run(["mount", "--bind", folder, places[0]], check=True)

    def remove():
        deadline = time.monotonic() + GONE_LIMIT_SECONDS
        while True:
            try:
                return os.rmdir(os.path.basename(folder), dir_fd=outside)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(GONE_POLL_SECONDS)
    return remove


def wait_until_gone(*remaining):
    deadline = time.monotonic() + GONE_LIMIT_SECONDS
    while any(what() for what in remaining):
        if time.monotonic() > deadline:
            left = ", ".join(str(what()) for what in remaining)
            raise TimeoutError(f"still there after {GONE_LIMIT_SECONDS} s: {left}")
        time.sleep(GONE_POLL_SECONDS)


def report(up, down, *remaining, between=lambda: None):
    """Runs both functions, and `between` when all is up, waits until nothing `remaining` counts is
    left, and prints the times and what the processes took."""
    start = now_ms()
    up()
    is_up = now_ms()
    memory = memory_kib(processes())
    between()
    begins_down = now_ms()
    down()
    is_down = now_ms()
    wait_until_gone(*remaining)
    gone = now_ms()
    print(json.dumps({"up_ms": round(is_up - start, 2), "down_ms": round(is_down - begins_down, 2),
                      "gone_ms": round(gone - begins_down, 2), "memory_kib": memory}))
