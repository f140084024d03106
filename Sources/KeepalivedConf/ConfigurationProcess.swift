/// A process of keepalived, each of which acts on its own part of the configuration.
enum ConfigurationProcess: CaseIterable {
    /// The one that runs VRRP.
    case vrrp
    /// The one that was started, and starts the others: it reads `global_defs`.
    case parent
    /// The one that checks real servers.
    case checker

    private static let parentKeywords: Set<String> = [
        "global_defs", "net_namespace", "net_namespace_ipvs", "namespace_with_ipsets", "instance",
        "use_pid_dir", "child_wait_time", "linkbeat_use_polling",
    ]
    private static let checkerKeywords: Set<String> = [
        "virtual_server", "virtual_server_group", "SSL",
    ]

    /// Whether it acts on that keyword of the top level.
    func acts(on keyword: String) -> Bool {
        switch self {
        case .vrrp:
            !Self.parentKeywords.contains(keyword) && !Self.checkerKeywords.contains(keyword)
        case .parent: Self.parentKeywords.contains(keyword)
        case .checker: Self.checkerKeywords.contains(keyword)
        }
    }
}

/// What keepalived's processes together make of the lines of a configuration.
struct ProcessedLines {
    /// The statements of the top level, each from the process that acts on it.
    private(set) var statements: [Statement] = []
    private(set) var diagnostics: [ConfDiagnostic] = []
    /// Whether there is a `vrrp_instance` among the statements, or was.
    private(set) var namesInstances = false
    /// Whether there are virtual servers that nobody has read.
    private(set) var leavesServersOut = false
    /// Those that no process acts on, though one reads them when the file is tested.
    private(set) var lostInstances: [Statement] = []

    /// What the parent starts a VRRP process for.
    private static let vrrpKeywords: Set<String> = [
        "vrrp_instance", "static_ipaddress", "static_routes", "static_rules",
    ]

    /// Has every process go over the lines, that of the checkers only if it runs.
    init(_ lines: [LogicalLine], runsCheckers: Bool) {
        var vrrp = Parser(lines, as: .vrrp)
        statements = vrrp.run()
        diagnostics = vrrp.diagnostics
        namesInstances = statements.contains { $0.name == "vrrp_instance" }
        var parent = Parser(lines, as: .parent)
        statements += parent.run()
        add(parent.diagnostics, of: .parent)
        if parent.skippedKeywords.isDisjoint(with: Self.vrrpKeywords) { removeInstances() }
        guard vrrp.skippedKeywords.contains(where: ConfigurationProcess.checker.acts) else {
            return
        }
        guard runsCheckers else {
            leavesServersOut = true
            return
        }
        var checker = Parser(lines, as: .checker)
        statements += checker.run()
        add(checker.diagnostics, of: .checker)
    }

    /// Adds what another process complains about, too.
    ///
    /// What it says of the top level is about blocks of which it only counts the braces: where the
    /// process that acts on them is content, it is no more than a consequence.
    private mutating func add(_ others: [ConfDiagnostic], of process: ConfigurationProcess) {
        guard !others.isEmpty else { return }
        var known: [Complaint: Int] = [:]
        for (index, diagnostic) in diagnostics.enumerated() { known[Complaint(diagnostic)] = index }
        for var other in others {
            if let index = known[Complaint(other)] {
                // The cause of a brace that is missing at the end may be known to one only.
                if diagnostics[index].kind == .unbalancedBraces, other.kind == .consequence {
                    diagnostics[index] = other
                }
                continue
            }
            known[Complaint(other)] = diagnostics.count
            if other.isAboutTopLevel { demote(&other, from: process) }
            diagnostics.append(other)
        }
    }

    private func demote(_ other: inout ConfDiagnostic, from process: ConfigurationProcess) {
        guard other.lacksParameter else {
            other.severity = .note
            other.kind = .consequence
            return
        }
        // It is the end of that process, and of a test of the file.
        if process == .checker { other.kind = .lossOfConfiguration }
    }

    /// A diagnostic as keepalived would word it, at its place.
    private struct Complaint: Hashable {
        var position: SourcePosition
        var message: String

        init(_ diagnostic: ConfDiagnostic) {
            position = diagnostic.position
            message = diagnostic.message
        }
    }

    /// The parent starts no VRRP process unless it has seen one of those at the top level.
    private mutating func removeInstances() {
        guard let lost = statements.first(where: { $0.name == "vrrp_instance" }) else { return }
        lostInstances = statements.filter { $0.name == "vrrp_instance" }
        statements.removeAll { $0.name == "vrrp_instance" }
        diagnostics.append(
            ConfDiagnostic(
                lost.position, .error, .lossOfConfiguration,
                "Warning - keepalived has no configuration to run",
                detail: "a brace is missing before: keepalived passes over this instance as a part"
                    + " of another block", namesLine: false))
    }
}
