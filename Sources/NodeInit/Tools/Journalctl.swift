import CLinux
import Glibc
import LinuxSystem
import NodeProtocol

/// A command line of `journalctl`, understood.
struct JournalctlArguments: Equatable {
    /// Whole names or without `.service`; none for all units.
    var units: [String] = []
    var follows = false
    /// Nil for all lines.
    var lineCount: Int?
    /// Only what was printed, without when and by whom.
    var isBare = false

    /// What journalctl shows where nothing says how much.
    private static let defaultLineCount = 10
    private static let valued: Set<String> = ["-u", "--unit", "-o", "--output", "--lines"]
    private static let ignored: Set<String> = [
        "--no-pager", "-e", "--pager-end", "-x", "--catalog", "-b", "--boot", "-q", "--quiet", "-a",
        "--all", "-l", "--full", "--no-hostname",
    ]

    init() {}

    /// Reads the arguments, without the program's own name.
    init(_ arguments: [String]) throws(UsageError) {
        var reader = OptionReader(Self.withLineCounts(arguments))
        var isLimited = false
        while let word = try reader.next(withValue: Self.valued) {
            switch word {
            case .option("-u", let unit?), .option("--unit", let unit?): units.append(unit)
            case .option("-f", _), .option("--follow", _): follows = true
            case .option("--lines", let value?):
                isLimited = true
                guard value != "all" else { continue }
                guard let count = Int(value), count >= 0 else {
                    throw UsageError(message: "Failed to parse lines '\(value)'")
                }
                lineCount = count
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
        if follows, !isLimited { lineCount = Self.defaultLineCount }
    }

    /// Writes `-n`, whose value may be missing, as `--lines=`.
    private static func withLineCounts(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var result: [String] = []
        while let word = rest.popFirst() {
            if word == "-n" || word == "--lines" {
                let isGiven = rest.first.map { $0 == "all" || Int($0) != nil } ?? false
                result.append("--lines=" + (isGiven ? rest.removeFirst() : "\(defaultLineCount)"))
            } else if word.hasPrefix("-n"), Int(word.dropFirst(2)) != nil {
                result.append("--lines=\(word.dropFirst(2))")
            } else {
                result.append(word)
            }
        }
        return result
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
            let names =
                arguments.units.isEmpty
                ? units.map(\.name)
                : arguments.units.compactMap { UnitName.find($0, among: units)?.name }
            var files = names.map { JournalFile($0) }
            try show(&files, arguments)
            if arguments.follows { try follow(&files, arguments) }
            return 0
        } catch let error as UsageError {
            console.printError(error.message)
            return error.status
        } catch {
            console.printError("journalctl: \(error)")
            return 1
        }
    }

    private func show(_ files: inout [JournalFile], _ arguments: JournalctlArguments) throws {
        var lines: [(unit: String, line: StoredLine)] = []
        for index in files.indices {
            lines += try files[index].readAll().map { (files[index].unit, $0) }
        }
        lines.sort { $0.line.nanoseconds < $1.line.nanoseconds }
        for (unit, line) in lines.suffix(arguments.lineCount ?? .max) {
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
    private func follow(_ files: inout [JournalFile], _ arguments: JournalctlArguments) throws {
        let watch = try FileWatch()
        _ = try watch.add(folder: NodeRoot.outputFolder, includesWrites: true)
        // What was added before it was watched is read at once.
        while true {
            for index in files.indices {
                for line in try files[index].readNew() {
                    print(line, of: files[index].unit, arguments)
                }
            }
            var waiting = pollfd(fd: watch.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            while poll(&waiting, 1, -1) < 0, errno == EINTR {}
            _ = watch.drain()
        }
    }
}
