import FoundationEssentials
import Glibc
public import LabModel
import LinuxSystem
public import NetworkTypes

extension LabClient {
    /// Writes the timeline so far to a file, as `events.jsonl` has it: whole and in order.
    ///
    /// - Throws: ``LabError``.
    func writeTimeline(to path: String) throws(LabError) {
        let connection = try ControlConnection(directory)
        try connection.send(.events(follow: false))
        var unwritten = JSONLine()
        while true {
            switch try connection.receive() {
            case .recorded(let bytes):
                try Self.copy(directory.eventsPath, to: path, limitBytes: bytes)
            case .event(let event): unwritten.append(event)
            case .done: return try Self.append(unwritten.bytes, to: path)
            default: throw connection.unexpected
            }
        }
    }

    private static func copy(
        _ source: String, to path: String, limitBytes: Int
    ) throws(LabError) {
        do {
            try FileSystem.copy(source, to: path, limitBytes: limitBytes)
        } catch {
            throw LabError(refusal: error)
        }
    }

    private static func append(_ bytes: [UInt8], to path: String) throws(LabError) {
        do {
            let file = try FileSystem.openForAppending(path)
            try FileSystem.writeAll(bytes[...], to: file.rawValue, name: path)
        } catch {
            throw LabError(refusal: error)
        }
    }
}

extension RunRecord {
    /// The record of a run that has just ended, on this machine.
    ///
    /// - Parameters:
    ///   - loaded: the lab as it was built.
    ///   - name: the lab's own name, where it was built under another.
    ///   - began: when the run began.
    public init(
        of scenario: Scenario, in loaded: LoadedLab, name: String, began: MonotonicInstant,
        outcome: ScenarioOutcome
    ) {
        var lab = loaded.lab
        lab.name = name
        let age = MonotonicClock.now - began
        let date = Date(timeIntervalSinceNow: -Double(age.wholeNanoseconds) / 1e9)
        self.init(
            lab: lab, scenario: scenario.name, virtualRouters: loaded.virtualRouters,
            began: began, date: Self.dateStyle.format(date), duration: outcome.duration,
            verdict: outcome.result, machine: Self.machine)
    }

    private static let dateStyle = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// What to add to an instant of the run, in nanoseconds, to get the time since 1970: exact to
    /// a millisecond; nil where the record's date is none.
    public var wallClockOffset: Int64? {
        guard let date = try? Date(date, strategy: Self.dateStyle) else { return nil }
        return Int64(date.timeIntervalSince1970 * 1e9) - began.nanoseconds
    }

    /// Kernel and number of processors.
    private static var machine: String {
        "\(HostInformation.kernel), \(HostInformation.processors) processors"
    }
}
