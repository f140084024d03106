/// A router for tests, which does one thing wrong, or nothing: VRRPv3 over IPv4 as keepalived
/// speaks it, and no more of it than two routers need.
enum WrongRouter: String, CaseIterable {
    case right
    /// Keeps the address when it is stopped.
    case keeps
    /// Sends no gratuitous ARP.
    case silent
    /// Takes a resignation for any other advertisement.
    case deaf
    /// Becomes master whoever else is.
    case greedy

    /// Its program, in Python: `router WRONG PRIORITY INTERVAL-CENTISECONDS ADDRESS`, on eth0.
    static let program = #"""
        import select, signal, socket, struct, subprocess, sys, time
        wrong, priority, centi, address = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
        interval = centi / 100
        skew = (256 - priority) / 256 * interval
        group, vip = "224.0.0.18", socket.inet_aton(address)
        index = socket.if_nametoindex("eth0")
        own = subprocess.check_output(["ip", "-4", "-o", "addr", "show", "dev", "eth0"], text=True)
        source = socket.inet_aton(own.split()[3].split("/")[0])
        mac = bytes.fromhex(open("/sys/class/net/eth0/address").read().strip().replace(":", ""))
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                       struct.pack("=4s4si", socket.inet_aton(group), source, index))
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                       struct.pack("=4s4si", socket.inet_aton("0.0.0.0"), source, index))
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        wire.bind(("eth0", 0))

        def checksum(data):
            total = sum(struct.unpack(f"!{len(data) // 2}H", data))
            while total > 0xffff:
                total = (total & 0xffff) + (total >> 16)
            return ~total & 0xffff

        def advertise(priority):
            def packet(check):
                return struct.pack("!BBBBHH4s", 0x31, 51, priority, 1, centi, check, vip)
            pseudo = source + socket.inet_aton(group) + struct.pack("!BBH", 0, 112, 12)
            raw.sendto(packet(checksum(pseudo + packet(0))), (group, 0))

        def set_address(verb):
            subprocess.run(["ip", "addr", verb, address + "/32", "dev", "eth0"])

        def announce():
            arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + vip + b"\xff" * 6 + vip
            wire.send(b"\xff" * 6 + mac + b"\x08\x06" + arp)

        def stop(*_):
            if is_master:
                advertise(0)
                if wrong != "keeps":
                    set_address("del")
            sys.exit(0)

        is_master = False
        signal.signal(signal.SIGTERM, stop)
        deadline = time.monotonic() + 3 * interval + skew
        while True:
            ready, _, _ = select.select([raw], [], [], max(0, deadline - time.monotonic()))
            if ready:
                data = raw.recv(2048)
                other = data[(data[0] & 15) * 4 + 2]
                if wrong == "greedy":
                    continue
                if is_master and other > priority:
                    is_master = False
                    set_address("del")
                    deadline = time.monotonic() + 3 * interval + skew
                elif not is_master and other == 0 and wrong != "deaf":
                    deadline = time.monotonic() + skew
                elif not is_master and (other == 0 or other >= priority):
                    deadline = time.monotonic() + 3 * interval + skew
            elif time.monotonic() >= deadline:
                advertise(priority)
                deadline += interval
                if not is_master:
                    is_master, deadline = True, time.monotonic() + interval
                    set_address("add")
                    if wrong != "silent":
                        announce()
        """#
}
