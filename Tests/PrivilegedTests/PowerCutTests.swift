import Glibc
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

@Suite("A node whose power is cut", .enabled(if: buildsLabs, "needs root"))
struct PowerCutTests {
    /// Thirty virtual routers that advertise every 10 ms, so that one of them is always about to.
    private static let configuration =
        "global_defs { vrrp_version 3 }\n"
        + (1...30).map {
            """
            vrrp_instance V\($0) {
                interface eth0
                virtual_router_id \($0)
                priority 254
                advert_int 0.01
                virtual_ipaddress { 10.0.1.\($0) }
            }

            """
        }.joined()

    private static let yaml = """
        networks: { lan: { subnet: 10.0.0.0/16 } }
        nodes:
          a:
            interfaces: { eth0: { network: lan, address: 10.0.0.1 } }
            files: { /etc/keepalived/keepalived.conf: a.conf }
            services: { keepalived: { kind: vrrp-agent } }
        """

    /// What its processes send until the kernel has buried them ends at its port, which is dead
    /// already. Taken for the node's, it would be the last advertisement that the others have
    /// heard.
    @Test("sends nothing any more from then on, however busy it was")
    func isSilent() throws {
        let lab = try LabUnderTest("power", Self.yaml, files: ["a.conf": Self.configuration])
        try lab.up()
        for _ in 1...8 {
            try eventually("it is master, and advertises") {
                try lab.exec("a", "ip", "address", "show", "dev", "eth0").output
                    .contains("inet 10.0.1.30/")
            }
            #expect(try Labctl.run("kill", "-l", lab.name, "a").status == 0)
            #expect(try Labctl.run("start", "-l", lab.name, "a").status == 0)
        }
        var death: MonotonicInstant?
        var deaths = 0
        for event in try events(lab) {
            switch event.kind {
            case .node(_, .killed):
                death = event.time
                deaths += 1
            case .node(_, .starting): death = nil
            case .advertisement:
                let late = death.map { event.time - $0 }
                #expect(late == nil, "an advertisement \(late?.description ?? "") after its end")
            default: break
            }
        }
        #expect(deaths == 8)
        try lab.down()
    }

    private func events(_ lab: LabUnderTest) throws -> [TimelineEvent] {
        var events: [TimelineEvent] = []
        try LabClient(LabDirectory(lab.name)).events { event, _ in events.append(event) }
        return events
    }
}
