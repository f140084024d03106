"""munet_lab.py NODES: measures munet with as many hosts on one network, run by the Python that has
it, as `munet --topology-only` does.

The time to import it is not counted: a user of its Python interface pays that once.
"""

import argparse
import asyncio
import logging
import pathlib
import sys
import tempfile
import time

from munet import base, parser
from munet.compat import PytestConfig

import measure

ATTEMPTS_MAX = 100
PAUSE_SECONDS = 0.01


def await_children():
    """Has munet ask again where it looks for a process that it has started before that is there
    (0.17.3): on a busy machine it gives up otherwise."""
    once = base.Commander.cmd_raises

    def again(self, command, **options):
        for attempt in range(ATTEMPTS_MAX):
            try:
                return once(self, command, **options)
            except base.CalledProcessError:
                if "pgrep" not in str(command) or attempt == ATTEMPTS_MAX - 1:
                    raise
                time.sleep(PAUSE_SECONDS)
        return None

    base.Commander.cmd_raises = again


def configuration(nodes, folder):
    hosts = [{"name": f"h{i}",
              "connections": [{"to": "net0", "name": "eth0",
                               "ip": f"10.0.{(i + 1) // 256}.{(i + 1) % 256}/8"}]}
             for i in range(nodes)]
    return {"topology": {"networks-autonumber": False, "networks": [{"name": "net0"}],
                         "nodes": hosts},
            "config_pathname": f"{folder}/munet.yaml"}


def main():
    logging.disable(logging.CRITICAL)
    await_children()
    loop = asyncio.new_event_loop()
    networks = []
    with tempfile.TemporaryDirectory() as folder:
        arguments = argparse.Namespace(
            rundir=folder, kinds_config=None, project_root=None, gdb=None, gdb_breakpoints=None,
            gdb_use_emacs=False, host=False, pcap=None, shell=None, stderr=None, stdout=None,
            topology_only=True, cleanup=False, verbose=False)
        pathlib.Path(folder, "munet.yaml").touch()

        def up():
            networks.append(loop.run_until_complete(parser.async_build_topology(
                configuration(int(sys.argv[1]), folder), rundir=folder, args=arguments,
                pytestconfig=PytestConfig(arguments))))

        measure.report(up, lambda: loop.run_until_complete(networks[0].async_delete()),
                       # A helper process of its own stays.
                       measure.devices)


main()
