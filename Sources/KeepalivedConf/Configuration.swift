public import NetworkTypes

/// What keepalived would run with a configuration file.
public struct Configuration: Hashable, Sendable {
    /// Settings that apply to all instances.
    public var global = GlobalDefinitions()
    /// The scripts that instances may track, in the order of the file.
    public var scripts: [VRRPScript] = []
    /// Those that keepalived removes since they name no user and there is no `keepalived_script`:
    /// it has said so when it comes to the other commands.
    public var removedScripts: [VRRPScript] = []
    /// Processes that instances may track (`vrrp_track_process`), in the order of the file.
    public var processes: [TrackProcess] = []
    /// Files that instances may track (`track_file`), in the order of the file.
    public var files: [TrackFile] = []
    /// Instances that change state together, in the order of the file.
    public var syncGroups: [SyncGroupDefinition] = []
    /// Those that keepalived removes for want of members, when it has looked at their scripts.
    public var removedSyncGroups: [SyncGroupDefinition] = []
    /// `static_ipaddress`: addresses that are there while the daemon runs.
    public var staticAddresses: [VirtualAddress] = []
    /// `static_routes`: routes that are there while the daemon runs.
    public var staticRoutes: [RouteDefinition] = []
    /// `static_rules`: rules that are there while the daemon runs.
    public var staticRules: [RuleDefinition] = []
    /// The virtual routers, in the order of the file.
    public var instances: [VRRPInstance] = []
    /// `virtual_server_group`: addresses that one virtual server answers on.
    public var virtualServerGroups: [VirtualServerGroup] = []
    /// The LVS services, in the order of the file.
    public var virtualServers: [VirtualServer] = []

    /// An empty configuration.
    public init() {}

    /// The instance of that name.
    public func instance(named name: String) -> VRRPInstance? {
        instances.first { $0.name == name }
    }
}

/// What came of parsing a file.
public struct ParsedConfiguration: Sendable {
    /// What keepalived would run. Where it would refuse to, the instances that are complete.
    public var configuration: Configuration
    /// All that is wrong: first what concerns lines, file by file in the order of the lines, then
    /// what concerns whole instances, in their order.
    public var diagnostics: [ConfDiagnostic]
    /// The interfaces that the file names and `configuration` does not.
    var mentions: [InterfaceMention] = []
    /// Whether an instance is written, be it left out: for one, keepalived looks at all scripts.
    public var namesInstances = false
    /// What those would run that are left out.
    public var leftOutCommands: [VRRPInstance.NotifyCommands] = []

    /// Whether keepalived would exit instead of running: with status 2, or 6 for a missing file.
    public var isRefused: Bool {
        diagnostics.contains { $0.kind == .refused || $0.kind == .refusedInclude }
    }

    /// Whether the file does not mean what it says: what a checker refuses.
    public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

extension Configuration {
    /// Parses a keepalived.conf as keepalived 2.2.7 does, all mistakes in one run.
    ///
    /// - Parameters:
    ///   - text: the file's contents.
    ///   - file: its name, for diagnostics and for `include`.
    ///   - context: the machine and the command line.
    ///   - include: finds the files that an `include` names; by default there are none.
    public static func parse(
        _ text: String, file: String, context: ConfigurationContext = ConfigurationContext(),
        include: @escaping IncludeResolver = { _, _ in [] }
    ) -> ParsedConfiguration {
        parse(text, file: file, context: context, source: .resolver(include))
    }

    /// Parses a keepalived.conf as keepalived 2.2.7 does, all mistakes in one run; what its
    /// includes name is looked for in `files`, as keepalived would with glob(3).
    public static func parse(
        _ text: String, file: String, context: ConfigurationContext = ConfigurationContext(),
        files: ConfigurationFiles
    ) -> ParsedConfiguration {
        parse(text, file: file, context: context, source: .files(files))
    }

