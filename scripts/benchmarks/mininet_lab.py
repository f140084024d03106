"""mininet_lab.py NODES: measures mininet with as many hosts on one Linux bridge.

The time to import it is not counted: a user of its Python interface pays that once.
"""

import sys

import mininet.log
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo

import measure


def main():
    mininet.log.setLogLevel("error")
    networks = []

    def up():
        network = Mininet(topo=SingleSwitchTopo(int(sys.argv[1])), switch=LinuxBridge,
                          controller=None)
        network.start()
        networks.append(network)

    measure.report(up, lambda: networks[0].stop(), measure.devices, measure.processes)


main()
