import CLinux
import Glibc
import LinuxSystem
import NodeProtocol

/// A command line of `journalctl`, understood.
package struct JournalctlArguments: Equatable {
    /// Whole names or without `.service`; none for all units.
    package var units: [String] = []
    /// Only lines by which program; none for all. A unit's lines are by its name.
    var identifiers: [String] = []
    /// Only lines that match it (``LinePattern``).
    var pattern: String?
    var follows = false
    /// Nil for all lines.
    var lineCount: Int?
    /// Only what was printed, without when and by whom.
    var isBare = false
    /// Newest first.
    var isReversed = false
    /// Nothing from before the one, nor from after the other.
    var since: JournalMoment?
    var until: JournalMoment?

    /// What journalctl shows where nothing says how much.
    private static let defaultLineCount = 10
    private static let valued: Set<String> = [
        "-u", "--unit", "-o", "--output", "-S", "--since", "-U", "--until",
        "-t", "--identifier", "-g", "--grep",
    ]
    /// Its value may be missing.
    private static let lineCounts: Set<String> = ["-n", "--lines"]
    private static let ignored: Set<String> = [
        "--no-pager", "-e", "--pager-end", "-x", "--catalog", "-b", "--boot", "-q", "--quiet", "-a",
        "--all", "-l", "--full", "--no-hostname",
    ]

    init() {}

    /// Reads the arguments, without the program's own name.
    package init(_ arguments: [String]) throws(UsageError) {
        var reader = OptionReader(arguments)
        var isLimited = false
        while let word = try reader.next(withValue: Self.valued, mayHaveValue: Self.lineCounts) {
            switch word {
            case .option("-u", let unit?), .option("--unit", let unit?): units.append(unit)
            case .option("-t", let name?), .option("--identifier", let name?):
                identifiers.append(name)
            case .option("-g", let text?), .option("--grep", let text?): pattern = text
            case .option("-f", _), .option("--follow", _): follows = true
            case .option("-r", _), .option("--reverse", _): isReversed = true
            case .option("-S", let value?), .option("--since", let value?):
                since = try Self.moment(value)
            case .option("-U", let value?), .option("--until", let value?):
                until = try Self.moment(value)
            case .option("-n", let value), .option("--lines", let value):
                isLimited = true
                let value = value ?? reader.takeWord { $0 == "all" || Int($0) != nil }
                lineCount = try Self.lineCount(value)
            case .option("-o", let form?), .option("--output", let form?):
                guard ["short", "cat"].contains(form) else {
                    throw UsageError(message: "Unknown output format '\(form)'.")
                }
                isBare = form == "cat"
            case .option("--no-tail", _): isLimited = true
            case .option(let name, _):
                guard Self.ignored.contains(name) else {
                    throw UsageError(message: "journalctl: unrecognized option '\(name)'")
                }
            case .plain(let word):
                throw UsageError(message: "Failed to add match '\(word)': Invalid argument")
            }
        }
        if follows, isReversed {
            throw UsageError(message: "Please specify either --reverse or --follow, not both.")
        }
        if follows, !isLimited, since == nil { lineCount = Self.defaultLineCount }
    }

    private static func lineCount(_ value: String?) throws(UsageError) -> Int? {
        guard let value else { return defaultLineCount }
        if value == "all" { return nil }
        guard let count = Int(value), count >= 0 else {
            throw UsageError(message: "Failed to parse lines '\(value)'")
        }
        return count
    }

    private static func moment(_ text: String) throws(UsageError) -> JournalMoment {
        guard let moment = JournalMoment(text) else {
            throw UsageError(message: "Failed to parse timestamp: \(text)")
        }
        return moment
    }

    /// Whether a stamp of CLOCK_MONOTONIC in nanoseconds is of the time asked for.
    package func covers(_ stamp: Int64, _ clock: WallClock) -> Bool {
        since?.isReached(by: stamp, clock) ?? true && !(until?.isReached(by: stamp, clock) ?? false)
    }
}

/// `journalctl`: what the node's services have printed.
struct Journalctl {
    private let console: Console

    init(_ console: Console) { self.console = console }

    /// Does what the arguments say; answers the exit status.
    func run(_ arguments: [String]) -> Int32 {
        do {
            let arguments = try JournalctlArguments(arguments)
            guard case .units(let units) = try console.ask(.list) else { return 1 }
            let pattern = try arguments.pattern.map { try LinePattern($0) }
            let names =
                arguments.units.isEmpty
                ? units.map(\.name)
                : UnitName.expand(arguments.units, among: units)
                    .compactMap { UnitName.find($0, among: units)?.name }
            var files =
                names
                .filter { arguments.identifiers.isEmpty || arguments.identifiers.contains($0) }
                .map { JournalFile($0) }
            try show(&files, arguments, pattern)
            if arguments.follows { try follow(&files, arguments, pattern) }
            return 0
        } catch let error as UsageError {
            console.printError(error.message)
            return error.status
        } catch {
            console.printError("journalctl: \(error)")
            return 1
        }
    }

    private func show(
        _ files: inout [JournalFile], _ arguments: JournalctlArguments, _ pattern: LinePattern?
    ) throws {
        var lines: [(unit: String, line: StoredLine)] = []
        for index in files.indices {
            lines += try files[index].readAll().map { (files[index].unit, $0) }
        }
        lines.removeAll {
            !arguments.covers($0.line.nanoseconds, console.clock)
                || !(pattern?.matches($0.line.text) ?? true)
        }
        lines.sort { $0.line.nanoseconds < $1.line.nanoseconds }
        let shown = lines.suffix(arguments.lineCount ?? .max)
        for (unit, line) in arguments.isReversed ? shown.reversed() : Array(shown) {
            print(line, of: unit, arguments)
        }
        if lines.isEmpty, !arguments.follows { console.print("-- No entries --") }
    }

    private func print(_ line: StoredLine, of unit: String, _ arguments: JournalctlArguments) {
        console.print(
            arguments.isBare
                ? line.text
                : JournalText.line(line, of: unit, console.clock, hostname: console.hostname))
    }

    /// Shows what is added, until it is interrupted.
    private func follow(
        _ files: inout [JournalFile], _ arguments: JournalctlArguments, _ pattern: LinePattern?
    ) throws {
        let watch = try FileWatch()
        _ = try watch.add(folder: NodeRoot.outputFolder, includesWrites: true)
        // What was added before it was watched is read at once.
        while true {
            for index in files.indices {
                for line in try files[index].readNew() where pattern?.matches(line.text) ?? true {
                    print(line, of: files[index].unit, arguments)
                }
            }
            var waiting = pollfd(fd: watch.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            while poll(&waiting, 1, -1) < 0, errno == EINTR {}
            _ = watch.drain()
        }
    }
}
