import NetworkTypes
import Testing
import VRRP

@testable import VRRPAgent

@Suite("Why an instance starts in FAULT")
struct StartFaultsTests {
    private func lines(
        _ faults: Set<VirtualRouter.Fault>, family: IPAddress.Family = .v4,
        isSourceWritten: Bool = false
    ) throws -> [String] {
        StartFaults(
            name: "VI_1", interface: try #require(InterfaceName("eth0")), family: family,
            isSourceWritten: isSourceWritten,
            faults: faults, fileStatus: { $0 == "f" ? -254 : -300 }
        ).lines
    }

    @Test("in keepalived 2.2.7's words and order")
    func reasons() throws {
        #expect(
            try lines([
                .trackedScript("chk"), .sourceAddress, .trackedFile("f"), .trackedFile("g"),
                .trackedProcess("httpd"), .trackedInterface("eth1"), .link,
            ]) == [
                "(VI_1): entering FAULT state (interface eth0 down)",
                "(VI_1): entering FAULT state (interface eth1 down)",
                "(VI_1): entering FAULT state (tracked file f has status -254)",
                "(VI_1): entering FAULT state (tracked file g has status -300)",
                "(VI_1) entering FAULT state (tracked process httpd quorum not achieved)",
                "(VI_1) entering FAULT state (no IPv4 address for interface)",
                "(VI_1): entering FAULT state due to script chk",
            ])
        #expect(
            try lines([.sourceAddress], family: .v6) == [
                "(VI_1) entering FAULT state (no IPv6 address for interface)"
            ])
        #expect(
            try lines([.sourceAddress], isSourceWritten: true) == [
                "(VI_1): entering FAULT state (src address not configured)"
            ])
    }

    @Test("what the file itself said is not said again, nor what is not known yet")
    func untold() throws {
        #expect(try lines([.noUnicastPeers, .configuration, .awaitingScript("chk"), .group]) == [])
    }
}
