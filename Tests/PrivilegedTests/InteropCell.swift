import NetworkTypes
import Testing

// What two routers are made to do with each other: a table of forms of VRRP and pairs of daemons,
// each entry of which is a network of its own with two nodes. InteropRun builds them into one lab.

/// A daemon that speaks VRRP.
enum InteropDaemon: String, Sendable {
    case ours = "vrrp-agent"
    case keepalived
    case frr
}

/// A form of VRRP.
enum InteropForm: String, Sendable, CaseIterable {
    case version2 = "version 2"
    case authenticationHeader = "version 2 with AH"
    case version3 = "version 3"
    case everyTenMilliseconds = "version 3 every 10 ms"
    case version3IPv6 = "version 3 over IPv6"
    case unicast = "version 3 by unicast"
    case unicastIPv6 = "version 3 by unicast over IPv6"
    case syncGroup = "IPv4 and IPv6 in a sync group"
    case virtualMAC = "version 3 from the virtual MAC"
    case virtualMACIPv6 = "version 3 from the virtual MAC over IPv6"
    case noPreempt = "version 3 with nopreempt"

    var version: Int { self == .version2 || self == .authenticationHeader ? 2 : 3 }

    var interval: Duration {
        switch self {
        case .version2, .authenticationHeader: .seconds(1)
        case .everyTenMilliseconds: .milliseconds(10)
        case .version3, .version3IPv6, .unicast, .unicastIPv6, .syncGroup, .virtualMAC,
            .virtualMACIPv6, .noPreempt:
            .milliseconds(100)
        }
    }

    var families: [IPAddress.Family] {
        switch self {
        case .version3IPv6, .unicastIPv6, .virtualMACIPv6: [.v6]
        case .syncGroup: [.v4, .v6]
        case .version2, .authenticationHeader, .version3, .everyTenMilliseconds, .unicast,
            .virtualMAC, .noPreempt:
            [.v4]
        }
    }

    var preempts: Bool { self != .noPreempt }
    var isVirtualMAC: Bool { self == .virtualMAC || self == .virtualMACIPv6 }
}

/// Two routers on a network of their own: which form of VRRP they speak, and which daemons they
/// are.
struct InteropCell: Sendable, CustomTestStringConvertible {
    static let vrid = 51
    static let masterPriority = 200
    static let backupPriority = 100

    var form: InteropForm
    /// The daemon of the node with the higher priority.
    var master: InteropDaemon
    /// The daemon of the other.
    var backup: InteropDaemon
    /// Its place in the lab, from 1: addresses and names come of it.
    var number: Int

    var testDescription: String {
        "\(form.rawValue), \(master.rawValue) as master, \(backup.rawValue) as backup"
    }

    var masterNode: String { "m\(number)" }
    var backupNode: String { "b\(number)" }
    var clientNode: String { "c\(number)" }
    func other(_ node: String) -> String { node == masterNode ? backupNode : masterNode }
    func daemon(of node: String) -> InteropDaemon { node == masterNode ? master : backup }

    func priority(of node: String) -> Int {
        node == masterNode ? Self.masterPriority : Self.backupPriority
    }

    /// The addresses that both want.
    var virtualAddresses: [IPAddress] { form.families.flatMap { addresses(of: $0) } }

    private func addresses(of family: IPAddress.Family) -> [IPAddress] {
        switch family {
        case .v4: [IPAddress("10.10.\(number).100")!]
        // The first has to be link-local (RFC 9568 §5.2.9), and FRR sends from it.
        case .v6:
            [
                IPAddress("fe80::5e00:\(String(number, radix: 16))")!,
                IPAddress("2001:db8:\(String(number, radix: 16))::100")!,
            ]
        }
    }

    private var subnets: [String] {
        ["10.10.\(number).0/24", "2001:db8:\(String(number, radix: 16))::/64"]
    }

    /// A node's own address.
    func address(of node: String, _ family: IPAddress.Family) -> String {
        let host = node == masterNode ? 1 : node == backupNode ? 2 : 3
        return family == .v4
            ? "10.10.\(number).\(host)" : "2001:db8:\(String(number, radix: 16))::\(host)"
    }

