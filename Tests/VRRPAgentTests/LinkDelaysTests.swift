import KeepalivedConf
import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("interface_up_down_delays")
struct LinkDelaysTests {
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000)
    private let eth0: InterfaceName
    private var delays: LinkDelays

    init() throws {
        eth0 = try #require(InterfaceName("eth0"))
        delays = LinkDelays(
            [InterfaceDelay(interface: eth0, down: .seconds(2), up: .zero)], isUp: { _ in true })
    }

    @Test("a link that is down for the delay counts as down, and up at once where that has none")
    mutating func lasting() {
        delays.update(eth0, isUp: false, now: start)
        #expect(delays.isUp(eth0) == true)
        #expect(delays.deadline == start + .seconds(2))
        #expect(delays.due(at: start + .seconds(1)) == [])
        #expect(delays.due(at: start + .seconds(2)) == [eth0])
        #expect(delays.isUp(eth0) == false)
        delays.update(eth0, isUp: true, now: start + .seconds(3))
        #expect(delays.isUp(eth0) == true)
        #expect(delays.deadline == nil)
    }

    @Test("one that comes back in time has never been away")
    mutating func flapping() {
        delays.update(eth0, isUp: false, now: start)
        delays.update(eth0, isUp: false, now: start + .seconds(1))
        #expect(delays.deadline == start + .seconds(2), "told again, it waits no longer")
        delays.update(eth0, isUp: true, now: start + .seconds(1))
        #expect(delays.deadline == nil)
        #expect(delays.due(at: start + .seconds(5)) == [])
        #expect(delays.isUp(eth0) == true)
    }

    @Test("an interface without delays counts as it is")
    func others() throws {
        #expect(delays.isUp(try #require(InterfaceName("eth1"))) == nil)
    }
}
