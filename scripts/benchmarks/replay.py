#!/usr/bin/env python3
"""Measures how fast a recorded timeline is read and judged.

The timeline is that of a real run of Labs/httpd-ha (the one that the report's tests look at): up to the
step that awaits that the address stays where it is, and from there on that step's own 4.5 seconds over
and over, with a probe every 10 ms, as if the step had asked for hours.
"""

import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import os
import tempfile

from reports import markdown, positive, write_section

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RECORDED = ROOT / "Tests" / "LabReportTests" / "Recorded" / "httpd-ha"
STEP = 9  # "stays on slave for 5 s"
PROBE_NS = 10_000_000
HOURS_ATTOSECONDS = 100_000 * 10**18
LIMIT_SECONDS = 600


def is_step(event, phase):
    return event["event"] == "step" and event["index"] == STEP and event["phase"] == phase


def timeline(count):
    """So many events, in order."""
    lines = (RECORDED / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = sorted((json.loads(line) for line in lines), key=lambda event: event["order"])
    begin = next(place for place, event in enumerate(events) if is_step(event, "began"))
    end = next(place for place, event in enumerate(events) if is_step(event, "passed"))
    cycle = [event for event in events[begin + 1:end] if event["event"] != "scenario"]
    # The probe's grid goes on without a gap.
    length = PROBE_NS * sum(event["event"] == "probe" for event in cycle)
    yield from events[:begin + 1]
    order, shift = begin + 1, 0
    while order < count:
        for event in cycle[:count - order]:
            order += 1
            moved = dict(event, time=event["time"] + shift, order=order)
            if "due" in event:
                moved["due"] = event["due"] + shift
            yield moved
        shift += length


def write_run(folder, count):
    record = json.loads((RECORDED / "run.json").read_text(encoding="utf-8"))
    step = record["lab"]["scenarios"][0]["steps"][STEP - 1]
    step["action"]["expect"]["_0"]["holding"] = list(divmod(HOURS_ATTOSECONDS, 2**64))
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with open(folder / "events.jsonl", "w", encoding="utf-8") as file:
        for event in sorted(timeline(count), key=lambda event: event["time"]):
            file.write(json.dumps(event, separators=(",", ":")) + "\n")


def replay(labctl, folder):
    """What one replay took: events, and what it told of the time, in seconds."""
    run = subprocess.run([labctl, "replay", str(folder), "--format", "json"], text=True,
                         capture_output=True, timeout=LIMIT_SECONDS, check=False)
    told = json.loads(run.stdout)
    # Whatever comes after a verdict is not looked at, and would cost nothing.
    if told["verdict"] != "none":
        raise SystemExit(f"bench: the run was over too soon: {run.stdout}{run.stderr}")
    return {key: value / 1e9 for key, value in told.items()
            if key.startswith(("reading", "judging"))} | {"events": told["events"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="the folder of the release programs")
    parser.add_argument("-n", "--repetitions", type=positive, default=5)
    parser.add_argument("--events", type=positive, default=1_000_000)
    parser.add_argument("--write", type=pathlib.Path, help="the file whose section is replaced")
    options = parser.parse_args()
    labctl = pathlib.Path(options.programs) / "labctl"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_run(folder, options.events)
        size = (folder / "events.jsonl").stat().st_size
        runs = [replay(labctl, folder) for _ in range(options.repetitions)]
    count = runs[0]["events"]
    rows = [["", "processor, s", "worst", "events a second", "by the clock, s"]]
    for title, key in (("judged by the scenario's machine", "judging"),
                       ("read from events.jsonl", "reading")):
        times = [run[key + "Processor"] for run in runs]
        median = statistics.median(times)
        rows.append([title, f"{median:.3f}", f"{max(times):.3f}", f"{count / median:,.0f}",
                     f"{statistics.median(run[key] for run in runs):.3f}"])
    lines = markdown(rows) + ["", (
        f"{count:,} events ({size >> 20} MiB), {options.repetitions} times, on {os.cpu_count()} "
        f"processors, {platform.system()} {platform.release()}, {platform.machine()}.")]
    print("\n".join(lines))
    if options.write:
        write_section(options.write, "Replay of a recorded run", "scripts/bench replay", lines)


if __name__ == "__main__":
    main()
