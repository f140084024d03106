"""What the measured peers share: stopwatches, and waiting until nothing is left.

Everything here looks at the private namespaces the measurement runs in.
"""

import json
import os
import pathlib
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
    return [name for name in names if name.startswith(("port", "s1", "br0", "h1", "h2"))]


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


def wait_until_gone(*remaining):
    deadline = time.monotonic() + GONE_LIMIT_SECONDS
    while any(what() for what in remaining):
        if time.monotonic() > deadline:
            left = ", ".join(str(what()) for what in remaining)
            raise TimeoutError(f"still there after {GONE_LIMIT_SECONDS} s: {left}")
        time.sleep(GONE_POLL_SECONDS)


def report(up, down, *remaining):
    """Runs both functions, waits until nothing `remaining` counts is left, prints the times."""
    start = now_ms()
    up()
    is_up = now_ms()
    down()
    is_down = now_ms()
    wait_until_gone(*remaining)
    gone = now_ms()
    print(json.dumps({"up_ms": round(is_up - start, 2), "down_ms": round(is_down - is_up, 2),
                      "gone_ms": round(gone - is_up, 2)}))
