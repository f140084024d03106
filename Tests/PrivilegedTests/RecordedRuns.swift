import FoundationEssentials
import LinuxSystem
import Testing

/// A configuration file of Tests/KeepalivedConfTests/Fixtures, what keepalived 2.2.7 did with it,
/// and what `vrrp-agent` does in the same machine.
struct RecordedRun: Sendable, CustomTestStringConvertible {
    var name: String
    var keepalived: Recording
    var agent: RecordedMachine.Outcome
    /// The agent's instances.
    var instances: [RecordedState]

    var testDescription: String { name }
    /// What its file is called by: the number in front.
    var number: Int { name.split(separator: "-").first.flatMap { Int($0) } ?? 0 }

    /// What keepalived did.
    struct Recording: Sendable {
        var status = ""
        var testStatus: String?
        var messages: [String] = []
        var instances: [RecordedState] = []
        /// The interfaces with their addresses, as `ip -br address` prints them; nil: not recorded.
        var interfaces: [String]?
        /// What it said of its instances, in order.
        var log: [String] = []

        init(_ text: String) throws {
            var section = ""
            for line in text.split(separator: "\n") {
                guard line.hasPrefix("  ") else {
                    let parts = line.split(separator: " ").map(String.init)
                    section = parts[0]
                    switch section {
                    case "exit-status:": status = parts[1]
                    case "test-exit-status:": testStatus = parts[1]
                    case "addresses:": interfaces = []
                    default: break
                    }
                    continue
                }
                let content = String(line.dropFirst(2))
                switch section {
                case "messages:": messages.append(content)
                case "instances:":
                    instances.append(
                        try JSONDecoder().decode(RecordedState.self, from: Data(content.utf8)))
                case "addresses:": interfaces?.append(content)
                case "log:": log.append(content)
                default: Issue.record("'\(line)' stands in no section")
                }
            }
        }
    }

    static let folder = "\(Labctl.repository)/Tests/KeepalivedConfTests/Fixtures"

    /// How many machines there are at a time: they mostly wait.
    private static let width = 40

    private static func machine(_ name: String) throws -> RecordedMachine {
        let extra = try? FileSystem.readText("\(folder)/\(name).args")
        return try RecordedMachine(
            "\(name).conf", in: folder, arguments: extra.map { String($0.dropLast()) } ?? "")
    }

    /// All of them, run when they are first asked for.
    static let all = Result { () throws -> [RecordedRun] in
        let names = try FileSystem.list(folder).filter { $0.hasSuffix(".conf") }
            .map { String($0.dropLast(5)) }.sorted()
        var machines: [RecordedMachine] = []
        // All are waited for, whatever becomes of one.
        var outcomes: [Result<RecordedMachine.Outcome, any Error>] = []
        for name in names {
            if machines.count - outcomes.count == width {
                let next = machines[outcomes.count]
                outcomes.append(Result { try next.finish() })
            }
            machines.append(try machine(name))
        }
        for machine in machines[outcomes.count...] {
            outcomes.append(Result { try machine.finish() })
        }
        return try zip(names, outcomes).map { name, outcome in
            let recording = try Recording(FileSystem.readText("\(folder)/\(name).expected"))
            let states = recording.instances.map(\.state)
            var outcome = try outcome.get()
            var instances = try RecordedState.list(outcome.dump)
            // What was held up until others' turn had come as well has another try alone.
            for _ in 0..<3 where outcome.isLate && instances.map(\.state) != states {
                outcome = try machine(name).finish()
                instances = try RecordedState.list(outcome.dump)
            }
            return RecordedRun(
                name: name, keepalived: recording, agent: outcome, instances: instances)
        }
    }
}

/// An instance in the dump of either daemon.
struct RecordedState: Decodable, Equatable, Sendable {
    var iname: String
    var ifp_ifname: String
    var vmac_ifname: String
    var vrid: Int
    var version: Int
    var base_priority: Int
    var effective_priority: Int
    var adver_int: Double
    var state: Int
    var wantstate: Int
    var nopreempt: Bool
    var preempt_delay: Double
    var accept: Int
    var auth_type: Int
    var auth_data: String?
    var vips: [String]?
    var evips: [String]?
    var vroutes: [String]?
    var vrules: [String]?
    var track_ifp: [String]?
    var track_script: [String]?
    var garp_delay: Double
    var garp_rep: Int

    /// The instances of a whole dump, none of an empty text.
    static func list(_ dump: String) throws -> [RecordedState] {
        struct Entry: Decodable { var data: RecordedState }
        guard !dump.isEmpty else { return [] }
        return try JSONDecoder().decode([Entry].self, from: Data(dump.utf8)).map(\.data)
    }

    /// What is told apart, as text.
    var parts: [(key: String, value: String)] {
        Mirror(reflecting: self).children.map { ($0.label ?? "", "\($0.value)") }
    }
}
