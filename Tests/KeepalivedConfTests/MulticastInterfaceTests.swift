import KeepalivedConf
import NetworkTypes
import Testing

@Suite("Interfaces without multicast")
struct MulticastInterfaceTests {
    /// The faults of VI_1, and what is said, on a machine where that interface has no multicast.
    private func result(
        _ lines: String, without name: String = "eth0"
    ) throws -> (faults: [String], said: [ConfDiagnostic]) {
        var parsed = parse(instance(lines))
        let said = parsed.configuration.disableInstances { $0.text == name }
        return (try parsed.only.configurationFaults, said)
    }

    @Test("an instance on one is disabled, in keepalived's words")
    func disabled() throws {
        let (faults, said) = try result("")
        let message =
            "(VI_1) interface eth0 does not support multicast, specify unicast peers - disabling"
        #expect(faults == [message])
        #expect(said.map(\.message) == [message])
        #expect(said.map(\.position.line) == [2])
        #expect(said.flatMap(\.logLines) == [message], "the line is not named")
        #expect(ConfigurationTestStatus(of: said) == .complaints)
    }

    @Test("not with unicast peers, nor on another interface")
    func untouched() throws {
        let peer = try result("unicast_peer {\n192.0.2.7\n}")
        #expect(peer.faults.isEmpty && peer.said.isEmpty)
        let other = try result("", without: "eth1")
        #expect(other.faults.isEmpty && other.said.isEmpty)
    }
}