    /// Skew_Time of a node (RFC 3768 §6.1, RFC 9568 §6.1). FRR rounds it down to whole
    /// centiseconds.
    func skewTime(of node: String) -> Duration {
        let unit = form.version == 2 ? .seconds(1) : form.interval
        let exact = unit * (256 - priority(of: node)) / 256
        guard daemon(of: node) == .frr else { return exact }
        return .milliseconds(10) * Int(exact / .milliseconds(10))
    }

    /// Master_Down_Interval of a node.
    func masterDownInterval(of node: String) -> Duration {
        form.interval * 3 + skewTime(of: node)
    }
}

// MARK: The lab file

extension InteropCell {
    /// Its line among the lab's networks.
    var network: String {
        "  lan\(number): { subnets: [\(subnets.map { "\"\($0)\"" }.joined(separator: ", "))] }\n"
    }

    /// Its nodes' lines.
    var nodes: String {
        var text = ""
        for node in [masterNode, backupNode] {
            let daemon = daemon(of: node)
            // Without preemption the first to speak stays: that has to be the master.
            let waits = !form.preempts && node == backupNode ? ", autostart: false" : ""
            let path =
                daemon == .frr ? "/etc/frr/frr.conf" : "/etc/keepalived/keepalived.conf"
            text += interfaces(of: node)
            text += """
                    files: { \(path): \(node).conf }
                    services: { vrrp: { kind: \(daemon.rawValue)\(waits) } }

                """
        }
        guard form.isVirtualMAC else { return text }
        let filter = form.families == [.v4] ? "ip proto 112" : "ip6 proto 112"
        return text + interfaces(of: clientNode) + """
                services:
                  watch: { kind: command, command: [tcpdump, -i, eth0, -e, -ln, \(filter)] }

            """
    }

    private func interfaces(of node: String) -> String {
        let addresses = [IPAddress.Family.v4, .v6].map { "\"\(address(of: node, $0))\"" }
        return """
              \(node):
                interfaces:
                  eth0: { network: lan\(number), addresses: [\(addresses.joined(separator: ", "))] }
                # Daemons would be masters before their link-local addresses can be sent from.
                sysctls: { net.ipv6.conf.default.accept_dad: 0, net.ipv6.conf.all.accept_dad: 0 }

            """
    }

    /// The configuration files of its nodes, by name.
    var files: [String: String] {
        var files: [String: String] = [:]
        for node in [masterNode, backupNode] {
            files["\(node).conf"] =
                daemon(of: node) == .frr ? frrConfiguration(of: node) : configuration(of: node)
        }
        return files
    }

    private func frrConfiguration(of node: String) -> String {
        let router = "vrrp \(Self.vrid)"
        var lines = [
            "version \(form.version)", "priority \(priority(of: node))",
            "advertisement-interval \(Int(form.interval / .milliseconds(1)))",
        ].map { "\(router) \($0)" }
        if !form.preempts { lines.append("no \(router) preempt") }
        lines += virtualAddresses.map { "\(router) \($0.family == .v4 ? "ip" : "ipv6") \($0)" }
        return "interface eth0\n" + lines.map { " \($0)\n" }.joined() + "exit\n"
    }

    private func configuration(of node: String) -> String {
        var text = ""
        for family in form.families {
            text += """
                vrrp_instance VI_\(family) {
                    state BACKUP
                    interface eth0
                    virtual_router_id \(Self.vrid)
                    priority \(priority(of: node))
                    version \(form.version)
                    advert_int \(form.version == 2 ? "1" : "\(form.interval / .seconds(1))")
                \(special(of: node, family))
                    virtual_ipaddress {
                        \(addresses(of: family).map(\.description).joined(separator: "\n"))
                    }
                }

                """
        }
        guard form == .syncGroup else { return text }
        return text + "vrrp_sync_group VG {\n    group {\n        VI_v4\n        VI_v6\n    }\n}\n"
    }

    /// What makes the form, in an instance's block.
    private func special(of node: String, _ family: IPAddress.Family) -> String {
        switch form {
        case .authenticationHeader:
            "    authentication {\n        auth_type AH\n        auth_pass secret\n    }"
        case .unicast, .unicastIPv6:
            """
                unicast_src_ip \(address(of: node, family))
                unicast_peer {
                    \(address(of: other(node), family))
                }
            """
        case .virtualMAC, .virtualMACIPv6: "    use_vmac"
        case .noPreempt: "    nopreempt"
        case .version2, .version3, .everyTenMilliseconds, .version3IPv6, .syncGroup: ""
        }
    }
}
