import CLinux
import Glibc
public import LabModel
import LinuxSystem
import NetworkTypes

/// Builds a lab for the time of a closure: the fixture of a test.
///
///     @Test func survives() throws {
///         try withLab("Labs/two-node") { lab in
///             try lab.run("[ { kill: master }, { expect: { vip: 10.10.10.10, on: backup } } ]")
///         }
///     }
///
/// The lab has a name of its own, so that many can run side by side. It is ready when the closure
/// begins, and gone when this returns or throws, and also when the process dies. A closure that
/// throws ``ScenarioFailure`` because this machine stood still is run once more, in a clean lab.
///
/// `labctl` and the programs beside it are taken from the folder in `$LABCTL_BIN`, from the folder
/// of the running program, where `swift build` puts them too, or from `$PATH`. Root only.
///
/// - Parameters:
///   - path: a lab file or the folder of one, from the working directory.
///   - vrrp: which VRRP daemons to run in place of the file's, as `labctl test --vrrp` takes them:
///     `keepalived`, `backup=frr`.
///   - publish: ports of this machine that lead into the lab, as `labctl up --publish` takes them,
///     in place of the file's: `0:10.10.10.10:80` for any that is free.
/// - Throws: ``LabError`` when the lab cannot be built; what the closure throws.
public func withLab<Result>(
    _ path: String, vrrp: [String] = [], publish: [String] = [],
    _ body: (LabFixture) throws -> Result
) throws -> Result {
    let choices = try vrrp.map { text in
        guard let choice = VRRPDaemonChoice(text) else {
            throw LabError.state("'\(text)' is no [NODE=]KIND of a VRRP daemon")
        }
        return choice
    }
    func run() throws -> Result {
        var loaded = try LabLoader.load(path, name: nil, vrrp: choices)
        do {
            loaded.lab = try loaded.lab.withoutPublishedPorts.publishing(publish)
        } catch {
            throw LabError.invalid([error])
        }
        let lab = try LabFixture(loaded)
        defer { lab.end() }
        return try body(lab)
    }
    do {
        return try run()
    } catch let failure as ScenarioFailure where failure.outcome.verdict == .inconclusive {
        return try run()
    }
}

/// A lab that ``withLab(_:vrrp:publish:_:)`` has built.
///
/// Nodes and services are named as on the command line: `master`, `master/httpd`.
public struct LabFixture {
    /// The lab as it was built.
    public let lab: Lab
    /// Its virtual routers.
    public let virtualRouters: [VirtualRouterFacts]
    /// For whatever is not offered here.
    public let client: LabClient
    private let path: String

    init(_ loaded: LoadedLab) throws {
        var loaded = loaded
        loaded.lab.name = Self.ownName(for: loaded.lab.name)
        lab = loaded.lab
        virtualRouters = loaded.virtualRouters
        path = loaded.path
        client = try LabLauncher.up(
            loaded, endsWithCaller: true, supervisor: try LabLauncher.installedSupervisor())
    }

    /// A name that no other lab on this machine has: of this process, at this moment.
    private static func ownName(for name: String) -> String {
        let process = String(getpid(), radix: 36)
        let moment = String(MonotonicClock.now.nanoseconds, radix: 36).suffix(7)
        return "\(name.prefix(32 - process.count - moment.count - 2))-\(process)-\(moment)"
    }

    /// Takes the lab down; that it is down already is none of the test's business.
    fileprivate func end() { try? client.down() }

    // MARK: Verbs

    /// Starts a node or service; returns when it is ready.
    public func start(_ target: String) throws { try control(.start, target) }
    /// Stops it in good order; returns when it has ended.
    public func stop(_ target: String) throws { try control(.stop, target) }
    /// Stops it and starts it again.
    public func restart(_ target: String) throws { try control(.restart, target) }
    /// Cuts a node's power, or kills a service.
    public func kill(_ target: String) throws { try control(.kill, target) }
    /// Lets no process of it run until ``thaw(_:)``.
    public func freeze(_ target: String) throws { try control(.freeze, target) }
    /// Lets its processes run again.
    public func thaw(_ target: String) throws { try control(.thaw, target) }
    /// Tells a service to read its configuration anew.
    public func reload(_ target: String) throws { try control(.reload, target) }

