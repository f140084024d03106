import KeepalivedConf
import LinuxSystem
import NetworkTypes
import Testing
import VRRP

@testable import VRRPAgent

/// What keepalived 2.2.7 ran with and wrote, beside this file: NAME.conf, NAME.json, and for some
/// NAME.data (from "VRRP Topology" on, without interfaces) and NAME.stats.
struct ReportFixture {
    let name: String
    let configuration: Configuration
    let json: String

    init(_ name: String) throws {
        self.name = name
        let parsed = Configuration.parse(try Self.text("\(name).conf"), file: "\(name).conf")
        try #require(!parsed.isRefused, "\(parsed.diagnostics)")
        configuration = parsed.configuration
        json = try Self.text("\(name).json")
    }

    static func text(_ name: String) throws -> String {
        let folder = #filePath[..<#filePath.lastIndex(of: "/")!]
        return try FileSystem.readText("\(folder)/Fixtures/\(name)")
    }

    /// The snapshot of a daemon that does what keepalived did: everything that is configured comes
    /// from the file, and what only a running daemon knows, from the recording.
    func report() throws -> AgentReport {
        var report = AgentReport(configuration: configuration, routerID: "lb01")
        let objects = json.components(separatedBy: "{\"data\":").dropFirst()
        try #require(objects.count == configuration.instances.count)
        for (instance, object) in zip(configuration.instances, objects) {
            report.instances.append(try self.instance(instance, running: object))
        }
        for command in commands { report.programs[command] = program(command) }
        return report
    }

    private func instance(
        _ instance: VRRPInstance, running object: String
    ) throws -> InstanceReport {
        func number(_ key: String) throws -> Int {
            try #require(Int(try field(key, of: object)), "\(key)")
        }
        var report = InstanceReport(instance)
        report.state = try #require(InstanceReport.State(rawValue: try number("state")))
        report.wantedState = try #require(InstanceReport.State(rawValue: try number("wantstate")))
        report.effectivePriority = UInt8(try number("effective_priority"))
        report.totalPriority = try number("effective_priority")
        report.masterPriority = UInt8(try number("master_priority"))
        let transition = try field("last_transition", of: object).split(separator: ".")
        report.lastTransition = AgentReport.WallTime(
            nanoseconds: Int64(transition[0])! * 1_000_000_000 + Int64(transition[1])! * 1000)
        report.areAddressesSet = try field("vipset", of: object) == "true"
        report.statistics.advertisementsSent = UInt64(try number("advert_sent"))
        report.statistics.becameMaster = UInt64(try number("become_master"))
        for index in report.moved.addresses.indices {
            adjust(&report.moved.addresses[index], of: report)
        }
        for index in report.moved.excludedAddresses.indices {
            adjust(&report.moved.excludedAddresses[index], of: report)
        }
        return report
    }

    /// Puts an address where keepalived had it.
    private func adjust(_ address: inout AddressReport, of report: InstanceReport) {
        address.isSet = report.areAddressesSet
        address.isFiltered = report.areAddressesSet && !report.instance.acceptsPackets
        let isOnOwn = address.interface == report.instance.interface
        if let virtual = report.instance.virtualInterface, isOnOwn {
            address.interface = virtual.name
            address.base = report.instance.interface
        } else if address.address.usesVMAC {
            address.base = address.interface
            address.interface = InterfaceName("vrrp1.71")!
        }
    }

    private var commands: [Command] {
        let notify = configuration.instances.map(\.notify) + configuration.syncGroups.map(\.notify)
        return configuration.scripts.map(\.command)
            + notify.flatMap {
                [
                    $0.any, $0.master, $0.backup, $0.fault, $0.stop, $0.deleted,
                    $0.masterReceivedLowerPriority,
                ].compactMap(\.self)
            }
    }

    /// On the machine of the recording /bin was a link to /usr/bin.
    private func program(_ command: Command) -> AgentReport.ProgramReport {
        let path = command.arguments[0]
        return AgentReport.ProgramReport(
            path: path.hasPrefix("/bin/") ? "/usr" + path : path, userID: 0, groupID: 0)
    }

    private func field(_ key: String, of object: String) throws -> String {
        let parts = object.components(separatedBy: "\"\(key)\":")
        try #require(parts.count == 2, "\(key)")
        return String(parts[1].prefix { $0 != "," && $0 != "}" })
    }
}

extension String {
    /// The parts between occurrences of a text.
    func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.ranges(of: separator).first {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
