"""Where the agent and keepalived are measured: a network namespace for each, cables to this one,
and the frames on them with the kernel's stamps.

Everything here is inside the private namespaces that agent.py has entered.
"""

import ctypes
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import time

VRRP_PROTOCOL = 112
OWNER = 255  # is master at once (RFC 9568 §6.4.1)
GROUP = "224.0.0.18"
CABLES = 4  # a VRID is an octet: a thousand instances need four interfaces
PER_CABLE = 250
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
ETH_P_ALL = 3
PACKET_OUTGOING = 4
RTMGRP_IPV4_IFADDR = 0x10
RTM_NEWADDR = 20
IFA_LOCAL = 2
LIMIT_SECONDS = 30
LIBC = ctypes.CDLL(None, use_errno=True)


def run(*words):
    subprocess.run([str(word) for word in words], check=True)


class Frame:
    """What a captured frame tells a measurement; `kind` is "advert", "arp" or None."""

    def __init__(self, octets, nanoseconds, is_own):
        self.nanoseconds = nanoseconds
        self.is_own = is_own
        self.kind, self.vrid, self.priority, self.address = None, None, None, None
        ethertype = octets[12:14]
        if ethertype == b"\x08\x00" and octets[23] == VRRP_PROTOCOL:
            message = octets[14 + (octets[14] & 15) * 4:]
            self.kind, self.vrid, self.priority = "advert", message[1], message[2]
        elif ethertype == b"\x08\x06" and octets[28:32] == octets[38:42]:
            self.kind, self.address = "arp", socket.inet_ntoa(octets[28:32])


