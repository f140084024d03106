/// What the node's own `systemctl`, `reboot` and the like ask of PID 1, over a socket in the node.
public enum UnitRequest: Equatable, Sendable, WireCodable {
    /// All units of the node; answered by `.units`.
    case list
    /// Do that to a unit, by its own name; answered when it is done.
    case control(UnitVerb, unit: String)
    /// Send a signal to a unit's main process, or to all of its processes.
    case signal(Int32, unit: String, onlyMain: Bool)
    /// Start the unit with the node from now on, or no longer.
    case setEnabled(Bool, unit: String)
    /// Forget that the unit has failed.
    case resetFailed(unit: String)
    /// Stop all services, last started first, and the node; with `restarts`, boot it again.
    case powerOff(restarts: Bool)
    /// Give the node another hostname, until it is booted again.
    case setHostname(String)

    public func write(to writer: inout WireWriter) {
        switch self {
        case .list: writer.put(UInt8(0))
        case .control(let verb, let unit):
            writer.put(UInt8(1))
            writer.put(verb.rawValue)
            writer.put(unit)
        case .signal(let number, let unit, let onlyMain):
            writer.put(UInt8(2))
            writer.put(number)
            writer.put(unit)
            writer.put(onlyMain)
        case .setEnabled(let isEnabled, let unit):
            writer.put(UInt8(3))
            writer.put(isEnabled)
            writer.put(unit)
        case .powerOff(let restarts):
            writer.put(UInt8(4))
            writer.put(restarts)
        case .resetFailed(let unit):
            writer.put(UInt8(5))
            writer.put(unit)
        case .setHostname(let name):
            writer.put(UInt8(6))
            writer.put(name)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.integer(UInt8.self) {
        case 0: self = .list
        case 1:
            guard let verb = UnitVerb(rawValue: try reader.integer()) else {
                throw WireError(expected: "a unit's verb")
            }
            self = .control(verb, unit: try reader.text())
        case 2:
            self = .signal(
                try reader.integer(), unit: try reader.text(), onlyMain: try reader.bool())
        case 3: self = .setEnabled(try reader.bool(), unit: try reader.text())
        case 4: self = .powerOff(restarts: try reader.bool())
        case 5: self = .resetFailed(unit: try reader.text())
        case 6: self = .setHostname(try reader.text())
        default: throw WireError(expected: "a request of the node's own")
        }
    }
}

/// What can be done to a unit.
public enum UnitVerb: UInt8, Sendable, CaseIterable { case start, stop, restart, reload }

/// What PID 1 answers.
public enum UnitReply: Equatable, Sendable, WireCodable {
    case units([UnitReport])
    /// It is done: what was started is ready, what was stopped is gone. Of `.setEnabled`, whether
    /// that changed anything.
    case done(changed: Bool)
    /// It was tried and went wrong: why.
    case failed(String)
    /// Only root may ask for that.
    case refused

    public func write(to writer: inout WireWriter) {
        switch self {
        case .units(let units):
            writer.put(UInt8(0))
            writer.put(units) { $1.write(to: &$0) }
        case .done(let changed):
            writer.put(UInt8(1))
            writer.put(changed)
        case .failed(let reason):
            writer.put(UInt8(2))
            writer.put(reason)
        case .refused: writer.put(UInt8(3))
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.integer(UInt8.self) {
        case 0:
            self = .units(
                try reader.list { reader throws(WireError) in try UnitReport(from: &reader) })
        case 1: self = .done(changed: try reader.bool())
        case 2: self = .failed(try reader.text())
        case 3: self = .refused
        default: throw WireError(expected: "an answer of PID 1")
        }
    }
}

/// A unit as PID 1 has it.
public struct UnitReport: Equatable, Sendable, WireCodable {
    /// Its name, without `.service`.
    public var name: String
    /// Other names by which it may be called.
    public var aliases: [String]
    /// What it is, in a few words.
    public var description: String
    /// The program it runs, and its arguments.
    public var command: [String]
    /// Whether it is started with the node.
    public var isEnabled: Bool
    public var phase: Phase
    /// When it came into that phase, as CLOCK_MONOTONIC in nanoseconds; nil when it was never
    /// started.
    public var since: Int64?
    /// Its main process, or the last one it had.
    public var pid: Int32?
    /// How its last main process ended; nil while it runs.
    public var end: ProcessEnd?
    /// Why it is down for good.
    public var failure: String?

    /// Where in its life a unit is: systemd's active states, and what is between them.
    public enum Phase: UInt8, Sendable, CaseIterable {
        case inactive, activating, active, deactivating, failed
        /// It ended by itself and will be started again.
        case restarting
    }

    /// How a process ended.
    public enum ProcessEnd: Equatable, Sendable {
        case exited(status: Int32)
        case signalled(signal: Int32)
    }

    public init(
        name: String, aliases: [String] = [], description: String = "", command: [String] = [],
        isEnabled: Bool = false, phase: Phase = .inactive, since: Int64? = nil, pid: Int32? = nil,
        end: ProcessEnd? = nil, failure: String? = nil
    ) {
        self.name = name
        self.aliases = aliases
        self.description = description
        self.command = command
        self.isEnabled = isEnabled
        self.phase = phase
        self.since = since
        self.pid = pid
        self.end = end
        self.failure = failure
    }

    public func write(to writer: inout WireWriter) {
        writer.put(name)
        writer.put(aliases) { $0.put($1) }
        writer.put(description)
        writer.put(command) { $0.put($1) }
        writer.put(isEnabled)
        writer.put(phase.rawValue)
        writer.put(since) { $0.put($1) }
        writer.put(pid) { $0.put($1) }
        writer.put(end) { writer, end in
            switch end {
            case .exited(let status):
                writer.put(false)
                writer.put(status)
            case .signalled(let signal):
                writer.put(true)
                writer.put(signal)
            }
        }
        writer.put(failure) { $0.put($1) }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        name = try reader.text()
        aliases = try reader.list { reader throws(WireError) in try reader.text() }
        description = try reader.text()
        command = try reader.list { reader throws(WireError) in try reader.text() }
        isEnabled = try reader.bool()
        guard let phase = Phase(rawValue: try reader.integer()) else {
            throw WireError(expected: "a unit's phase")
        }
        self.phase = phase
        since = try reader.optional { reader throws(WireError) in try reader.integer() }
        pid = try reader.optional { reader throws(WireError) in try reader.integer() }
        end = try reader.optional { reader throws(WireError) in
            try reader.bool()
                ? .signalled(signal: try reader.integer()) : .exited(status: try reader.integer())
        }
        failure = try reader.optional { reader throws(WireError) in try reader.text() }
    }
}
