import CLinux
import FoundationEssentials
import Glibc
public import LabModel
import LinuxSystem
import NetworkTypes
import SystemPackage

/// The recorded runs of scenarios: a folder for each, which outlives its lab.
///
/// A run's folder has `run.json` (``RunRecord``), `events.jsonl` (the timeline) and `output/` (what
/// the services printed). It appears under its name when it is whole.
public struct RunArchive: Sendable {
    /// Of a lab's runs so many are kept, the newest; only in the folder that nobody chose.
    public static let maximumRunsPerLab = 50

    /// Where the runs of all labs are, one folder a lab.
    public let folder: String
    private let isOwn: Bool

    /// - Parameter folder: nil for `$XDG_STATE_HOME/labctl/runs`, or `~/.local/state/labctl/runs`.
    public init(folder: String? = nil) {
        isOwn = folder == nil
        self.folder = folder ?? Self.stateFolder + "/labctl/runs"
    }

    private static var stateFolder: String {
        if let folder = getenv("XDG_STATE_HOME").map({ String(cString: $0) }), !folder.isEmpty {
            return folder
        }
        return (getenv("HOME").map { String(cString: $0) } ?? "/root") + "/.local/state"
    }

    /// Records a run: writes what is known of it and copies the timeline and the services' output
    /// out of the lab, which is still up.
    ///
    /// - Throws: ``LabError/machine(_:)`` when the disk refuses; nothing is left then.
    public func save(_ record: RunRecord, of lab: LabClient) throws(LabError) -> RecordedRun {
        try save(record, outputPath: lab.directory.outputPath) { path throws(LabError) in
            try lab.writeTimeline(to: path)
        }
    }

    func save(
        _ record: RunRecord, outputPath: String,
        writingTimeline: (String) throws(LabError) -> Void
    ) throws(LabError) -> RecordedRun {
        let parent = "\(folder)/\(record.lab.name)"
        let whole = "\(parent)/\(Self.name(of: record))"
        let partial = "\(parent)/.\(Self.name(of: record)).\(getpid())"
        do {
            try FileSystem.makeFolders(partial)
            do {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                try FileSystem.write(
                    Array(try encoder.encode(record)), to: "\(partial)/run.json")
                try writingTimeline("\(partial)/events.jsonl")
                if FileSystem.isFolder(outputPath) {
                    try FileSystem.copyTree(outputPath, to: "\(partial)/output")
                }
                let path = try Self.settle(partial, as: whole)
                if isOwn { try prune(parent) }
                return RecordedRun(path: path)
            } catch {
                try? FileSystem.removeTree(partial)
                throw error
            }
        } catch {
            throw LabError(refusal: error)
        }
    }

    /// `20260102T030405Z-failover`: sorts by time.
    private static func name(of record: RunRecord) -> String {
        let date = record.date.prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" }
        return (date.hasSuffix("Z") ? date : date + "Z") + "-" + record.scenario
    }

    private static let maximumNames = 1000

    /// Two runs of one scenario can end within the same second; the later one gets a number.
    private static func settle(
        _ partial: String, as whole: String
    ) throws(SystemError) -> String {
        for number in 1..<maximumNames {
            let path = number == 1 ? whole : "\(whole)-\(number)"
            if FileSystem.exists(path) { continue }
            if try take(path, for: partial) { return path }
        }
        throw SystemError("record a run as \(whole)", .fileExists)
    }

    /// Gives a run its name; false where somebody else has just taken it.
    private static func take(_ path: String, for partial: String) throws(SystemError) -> Bool {
        do {
            try FileSystem.move(partial, to: path)
            return true
        } catch {
            guard error.code == .fileExists || error.code == .directoryNotEmpty else {
                throw error
            }
            return false
        }
    }

    private func prune(_ parent: String) throws(SystemError) {
        let names = try FileSystem.list(parent).sorted()
        for name in names.filter({ !$0.hasPrefix(".") }).dropLast(Self.maximumRunsPerLab) {
            try FileSystem.removeTree("\(parent)/\(name)")
        }
        // What one who was killed meanwhile has left half written.
        for name in names where name.hasPrefix(".") {
            let pid = name.split(separator: ".").last ?? ""
            if !FileSystem.exists("/proc/\(pid)") {
                try FileSystem.removeTree("\(parent)/\(name)")
            }
        }
    }

