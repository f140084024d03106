import LabKit
import LabModel
import LabReport
import LinuxSystem
import NetworkTypes

extension FuzzTarget {
    static let machine = FuzzTarget(
        "machine", "texts of a machine: passwd, group, subuid, a line of /proc/PID/stat; keys"
    ) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let users = UserDatabase(passwd: text, group: text)
        for name in text.split(whereSeparator: { ":\n".contains($0) }).prefix(8).map(String.init) {
            guard let user = users.user(name) else { continue }
            try require(
                user.name == name || "\(user.userID)" == name || UInt32(name) == user.userID,
                "\(user) is whom \(name) means")
            try requireEqual(users.groupIDs(of: user).first, user.groupID, "its own group is first")
        }
        try checkRanges(text)
        if let entry = ProcessEntry(stat: text) {
            // What a process calls itself is no field of its own.
            try requireEqual(
                ProcessEntry(
                    stat: "\(entry.pid) (\(entry.command)) \(entry.state) \(entry.parent) "
                        + "\(entry.processGroup) \(entry.session) 0"), entry,
                "a line is read the same when it is written")
        }
        var atOnce = WatchKeyReader()
        var singly = WatchKeyReader()
        // A sequence that nobody knows is given up sooner or later, by how it comes.
        if !bytes.contains(0x1b) {
            let keys = bytes.flatMap { singly.take([$0]) }
            try requireEqual(atOnce.take(bytes), keys, "keys are the same one by one")
        } else {
            for byte in bytes { _ = singly.take([byte]) }
            _ = atOnce.take(bytes)
        }
    }

    private static func checkRanges(_ text: String) throws {
        let ranges = SubordinateRange.ranges(in: text, name: "user", number: 1000)
        for range in ranges {
            try require(
                range.count > 0 && UInt64(range.first) + UInt64(range.count) <= 1 << 32,
                "\(range) is of numbers")
        }
        let map = IDMap(user: 1000, group: 1000, users: ranges, groups: [])
        try require(
            map.userCount <= IDMap.maximumCount && map.users.first?.outside == 1000,
            "no more is mapped than there may be")
        var next: UInt32 = 0
        for range in map.users {
            try requireEqual(range.inside, next, "numbers inside follow one another")
            next += range.count
        }
    }

    static let probeAnswers = FuzzTarget(
        "probe-answers", "what comes back to a probe: UDP, echo replies, ARP, neighbours"
    ) { datagram in
        let v4 = IPAddress.v4(IPv4Address(10, 10, 10, 10))
        guard let v6 = IPv6Address("2001:db8::10") else { fatalError("it is an address") }
        let mac = MACAddress(rawValue: 0x0200_0000_0001)
        let questions: [any DatagramQuestion] = [
            UDPQuestion(TransportAddress(v4, port: 7)),
            PingQuestion(v4, identifier: 0x4142), PingQuestion(.v6(v6), identifier: 0x4142),
            ARPQuestion(
                target: IPv4Address(10, 10, 10, 10), source: IPv4Address(10, 10, 10, 1), mac: mac,
                interfaceIndex: 2),
            NeighbourQuestion(target: v6, mac: mac, interfaceIndex: 2),
        ]
        for question in questions {
            guard case .request(let number) = question.heard(datagram[...]) else { continue }
            // Whoever did not hear the question cannot have its number but by chance.
            let message = question.message(number)
            try require(
                datagram.suffix(4).elementsEqual(message.suffix(4)), "request \(number) was asked")
        }
    }
}
