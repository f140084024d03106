import Testing

@testable import LinuxSystem

@Suite("Who there is in a user namespace")
struct IDMapTests {
    @Test("user_namespaces(7): an ordinary user may map its own number alone, and is root inside")
    func ownAlone() {
        let map = IDMap(user: 1000, group: 100)
        #expect(map.users == [.init(inside: 0, outside: 1000, count: 1)])
        #expect(map.groups == [.init(inside: 0, outside: 100, count: 1)])
        #expect(!map.hasRange)
        #expect(map.stand(inForUser: 0) == 0)
        #expect(map.stand(inForUser: 33) == 0, "www-data is not there: its folders are root's")
    }

    @Test("ranges follow one another behind the user's own number, up to nobody's")
    func ranges() {
        let map = IDMap(
            user: 1000, group: 100,
            users: [.init(first: 100_000, count: 10), .init(first: 500_000, count: 1 << 20)],
            groups: [.init(first: 100_000, count: 65536)])
        #expect(
            map.users == [
                .init(inside: 0, outside: 1000, count: 1),
                .init(inside: 1, outside: 100_000, count: 10),
                .init(inside: 11, outside: 500_000, count: 65525),
            ])
        #expect(
            map.groups == [
                .init(inside: 0, outside: 100, count: 1),
                .init(inside: 1, outside: 100_000, count: 65535),
            ])
        #expect(map.hasRange && map.userCount == 65536 && map.groupCount == 65536)
        #expect(map.stand(inForUser: 33) == 33 && map.stand(inForUser: 65534) == 65534)
        #expect(map.stand(inForUser: 70_000) == 0)
    }

    @Test("a range of users without one of groups is none: both are needed to become somebody")
    func halfARange() {
        let map = IDMap(
            user: 1000, group: 100, users: [.init(first: 100_000, count: 65536)], groups: [])
        #expect(!map.hasRange)
        #expect(map.stand(inForGroup: 33) == 0)
    }

    @Test("subuid(5): lines by name or number; what is no line is passed over")
    func subordinate() {
        let text = """
            # a comment
            alice:100000:65536
            bob:165536:65536
            1000:300000:10

            alice:many:10
            alice:400000
            alice:4294967295:2
            alice:500000:0
            :600000:10
            """
        #expect(
            SubordinateRange.ranges(in: text, name: "alice", number: 1000) == [
                .init(first: 100_000, count: 65536), .init(first: 300_000, count: 10),
            ])
        #expect(
            SubordinateRange.ranges(in: text, name: "bob", number: 1001)
                == [.init(first: 165_536, count: 65536)])
        #expect(SubordinateRange.ranges(in: text, name: nil, number: 1002).isEmpty)
        #expect(SubordinateRange.ranges(in: "", name: "alice", number: 1000).isEmpty)
    }

    @Test("everybody of a namespace keeps the own number in one below it")
    func identity() {
        #expect(
            WalledNetwork.identity(of: "         0          0 4294967295\n") == "0 0 4294967295\n")
        #expect(
            WalledNetwork.identity(of: "0 1000 1\n1 100000 65535\n") == "0 0 1\n1 1 65535\n")
        #expect(WalledNetwork.identity(of: "") == "")
    }
}