    private static func parse(
        _ text: String, file: String, context: ConfigurationContext, source: IncludeSource
    ) -> ParsedConfiguration {
        var reader = LineReader(context: context, source: source)
        reader.read(text, file: file)
        let processed = ProcessedLines(reader.lines, runsCheckers: context.readsVirtualServers)
        var parsed = parse(processed, of: reader, context: context)
        guard processed.leavesServersOut else { return parsed }
        // What is wrong in what nobody reads is told all the same, and stops nobody.
        let whole = parse(
            ProcessedLines(reader.lines, runsCheckers: true), of: reader, context: context)
        let known = Set(parsed.diagnostics)
        let others = whole.diagnostics.filter { !known.contains($0) }
        parsed.diagnostics = ordered(
            parsed.diagnostics + others.map(\.harmless), files: reader.files)
        return parsed
    }

    private static func parse(
        _ processed: ProcessedLines, of reader: LineReader, context: ConfigurationContext
    ) -> ParsedConfiguration {
        var builder = ConfigurationBuilder(context: context)
        builder.read(processed.statements)
        builder.review(processed.lostInstances)
        builder.complete()
        var diagnostics = reader.diagnostics + processed.diagnostics + builder.diagnostics
        for index in diagnostics.indices where diagnostics[index].position.expansion > 0 {
            let expansion = Int(diagnostics[index].position.expansion)
            diagnostics[index].expandedLine = reader.expandedLines[expansion - 1]
        }
        return ParsedConfiguration(
            configuration: builder.configuration,
            diagnostics: ordered(diagnostics, files: reader.files),
            mentions: builder.mentions,
            namesInstances: processed.namesInstances, leftOutCommands: builder.leftOutCommands)
    }

