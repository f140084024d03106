"""More than any network has: 255 virtual routers on one interface at 10 ms, a master and a backup beside
each other; and a thousand addresses on one virtual router. Part of agent.py.
"""

import json
import subprocess
import time

import agent_world as world

ROUTERS = 255
INTERVAL = 0.01
PRIORITIES = (200, 100)
SETTLED_SECONDS = 12
ADDRESSES = 1000
SAID = 20  # an advertisement has room for 255, and keepalived for 20 (virtual_ipaddress)


class Pair:
    """Two daemons of one kind on one network."""

    def __init__(self, master, number):
        self.master = master
        self.backup = world.Daemon(master.name, number, master.program)
        # Both came with the same address.
        self.backup.ip("address", "replace", "10.0.0.3/16", "dev", "eth0")
        self.backup.ip("address", "delete", "10.0.0.1/16", "dev", "eth0")
        self.bridge = f"pair{number}"

    def connect(self):
        world.run("ip", "link", "add", self.bridge, "type", "bridge", "mcast_snooping", "0")
        for port in self.ports():
            world.run("ip", "link", "set", port, "master", self.bridge)
        world.run("ip", "link", "set", self.bridge, "up")

    def disconnect(self):
        world.run("ip", "link", "delete", self.bridge)

    def ports(self):
        return [f"cable{daemon.namespace.removeprefix('bench')}.0"
                for daemon in (self.master, self.backup)]

    def sent(self):
        """How many frames each has sent. Looking at them would cost as much as sending them."""
        counts = []
        for port in self.ports():
            text = subprocess.run(["ip", "-s", "-j", "link", "show", "dev", port],
                                  capture_output=True, text=True, check=True).stdout
            counts.append(json.loads(text)[0]["stats64"]["rx"]["packets"])
        return counts


def measure_many(daemons, results, repetitions, seconds, progress):
    """One pair at a time: each fills a processor."""
    pairs = [Pair(daemon, len(daemons) + number) for number, daemon in enumerate(daemons)]
    name = f"{ROUTERS} routers at 10 ms"
    for _ in range(repetitions):
        for pair in pairs:
            pair.connect()
            both = (pair.master, pair.backup)
            for daemon, priority in zip(both, PRIORITIES):
                daemon.write(world.configuration(ROUTERS, 3, INTERVAL, priority,
                                                 per_cable=ROUTERS))
                daemon.start()
            time.sleep(SETTLED_SECONDS)
            begun, used, before = (time.monotonic(), [each.cpu_nanoseconds() for each in both],
                                   pair.sent())
            time.sleep(seconds)
            counts = [now - then for now, then in zip(pair.sent(), before)]
            taken = [each.cpu_nanoseconds() - then for each, then in zip(both, used)]
            lasted = time.monotonic() - begun
            progress(f"{pair.master.name}: {counts[0]} frames of the master, {counts[1]} of the "
                     "backup")
            results.add(f"processor per advertisement, master, {name}", "µs", pair.master,
                        taken[0] / 1e3 / max(counts[0], 1))
            results.add(f"advertisements of those due, master, {name}", "%", pair.master,
                        100 * counts[0] * INTERVAL / (lasted * ROUTERS))
            results.add(f"processor, backup beside it, {name}", "% of one", pair.master,
                        taken[1] / 1e7 / lasted)
            results.add(f"frames of the backup beside it, {name}", "of them", pair.master, counts[1])
            for daemon in both:
                daemon.stop()
            pair.disconnect()


def addresses():
    """A keepalived.conf of one router with a thousand addresses; the last of them."""
    every = [f"10.0.{100 + number // 250}.{number % 250 + 1}" for number in range(ADDRESSES)]
    lines = ["vrrp_instance VI_1 {", "    state MASTER", "    interface eth0",
             "    virtual_router_id 1", f"    priority {world.OWNER}", "    advert_int 1",
             "    virtual_ipaddress {", *every[:SAID], "    }",
             "    virtual_ipaddress_excluded {", *every[SAID:], "    }", "}"]
    return "\n".join(lines) + "\n", every[-1]


def measure_addresses(daemons, results, repetitions):
    """From the start of a master to the last of its addresses."""
    text, last = addresses()
    for _ in range(repetitions):
        for daemon in daemons:
            watch = world.AddressWatch(daemon.namespace)
            daemon.write(text)
            daemon.start()
            begun = time.monotonic_ns()
            seen = watch.wait_for(last, world.LIMIT_SECONDS)
            name = f"{ADDRESSES} addresses on one router"
            results.add(f"{name}: start to the last of them", "ms", daemon, (seen - begun) / 1e6)
            time.sleep(2)
            results.add(f"{name}: processor up to 2 s later", "ms", daemon,
                        daemon.cpu_nanoseconds() / 1e6)
            daemon.stop()
