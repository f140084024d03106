"""ip_lab.py NODES: measures ip-lab.sh."""

import pathlib
import subprocess
import sys

import measure

SCRIPT = pathlib.Path(__file__).with_name("ip-lab.sh")


def main():
    nodes = sys.argv[1]
    # `ip netns` keeps its names there: in a tmpfs that only this mount namespace sees.
    pathlib.Path("/run/netns").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "names", "/run/netns"], check=True)
    measure.report(lambda: subprocess.run([SCRIPT, "up", nodes], check=True),
                   lambda: subprocess.run([SCRIPT, "down", nodes], check=True),
                   measure.devices)


main()