    /// The diagnostics in the order in which keepalived comes to them.
    private static func ordered(
        _ diagnostics: [ConfDiagnostic], files: [String]
    ) -> [ConfDiagnostic] {
        var ranks: [String: Int] = [:]
        for (rank, file) in files.enumerated() where ranks[file] == nil { ranks[file] = rank }
        func key(_ diagnostic: ConfDiagnostic) -> (Int, Int, Int) {
            let position = diagnostic.position
            return (ranks[position.file] ?? files.count, position.line, position.column)
        }
        let (ofInstances, ofLines) = (
            diagnostics.filter { !$0.namesLine }, diagnostics.filter { $0.namesLine }
        )
        return ofLines.sorted { key($0) < key($1) } + ofInstances
    }
}

/// The settings of `global_defs`, defaults filled in.
public struct GlobalDefinitions: Hashable, Sendable {
    /// `router_id`: names the machine in mails; nil where the host's name is to be used.
    public var routerID: String?
    /// `notification_email`: who gets mail.
    public var notificationAddresses: [String] = []
    /// `notification_email_from`; nil where `keepalived@HOSTNAME` is to be used.
    public var notificationSender: String?
    /// `smtp_server`: the mail server's name or address.
    public var smtpServer: String?
    /// The mail server's port.
    public var smtpPort: UInt16 = 25
    /// `smtp_connect_timeout`.
    public var smtpConnectTimeout: Duration = .seconds(30)
    /// `smtp_alert_vrrp`, or else `smtp_alert`: whether instances that do not say send mail.
    public var smtpAlert = false
    /// `smtp_alert_checker`, or else `smtp_alert`; nil where neither is written.
    public var smtpAlertChecker: Bool?
    /// `default_interface`: for static addresses only; an instance must name its own. nil: eth0.
    public var defaultInterface: InterfaceName?
    /// `vrrp_startup_delay`: how long instances wait before they start.
    public var startupDelay: Duration = .zero
    /// `script_user USER [GROUP]`.
    public var scriptUser: [String] = []
    /// `enable_script_security`: refuse to run scripts as root that others could change.
    public var scriptSecurity = false
    /// `dynamic_interfaces`: an interface that does not exist is waited for.
    public var dynamicInterfaces = false
    /// `dynamic_interfaces allow_if_changes`: an interface may come back as another kind.
    public var allowsInterfaceChanges = false
    /// `vrrp_garp_interval`: the least time between two gratuitous ARP packets.
    public var garpInterval: Duration = .zero
    /// `vrrp_gna_interval`: the least time between two unsolicited neighbour advertisements.
    public var gnaInterval: Duration = .zero
    /// `garp_group`: interfaces that share a pace of their own.
    public var garpGroups: [GARPGroup] = []
    /// `smtp_helo_name`; nil where the host's name is to be used.
    public var smtpHeloName: String?
    /// `no_email_faults`: no mail about FAULT.
    public var suppressesFaultMail = false
    /// `vrrp_mcast_group4`.
    public var multicastGroup4 = IPv4Address(224, 0, 0, 18)
    /// `vrrp_mcast_group6`.
    public var multicastGroup6 = IPv6Address(high: 0xff02 << 48, low: 0x12)
    /// `notify_fifo` and `vrrp_notify_fifo`: where a line tells every transition.
    public var notifyFIFOs: [NotifyFIFO] = []
    /// `fifo_write_vrrp_states_on_reload`: a reload writes all states to the FIFOs.
    public var writesStatesOnReload = false
    /// `startup_script`: run once before the instances start.
    public var startupScript: Command?
    /// `startup_script_timeout`.
    public var startupScriptTimeout: Duration = .seconds(10)
    /// `shutdown_script`: run once when all is stopped.
    public var shutdownScript: Command?
    /// `shutdown_script_timeout`.
    public var shutdownScriptTimeout: Duration = .seconds(10)
    /// `log_unknown_vrids`: advertisements of virtual routers not configured here are logged.
    public var logsUnknownVRIDs = false
    /// `vrrp_notify_priority_changes`: the default of `notify_priority_changes`.
    public var notifiesPriorityChanges = false
    /// `disable_local_igmp`: the sysctl igmp_link_local_mcast_reports is cleared.
    public var disablesLocalIGMP = false
    /// `nftables [TABLE]`: the table that `no_accept` uses.
    public var nftablesTable = "keepalived"
    /// `nftables_priority`: of the chains in that table.
    public var nftablesPriority = -1
    /// `nftables_counters`: rules count what they match.
    public var countsFirewallMatches = false
    /// `vmac_prefix`: what the names of interfaces that instances make start with.
    public var vmacPrefix = "vrrp"
    /// `vmac_addr_prefix`: the same for interfaces made for single addresses; nil: `vmacPrefix`.
    public var vmacAddressPrefix: String?
    /// `net_namespace`: the network namespace that the daemon enters.
    public var networkNamespace: String?
    /// `instance`: tells several daemons of one machine apart, in the names of their files.
    public var instanceName: String?
    /// `use_pid_dir`: pid files are under /run/keepalived.
    public var usesPIDDirectory = false
    /// `data_use_instance`: keepalived.data has namespace and instance in its name.
    public var namesInstanceInData = false
    /// `child_wait_time`: how long the end waits for what was started.
    public var childWaitTime: Duration = .seconds(5)
    /// `interface_up_down_delays`: how long a change of an interface's state must last to count.
    public var interfaceDelays: [InterfaceDelay] = []
    /// `umask`: of files and scripts; nil where it is not written.
    public var umask: UInt16?
    /// What concerns virtual servers and their checkers.
    public var lvs = LVSDefinitions()
    /// `reload_check_config`: a reload is refused when the new file has errors.
    public var checksReload = false

    /// The defaults.
    public init() {}
}

/// A command and whom to run it as.
public struct Command: Hashable, Sendable {
    /// The program and its arguments.
    public var arguments: [String]
    /// The user and the group that were written after it.
    public var user: [String]
    /// Where it stands.
    public var position: SourcePosition
}

/// A `vrrp_script`: a command whose result moves the priority of the instances that track it.
public struct VRRPScript: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// What is run.
    public var command: Command
    /// The time from one start to the next.
    public var interval: Duration = .seconds(1)
    /// How long it may run before it is killed and counts as failed; nil: one interval.
    public var timeout: Duration?
    /// Added to the priority while it succeeds (positive) or fails (negative); 0: failure is FAULT.
    public var weight = 0
    /// Whether the weight counts the other way round.
    public var isReversed = false
    /// Successes in a row that make it succeed.
    public var rise = 1
    /// Failures in a row that make it fail.
    public var fall = 1
    /// Whether it counts as failed until its first success.
    public var startsFailed = false
    /// Where its definition stands.
    public var position: SourcePosition
}

extension ConfDiagnostic {
    /// The same of something that does not matter.
    fileprivate var harmless: ConfDiagnostic {
        var other = self
        if kind == .refused || kind == .refusedInclude { other.kind = .lossOfConfiguration }
        return other
    }
}
