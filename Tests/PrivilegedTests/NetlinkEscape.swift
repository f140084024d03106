// Ways out of a node's network by rtnetlink, whose requests may name a network namespace by the
// number that it has here: that of the other end of a cable has one.

extension Escape {
    /// Run behind ``prelude`` in a node whose eth0 leads to a switch: `request(kind, flags, index,
    /// attributes...)` says what the kernel answers, `there` is the switch's namespace.
    static let netlinkPrelude = """
        GETLINK, NEWLINK, DELLINK, SETLINK, GETADDR, GETNSID = 18, 16, 17, 19, 22, 90
        ACK, DUMP, CREATE = 4, 0x300, 0x600
        IFNAME, LINK, LINKINFO, LINK_NETNSID, TARGET_NETNSID = 3, 5, 18, 37, 46
        def attribute(kind, data):
            if isinstance(data, int): data = struct.pack('i', data)
            return struct.pack('HH', 4 + len(data), kind) + data + b'\\0' * (-len(data) % 4)
        def attributes(data):
            while len(data) >= 4:
                length, kind = struct.unpack_from('HH', data)
                yield kind & 0x3fff, data[4:length]
                data = data[(length + 3) & ~3:]
        def send(kind, flags, header, *extra):
            link = socket.socket(16, 3, 0)
            # NETLINK_GET_STRICT_CHK: else what lists addresses does not look whose are wanted.
            link.setsockopt(270, 12, 1)
            body = header + b''.join(attribute(*one) for one in extra)
            link.send(struct.pack('IHHII', 16 + len(body), kind, flags | 1, 1, 0) + body)
            found = []
            while True:
                data = link.recv(1 << 20)
                while data:
                    length, answer = struct.unpack_from('IH', data)
                    if answer in (2, 3):
                        code = -struct.unpack_from('i', data, 16)[0] if length >= 20 else 0
                        if code: raise OSError(code, '')
                        return found
                    found.append(data[16:length])
                    data = data[(length + 3) & ~3:]
        def request(kind, flags, index, *extra):
            return send(kind, flags, struct.pack('BxHiII', 0, 0, index, 0, 0), *extra)
        def kind(name): return (LINKINFO, attribute(1, name))
        own = {}
        for link in request(GETLINK, DUMP, 0):
            its = dict(attributes(link[16:]))
            own[its[IFNAME].rstrip(b'\\0')] = struct.unpack_from('i', link, 4)[0], its
        index, eth0 = own[b'eth0']
        port, there = (struct.unpack('i', eth0[x])[0] for x in (LINK, LINK_NETNSID))
        target, bridge = (TARGET_NETNSID, there), 2  # The first that the switch has.

        """

    /// In a node `a`, beside which the switch has a node `b`. Who asks for a namespace by its
    /// number gets EACCES, who wants something made or moved there EPERM (net/core/rtnetlink.c).
    static let overNetlink: [Escape] = [
        Escape("the switch's devices", "say(lambda: request(GETLINK, DUMP, 0, target))", "EACCES"),
        Escape(
            "one device of the switch's",
            "say(lambda: request(GETLINK, ACK, port, target))", "EACCES"),
        Escape(
            "the switch's addresses",
            "say(lambda: send(GETADDR, DUMP, struct.pack('BBBBI', 0, 0, 0, 0, 0), (10, there)))",
            "EACCES"),
        Escape(
            "the networks that the switch knows",
            "say(lambda: send(GETNSID, DUMP, b'\\0' * 4, (4, there)))", "EACCES"),
        Escape(
            "a device in the switch",
            "say(lambda: request(NEWLINK, ACK | CREATE, 0, (IFNAME, b'evil\\0'), target, "
                + "kind(b'bridge\\0')))", "EPERM"),
        Escape(
            "a device here on the switch itself",
            "say(lambda: request(NEWLINK, ACK | CREATE, 0, (IFNAME, b'evil\\0'), (LINK, bridge), "
                + "(LINK_NETNSID, there), kind(b'macvlan\\0')))", "EPERM"),
        Escape(
            "another node's cable taken away",
            "say(lambda: request(DELLINK, ACK, 0, (IFNAME, b'b.eth0\\0'), target))", "EACCES"),
        Escape(
            "the node's own end of the cable moved into the switch",
            "say(lambda: request(SETLINK, ACK, index, target))", "EPERM"),
    ]
}