class Cable:
    """The near end of a cable to a daemon: sends and captures frames."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((name, ETH_P_ALL))
        self.socket.setblocking(False)
        # A socket is not shown what it has sent itself.
        self.sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sender.bind((name, 0))

    def send(self, frame):
        self.sender.send(frame)

    def frames(self):
        """What has been captured since the last call."""
        found = []
        while True:
            try:
                octets, ancillary, _, address = self.socket.recvmsg(2048, 64)
            except BlockingIOError:
                return found
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
            found.append(Frame(octets, seconds * 10**9 + nanoseconds,
                               address[2] == PACKET_OUTGOING))

    def until(self, condition, seconds):
        """All frames up to the first for which `condition` holds; none when none comes."""
        deadline = time.monotonic() + seconds
        found = []
        while (left := deadline - time.monotonic()) > 0:
            select.select([self.socket], [], [], left)
            for frame in self.frames():
                found.append(frame)
                if condition(frame):
                    return found
        return []


class AddressWatch:
    """Tells when an address appears in a daemon's namespace, with this process's clock."""

    def __init__(self, namespace):
        with open("/proc/self/ns/net", "rb") as own, \
                open(f"/run/netns/{namespace}", "rb") as other:
            enter(other)
            try:
                self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
                self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
                self.socket.bind((0, RTMGRP_IPV4_IFADDR))
            finally:
                enter(own)

    def wait_for(self, address, seconds):
        """The monotonic nanoseconds at which `address` was added."""
        deadline = time.monotonic() + seconds
        wanted = struct.pack("HH", 8, IFA_LOCAL) + socket.inet_aton(address)
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                break
            octets = self.socket.recv(1 << 16)
            now = time.monotonic_ns()
            if struct.unpack_from("H", octets, 4)[0] == RTM_NEWADDR and wanted in octets:
                return now
        raise TimeoutError(f"{address} did not appear")


def enter(namespace):
    if LIBC.setns(namespace.fileno(), 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def private_copy(program, folder):
    """A copy of a program and its libraries that nobody else runs: otherwise the PSS of a daemon
    would depend on how many others of its kind this machine happens to run."""
    folder.mkdir()
    found = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    libraries = [line.split()[2] for line in found.splitlines() if "=> /" in line]
    for file in [program, *libraries]:
        shutil.copy(file, folder)
    return folder / pathlib.Path(program).name


class Daemon:
    """One of the two, in a namespace of its own that it is started in again and again."""

    def __init__(self, name, number, program):
        self.name = name
        self.namespace = f"bench{number}"
        self.folder = pathlib.Path(f"/run/{self.namespace}")
        self.program = private_copy(program, self.folder)
        self.process = None
        self.path = pathlib.Path(f"/run/{self.namespace}.conf")
        self.log = pathlib.Path(f"/run/{self.namespace}.log")
        run("ip", "netns", "add", self.namespace)
        self.cables = []
        for cable in range(CABLES):
            near = f"cable{number}.{cable}"
            pathlib.Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
            run("ip", "link", "add", near, "type", "veth",
                "peer", "name", f"eth{cable}", "netns", self.namespace)
            run("ip", "link", "set", near, "up")
            self.ip("address", "add", f"10.{cable}.0.1/16", "dev", f"eth{cable}")
            self.ip("link", "set", f"eth{cable}", "up")
            self.cables.append(Cable(near))
        self.ip("link", "set", "lo", "up")

    def ip(self, *words):
        run("ip", "-n", self.namespace, *words)

    def write(self, text):
        self.path.write_text(text)

    def start(self, *options):
        """Starts it with what was last written; the monotonic nanoseconds of that moment."""
        for cable in self.cables:
            cable.frames()
        # Without syslog, which would be somebody else's time: there is none in here, and
        # keepalived would write to the console instead.
        command = [self.program, "-n", "-l", "-G", "-P", "-f", self.path,
                   "-p", f"/run/{self.namespace}.pid", "-r", f"/run/{self.namespace}.vrrp.pid"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, *map(str, command), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "LD_LIBRARY_PATH": str(self.folder)})
        # What ip does first is nobody's: the clock starts when the daemon's program is there.
        deadline = time.monotonic() + LIMIT_SECONDS
        while os.readlink(f"/proc/{self.process.pid}/exe") != str(self.program):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} was not started")
        return time.clock_gettime_ns(time.CLOCK_REALTIME)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(LIMIT_SECONDS)
        self.process = None

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def processes(self):
        """It and its children. (/proc/PID/task/TID/children is not in every kernel.)"""
        found = [self.process.pid]
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if int(parent) == self.process.pid:
                    found.append(int(entry.name))
        return found

    def frames_until(self, condition, cable=0):
        """All frames on a cable up to the first for which `condition` holds."""
        if frames := self.cables[cable].until(condition, LIMIT_SECONDS):
            return frames
        raise TimeoutError(f"{self.name} did not send what was waited for:\n"
                           + self.log.read_text()[-2000:])

    def cpu_nanoseconds(self):
        """What the scheduler has counted for all its processes."""
        return sum(int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0])
                   for pid in self.processes())

    def memory(self):
        """(RSS, PSS) of all its processes, in KiB."""
        sums = {"Rss:": 0, "Pss:": 0}
        for pid in self.processes():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                words = line.split()
                if words[0] in sums:
                    sums[words[0]] += int(words[1])
        return sums["Rss:"], sums["Pss:"]


# MARK: What they are given


def address_of(number, per_cable=PER_CABLE):
    cable, index = divmod(number, per_cable)
    return f"10.{cable}.{100 + index // 250}.{index % 250 + 1}"


def configuration(count, version, interval, priority, last_address=None, per_cable=PER_CABLE):
    """A keepalived.conf with that many instances, one address each."""
    # keepalived's owner is master at once only when it is told so as well.
    state = "MASTER" if priority == OWNER else "BACKUP"
    lines = ["global_defs {", f"    vrrp_version {version}", "}"]
    for number in range(count):
        cable, index = divmod(number, per_cable)
        address = address_of(number, per_cable)
        if last_address and number == count - 1:
            address = last_address
        lines += [
            f"vrrp_instance VI_{number + 1} {{", f"    state {state}", f"    interface eth{cable}",
            f"    virtual_router_id {index + 1}", f"    priority {priority}",
            f"    advert_int {interval}", "    virtual_ipaddress {", f"        {address}/16",
            "    }", "}"]
    return "\n".join(lines) + "\n"


def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def advert(vrid, priority, centiseconds, address):
    """A frame with another router's version 3 advertisement."""
    source, group = socket.inet_aton("10.0.0.2"), socket.inet_aton(GROUP)
    message = struct.pack("!BBBBHH4s", 0x31, vrid, priority, 1, centiseconds, 0,
                          socket.inet_aton(address))
    pseudo = source + group + struct.pack("!BBH", 0, VRRP_PROTOCOL, len(message))
    message = message[:6] + struct.pack("!H", checksum(pseudo + message)) + message[8:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0xC0, 20 + len(message), 1, 0, 255,
                         VRRP_PROTOCOL, 0, source, group)
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return (bytes.fromhex("01005e000012") + bytes.fromhex("020000000002") + b"\x08\x00"
            + header + message)
