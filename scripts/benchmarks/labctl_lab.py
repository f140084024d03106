"""labctl_lab.py LABCTL NODES [services]: measures labctl up and down with a lab of so many nodes on
one network; with `services`, vrrp-agent and http-backend run in each, and have to be ready."""

import os
import pathlib
import subprocess
import sys
import tempfile

import measure

SERVICES = """
    files:
      /etc/keepalived/keepalived.conf:
        text: |
          vrrp_instance web {
              interface eth0
              virtual_router_id 1
              priority 100
              advert_int 1
              virtual_ipaddress { 10.0.255.254 }
          }
    services:
      web: { kind: http }
      agent: { kind: vrrp-agent }
"""


def lab_file(nodes, has_services):
    """What `labctl generate single` writes, without its scenario; nodes with services are pairs."""
    head = f"name: bench\nnetworks:\n  lan: {{ subnet: 10.0.0.0/16 }}\nnodes:\n"
    node = (f"  host:\n    count: {nodes}\n    interfaces: {{ eth0: {{ network: lan }} }}\n")
    return head + node + (SERVICES.lstrip("\n") if has_services else "")


def processes_named(name):
    found = []
    for pid in measure.processes():
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[:len(name)] == name:
            found.append(pid)
    return sorted(found)


def watch():
    """Ties a device here to one in the first and in the last node and to one in the supervisor's
    namespace: it goes when the kernel has removed that, which nobody else here could see."""
    nodes = processes_named([b"node-init"])
    supervisors = processes_named([b"labctl", b"supervise"])
    for number, pid in enumerate([nodes[0], nodes[-1], supervisors[0]]):
        subprocess.run(["ip", "link", "add", f"port{number}", "type", "veth", "peer", "name",
                        f"watch{number}", "netns", str(pid)], check=True)


def main():
    labctl, nodes = sys.argv[1:3]
    has_services = sys.argv[3:] == ["services"]

    def run(*arguments):
        result = subprocess.run([labctl, *arguments], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            command = " ".join(arguments)
            sys.exit(f"labctl {command}: status {result.returncode}: {result.stderr.strip()}")

    remove_groups = measure.isolate()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "lab.yaml")
        pathlib.Path(path).write_text(lab_file(int(nodes), has_services), encoding="utf-8")
        measure.report(lambda: run("up", path), lambda: run("down", "bench"), measure.processes,
                       measure.devices, between=watch)
    remove_groups()


main()