    /// Has a node make do with less of its machine: `limit("a", "cpu 20% memory 64MiB")`.
    public func limit(_ node: String, _ words: String) throws {
        guard let limits = NodeLimits.parse(words) else {
            throw LabError.state("'\(words)' are no \(NodeLimits.textName)")
        }
        try client.apply(.limit(node, limits))
    }

    /// Applies a verb to a node or service; returns when it is done.
    public func control(
        _ verb: ControlVerb, _ target: String, _ options: ControlOptions = ControlOptions()
    ) throws {
        guard let parsed = Target.parse(target) else {
            throw LabError.state("'\(target)' is no NODE or NODE/SERVICE")
        }
        try client.control(verb, parsed, options)
    }

    /// Runs a command in a node to its end.
    ///
    /// - Throws: ``LabError`` when it could not be run; that it failed is in the result.
    public func execute(_ node: String, _ command: String...) throws -> CommandResult {
        try client.execute(command, on: node)
    }

    // MARK: The scenario language

    /// Runs steps as they stand in a lab file: a list of them, or a mapping with `steps`, `probes`,
    /// `checks` and whatever else a scenario has.
    ///
    /// An expectation is counted from the step before it, and its bound follows from the protocol,
    /// as in a lab file. So what is to be expected belongs into one call with what causes it. What
    /// is broken stays so for the calls that follow, until it is healed or the fixture ends.
    ///
    /// - Returns: the reports of the steps, with what was measured.
    /// - Throws: ``ScenarioFailure`` when one does not hold.
    @discardableResult
    public func run(_ steps: String) throws -> [StepReport] {
        let (scenario, diagnostics) = lab.decodeScenario(
            yaml: steps, name: "steps", file: path, readFile: LabLoader.lookUp)
        guard let scenario else { throw LabError.invalid(diagnostics) }
        var reports: [StepReport] = []
        var slice: [TimelineEvent] = []
        let outcome = try client.run(
            scenario, onSlice: { slice = $0 },
            onStep: { if $0.phase != .began { reports.append($0) } })
        guard outcome.verdict == .passed else {
            throw ScenarioFailure(outcome: outcome, reports: reports, slice: slice)
        }
        return reports
    }

    // MARK: What happened

    /// The ports of this machine that lead into the lab.
    public func published() throws -> [PublishedPort] { try client.status().published }

    /// Everything that has happened so far, in order.
    public func timeline() throws -> [TimelineEvent] {
        var events: [TimelineEvent] = []
        try client.events { event, _ in events.append(event) }
        return events
    }

    /// The nodes that hold an address now, by their kernels, sorted.
    public func holders(of address: String) throws -> [String] {
        guard let parsed = IPAddress(address) else {
            throw LabError.state("'\(address)' is no address")
        }
        return try client.status().nodes
            .filter { $0.interfaces.contains { $0.addresses.contains { $0.address == parsed } } }
            .map(\.name).sorted()
    }
}

/// Steps that did not go as they should.
public struct ScenarioFailure: Error, CustomStringConvertible {
    /// How it ended.
    public var outcome: ScenarioOutcome
    /// The steps that were over, the last of them the one that failed.
    public var reports: [StepReport]
    /// What the timeline shows around it.
    public var slice: [TimelineEvent]

    /// What was expected and seen, and the slice of the timeline.
    public var description: String {
        let text = EventText(origin: slice.first?.time ?? .zero)
        return
            (["\(outcome.verdict.rawValue): \(outcome.message)"]
            + slice.map { "    " + text.line(for: $0) }).joined(separator: "\n")
    }
}
