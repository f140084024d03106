import Glibc
import LabModel
import NetworkTypes
import Testing

/// Two routers that must not understand each other: each takes the other's advertisements for bad
/// ones, so both are masters. keepalived restarts its advertisement timer on any packet, even a
/// refused one, so that of two of its kind one falls silent; ours must go on.
private struct Mismatch {
    /// What is wrong, in one word.
    var name: String
    /// What stands in the instance's block on the two nodes.
    var blocks: [String]
    /// What ours says about the other's advertisements (KEEPALIVED.md's wording is keepalived's).
    var complaint: String

    static let all = [
        Mismatch(
            name: "password", blocks: ["right", "wrong"].map { pass("PASS", $0) },
            complaint: "(VI_1) received an invalid passwd!"),
        Mismatch(
            name: "key", blocks: ["right", "wrong"].map { pass("AH", $0) },
            complaint: "IPSEC-AH : invalid IPSEC HMAC-MD5 value"),
        Mismatch(
            name: "type", blocks: [pass("PASS", "right"), ""],
            complaint: "(VI_1) received a"),
        Mismatch(
            name: "interval", blocks: ["advert_int 1", "advert_int 2"],
            complaint: "(VI_1) advertisement interval mismatch"),
    ]

    private static func pass(_ type: String, _ password: String) -> String {
        "authentication {\n        auth_type \(type)\n        auth_pass \(password)\n    }"
    }

    /// The configuration of the first or second node.
    func configuration(_ index: Int, address: String) -> String {
        """
        vrrp_instance VI_1 {
            interface eth0
            virtual_router_id 51
            priority \(index == 0 ? 200 : 100)
            \(blocks[index])
            virtual_ipaddress {
                \(address)
            }
        }

        """
    }
}

@Suite(
    "Two routers that do not understand each other", .enabled(if: buildsLabs, "needs root"),
    .enabled(if: hasKeepalived, "needs keepalived"))
struct InteropMismatchTests {
    private static let daemons: [[InteropDaemon]] = [
        [.ours, .keepalived], [.keepalived, .ours], [.ours, .ours],
    ]
    /// What a loaded machine may add to an interval.
    private static let schedulingMargin = Duration.milliseconds(250)
    /// How many advertisements are watched once there are two masters.
    private static let watchedCount = 4

    /// A node that runs our agent, and whom it does not understand.
    private struct Subject {
        var node: String
        var other: String
        var mismatch: Mismatch
        var interval: Duration
    }

    private static func makeLab() throws -> (LabUnderTest, [Subject], [IPAddress]) {
        var networks = "networks:\n"
        var nodes = "nodes:\n"
        var files: [String: String] = [:]
        var subjects: [Subject] = []
        var addresses: [IPAddress] = []
        for mismatch in Mismatch.all {
            for daemons in Self.daemons {
                let number = addresses.count + 1
                let address = "10.10.\(number).100"
                addresses.append(try #require(IPAddress(address)))
                networks += "  lan\(number): { subnet: 10.10.\(number).0/24 }\n"
                let names = ["a\(number)", "b\(number)"]
                for (index, daemon) in daemons.enumerated() {
                    files["\(names[index]).conf"] =
                        mismatch.configuration(index, address: address)
                    nodes += """
                          \(names[index]):
                            interfaces: { eth0: { network: lan\(number) } }
                            files: { /etc/keepalived/keepalived.conf: \(names[index]).conf }
                            services: { vrrp: { kind: \(daemon.rawValue) } }

                        """
                    guard daemon == .ours else { continue }
                    let isSlow = mismatch.blocks[index] == "advert_int 2"
                    subjects.append(
                        Subject(
                            node: names[index], other: names[1 - index], mismatch: mismatch,
                            interval: .seconds(isSlow ? 2 : 1)))
                }
            }
        }
        let lab = try LabUnderTest("interop-mismatch", networks + nodes, files: files)
        return (lab, subjects, addresses)
    }

    // RFC-CHECKLIST: 30, 31, 37, 39
    @Test("both are masters, ours advertises on in its own time, and says what is wrong (§7.1)")
    func twoMasters() throws {
        let (lab, subjects, addresses) = try Self.makeLab()
        try lab.up()
        let timeline = try WatchedTimeline(of: lab)
        try timeline.await("each address is on two nodes") {
            addresses.allSatisfy { timeline.ownership.holders(of: $0).count == 2 }
        }
        let begin = timeline.lastTime
        func adverts(of node: String) -> [MonotonicInstant] {
            timeline.events.compactMap { event in
                guard case .advertisement(let seen) = event.kind, seen.node == node else {
                    return nil
                }
                return event.time
            }
        }
        // keepalived falls silent where it hears ours in time, so the others are not waited for.
        try timeline.await("ours go on") {
            subjects.allSatisfy { subject in
                adverts(of: subject.node).filter { $0 > begin }.count >= Self.watchedCount
            }
        }
        for subject in subjects {
            let label = "\(subject.node), wrong \(subject.mismatch.name)"
            let times = adverts(of: subject.node)
            for (earlier, later) in zip(times, times.dropFirst()) {
                #expect(later - earlier >= subject.interval - Self.schedulingMargin, "\(label)")
                #expect(later - earlier <= subject.interval + Self.schedulingMargin, "\(label)")
            }
            let log = try Labctl.run("logs", "-l", lab.name, "\(subject.node)/vrrp").output
            #expect(log.contains(subject.mismatch.complaint), "\(label): \(log)")
        }
        try lab.down()
    }
}
