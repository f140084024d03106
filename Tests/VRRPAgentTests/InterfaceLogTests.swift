import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("What is said of interfaces, and that it is said once")
struct InterfaceLogTests {
    /// A log of one interface, that a test's expectations can change.
    private final class Watch {
        private var log = InterfaceLog()
        private let name: InterfaceName

        init(_ name: InterfaceName) { self.name = name }

        func takes(_ report: InterfaceReport) -> Bool { log.takes(report) }
        func forgetAddresses() { log.forgetAddresses() }

        func reports(
            _ sources: [IPAddress.Family: IPAddress], isOnlyTracked: Bool = false
        ) -> [InterfaceReport] {
            let reports = log.reports(of: name, isOnlyTracked: isOnlyTracked) { sources[$0] }
            return reports.filter { log.takes($0) }
        }
    }

    private let eth0: InterfaceName
    private let ipv4 = IPAddress.v4(IPv4Address(10, 0, 0, 1))
    private let linkLocal = IPAddress.v6(IPv6Address(high: 0xfe80 << 48, low: 1))
    private let log: Watch

    init() throws {
        eth0 = try #require(InterfaceName("eth0"))
        log = Watch(eth0)
    }

    @Test("addresses: IPv4 first when they come, IPv6 first when they go, and after a reload again")
    func addresses() {
        let both = [IPAddress.Family.v4: ipv4, .v6: linkLocal]
        let all = [InterfaceReport.assigned(ipv4, eth0), .assigned(linkLocal, eth0)]
        #expect(log.reports(both) == all)
        #expect(log.reports(both) == [])
        log.forgetAddresses()
        #expect(log.reports(both) == all)
        #expect(log.reports([:]) == [.deassigned(linkLocal, eth0), .deassigned(ipv4, eth0)])
        #expect(log.reports([.v6: linkLocal]) == [.assigned(linkLocal, eth0)])
    }

    @Test("an address that an instance has told of already is not told again")
    func toldAlready() {
        #expect(log.takes(.assigned(ipv4, eth0)))
        #expect(!log.takes(.assigned(ipv4, eth0)))
        #expect(log.reports([.v4: ipv4, .v6: linkLocal]) == [.assigned(linkLocal, eth0)])
    }

    @Test("of an interface that is only tracked, changes alone")
    func tracked() {
        #expect(log.reports([.v6: linkLocal], isOnlyTracked: true) == [])
        #expect(log.takes(.link(eth0, isUp: false)))
        #expect(!log.takes(.link(eth0, isUp: false)))
        #expect(log.reports([:], isOnlyTracked: true) == [.deassigned(linkLocal, eth0)])
    }

    @Test("an interface is added only where it was deleted before")
    func deleted() {
        #expect(!log.takes(.added(eth0)))
        #expect(log.takes(.deleted(eth0)))
        #expect(log.takes(.added(eth0)))
        #expect(!log.takes(.added(eth0)))
    }
}
