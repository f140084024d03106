import NetworkTypes
import SystemPackage
import Testing

@testable import VRRPAgent

/// The lines are keepalived 2.2.7's, recorded under user-mode Linux where it could be brought to
/// say them.
@Suite("What the kernel's load balancer refuses, as keepalived says it")
struct IPVSRefusalTests {
    private let web = IPVSService(
        .address(.v4(IPv4Address(rawValue: 0xc000_0264)), transport: .tcp, port: 80),
        scheduler: "rr")
    private let machine = IPVSDestination(
        .v4(IPv4Address(rawValue: 0xc000_020a)), port: 8080, .directRouting, weight: 1)

    @Test("by the names and numbers of the socket's options")
    func commands() {
        let lines = [
            (IPVSCommand.addService(web), Errno.fileExists),
            (.editService(web), .noSuchFileOrDirectory), (.deleteService(web), .noSuchProcess),
            (.addDestination(machine, to: web), .fileExists),
            (.editDestination(machine, of: web), .invalidArgument),
            (.deleteDestination(machine, of: web), .noSuchFileOrDirectory),
            (.flush, .notPermitted),
        ].map { IPVSRefusal(of: $0, $1).line }
        let (service, both) = ("(192.0.2.100:tcp:80)", "(192.0.2.100:tcp:80 -> 192.0.2.10:8080)")
        #expect(
            lines == [
                "IPVS cmd IP_VS_SO_SET_ADD(1154) error: Service already exists(17) \(service)",
                "IPVS cmd IP_VS_SO_SET_EDIT(1155) error: Scheduler or persistence engine not"
                    + " found(2) \(service)",
                "IPVS cmd IP_VS_SO_SET_DEL(1156) error: No such file or directory(2) \(service)",
                "IPVS cmd IP_VS_SO_SET_ADDDEST(1159) error: Destination already exists(17)"
                    + " \(both)",
                "IPVS cmd IP_VS_SO_SET_EDITDEST(1161) error: Invalid operation.  Possibly wrong"
                    + " module version, address not unicast, ...(22) \(both)",
                "IPVS cmd IP_VS_SO_SET_DELDEST(1160) error: No such destination(2) \(both)",
                "IPVS cmd IP_VS_SO_SET_FLUSH(1157) error: Permission denied (you must be root)(1)",
            ])
    }

    @Test("marks by their family, addresses of IPv6 without brackets")
    func names() throws {
        func line(_ key: IPVSService.Key) -> String {
            let service = IPVSService(key, scheduler: "rr")
            return IPVSRefusal(of: .addService(service), .noMemory).line
        }
        let address = try #require(IPv6Address("fd00::101"))
        let begin = "IPVS cmd IP_VS_SO_SET_ADD(1154) error: Memory allocation problem(12)"
        #expect(line(.mark(7, .v4)) == "\(begin) (Fwm 7)")
        #expect(line(.mark(3, .v6)) == "\(begin) (Fwm 3 inet6)")
        #expect(
            line(.address(.v6(address), transport: .sctp, port: 8080))
                == "\(begin) (fd00::101:sctp:8080)")
    }
}
