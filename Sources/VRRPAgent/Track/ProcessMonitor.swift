import KeepalivedConf
import NetworkTypes

/// Which processes a `vrrp_track_process` means.
struct ProcessPattern: Equatable {
    /// The program's name or, for a full command, its first word as it was started.
    let name: String
    /// The words after it, and how they are compared; nil: they are not.
    let parameters: (words: [String], match: TrackProcess.ParameterMatch)?
    /// Whether the command line is looked at, and not only the name.
    let comparesFullCommand: Bool

    /// Bytes of a process's name that the kernel keeps.
    static let commandLength = 15

    init(_ definition: TrackProcess) {
        name = definition.arguments.first ?? ""
        let words = Array(definition.arguments.dropFirst())
        // Words after the name are compared even where `param_match` is not written.
        let match = definition.parameterMatch ?? (words.isEmpty ? nil : .exact)
        parameters = match.map { (words, $0) }
        comparesFullCommand = definition.comparesFullCommand || match != nil
    }

    static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.comparesFullCommand == right.comparesFullCommand
            && left.parameters?.words == right.parameters?.words
            && left.parameters?.match == right.parameters?.match
    }

    /// Whether it is a process of that name.
    ///
    /// - Parameters:
    ///   - command: the kernel's name for it.
    ///   - words: its command line, asked for only where that matters.
    func matches(command: String, words: () -> [String]) -> Bool {
        // keepalived compares 15 bytes with all of what is written: a longer name never matches.
        guard comparesFullCommand else { return command == name }
        let words = words()
        guard words.first == name else { return false }
        guard let parameters else { return true }
        let actual = Array(words.dropFirst())
        switch parameters.match {
        case .exact: return actual == parameters.words
        case .partial: return actual.starts(with: parameters.words)
        case .initial:
            guard let last = parameters.words.last else { return true }
            let first = parameters.words.dropLast()
            return actual.starts(with: first) && actual.count > first.count
                && actual[first.count].hasPrefix(last)
        }
    }
}

/// Whether enough processes run, as a value: the quorum of a `vrrp_track_process` and its delays.
struct ProcessMonitor {
    /// What to do.
    enum Action: Equatable {
        /// There are enough of them now, and not too many; or no more.
        case report(hasQuorum: Bool)
        case log(LogLine)
    }

    let definition: TrackProcess
    /// What was told last; nil before the first count.
    private(set) var hasQuorum: Bool?
    /// How many run, as last counted.
    private(set) var number = 0
    private var isWithin = false
    /// When what is now becomes what is told.
    private(set) var deadline: MonotonicInstant?

    init(_ definition: TrackProcess) { self.definition = definition }

    /// So many run now. The first count is told at once; later, having enough becomes true after
    /// `fork_delay` and false after `terminate_delay`, unless that has passed by then.
    mutating func count(_ number: Int, now: MonotonicInstant) -> [Action] {
        self.number = number
        isWithin =
            number >= definition.quorum && number <= definition.maximumQuorum ?? .max
        guard let hasQuorum else {
            self.hasQuorum = isWithin
            return [.report(hasQuorum: isWithin)]
        }
        guard isWithin != hasQuorum else {
            deadline = nil
            return []
        }
        if deadline == nil {
            deadline = now + (isWithin ? definition.forkDelay : definition.terminateDelay)
        }
        return expire(now)
    }

    /// The deadline may have come.
    mutating func expire(_ now: MonotonicInstant) -> [Action] {
        guard let deadline, deadline <= now else { return [] }
        self.deadline = nil
        hasQuorum = isWithin
        return [
            .log(
                .init(
                    "Quorum \(isWithin ? "gained" : "lost") for tracked process "
                        + definition.name)), .report(hasQuorum: isWithin),
        ]
    }
}
