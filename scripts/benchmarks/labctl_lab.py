"""labctl_lab.py LABCTL LAB NAME: measures labctl up and down, services and their readiness
included."""

import subprocess
import sys

import measure


def main():
    labctl, lab, name = sys.argv[1:]

    def run(*arguments):
        result = subprocess.run([labctl, *arguments], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            command = " ".join(arguments)
            sys.exit(f"labctl {command}: status {result.returncode}: {result.stderr.strip()}")

    # The lab's names and sockets, where no other lab of this machine sees them.
    subprocess.run(["mount", "-t", "tmpfs", "run", "/run"], check=True)
    measure.report(lambda: run("up", lab), lambda: run("down", name), measure.processes)


main()