    /// The runs that are recorded, oldest first.
    ///
    /// - Parameter lab: nil for those of all labs.
    public func runs(of lab: String? = nil) -> [RecordedRun] {
        let labs = lab.map { [$0] } ?? ((try? FileSystem.list(folder)) ?? [])
        let paths = labs.flatMap { lab in
            ((try? FileSystem.list("\(folder)/\(lab)")) ?? []).filter { !$0.hasPrefix(".") }
                .map { (name: $0, path: "\(folder)/\(lab)/\($0)") }
        }
        return paths.sorted { ($0.name, $0.path) < ($1.name, $1.path) }
            .map { RecordedRun(path: $0.path) }
            .filter { FileSystem.isRegularFile($0.recordPath) }
    }

    /// The reference that means the newest run of all.
    public static let latest = "latest"

    /// The run that is meant: by its folder, as `LAB/NAME`, as a lab's latest, or ``latest``.
    ///
    /// - Throws: ``LabError/state(_:)`` when there is none.
    public func run(_ reference: String = latest) throws(LabError) -> RecordedRun {
        for path in [reference, "\(folder)/\(reference)"] {
            let run = RecordedRun(path: path)
            if FileSystem.isRegularFile(run.recordPath) { return run }
        }
        if !reference.contains("/"), let run = runs(of: reference).last { return run }
        guard reference == Self.latest else {
            throw .state("there is no recorded run \(reference): `labctl runs` lists them")
        }
        guard let run = runs().last else {
            throw .state("no run is recorded in \(folder): `labctl test` records them")
        }
        return run
    }

    /// The runs that are meant: one, as ``run(_:)`` finds it, or all in a folder where runs were
    /// recorded, oldest first.
    ///
    /// - Throws: ``LabError/state(_:)`` when there is none.
    public func runs(meant reference: String) throws(LabError) -> [RecordedRun] {
        if FileSystem.isFolder(reference), !FileSystem.isRegularFile("\(reference)/run.json") {
            let found = RunArchive(folder: reference).runs()
            if !found.isEmpty { return found }
        }
        return [try run(reference)]
    }
}

/// A run in its folder.
public struct RecordedRun: Equatable, Sendable {
    /// The folder.
    public let path: String

    /// The run in that folder.
    public init(path: String) { self.path = path }

    var recordPath: String { path + "/run.json" }
    var eventsPath: String { path + "/events.jsonl" }

    /// The run as other verbs take it: `two-node/20260102T030405Z-failover`.
    public var name: String {
        path.split(separator: "/").suffix(2).joined(separator: "/")
    }

    /// The last part of its name: `20260102T030405Z-failover`.
    public var folderName: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// What is known of it.
    ///
    /// - Throws: ``LabError/machine(_:)`` when its file cannot be read or is no such record.
    public func record() throws(LabError) -> RunRecord {
        do {
            let bytes = try FileSystem.read(recordPath)
            return try JSONDecoder().decode(RunRecord.self, from: Data(bytes))
        } catch {
            throw .machine("\(recordPath): \(error)")
        }
    }

    /// Its timeline, in order.
    ///
    /// - Throws: ``LabError``, with the line, when it cannot be read.
    public func events() throws(LabError) -> [TimelineEvent] {
        var events: [TimelineEvent] = []
        try self.events { event, _ in events.append(event) }
        return events
    }

    /// Gives every event of its timeline, in order, with its line of `events.jsonl`.
    ///
    /// - Throws: as ``events()``.
    public func events(
        _ onEvent: (TimelineEvent, ArraySlice<UInt8>) -> Void
    ) throws(LabError) {
        var file = try TimelineFile(eventsPath)
        try file.read(to: try file.length(), onEvent)
    }

    /// What its services printed, in the order of time.
    public func lines() -> [LogLine] {
        let record = try? record()
        return (record?.lab.nodes ?? []).flatMap { node in
            node.services.flatMap { service in
                ServiceOutput.lines(in: path + "/output", node: node.name, service: service.name)
            }
        }.sorted { $0.time < $1.time }
    }
}
