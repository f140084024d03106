import KeepalivedConf
import NetworkTypes

/// keepalived.data: everything about the daemon, for people.
///
/// The sections and lines of keepalived 2.2.7 in its order and wording, but for what this program
/// has no such thing of: settings of the scheduler, of SNMP, DBus, LVS, BFD and of buffers.
struct StateReport {
    let report: AgentReport
    /// A time in seconds since 1970 as ctime(3) writes it, without its newline.
    let calendar: (Int64) -> String
    private(set) var text = ""

    /// The file's contents.
    static func text(_ report: AgentReport, calendar: @escaping (Int64) -> String) -> String {
        var writer = StateReport(report, calendar: calendar)
        writer.writeAll()
        return writer.text
    }

    private init(_ report: AgentReport, calendar: @escaping (Int64) -> String) {
        self.report = report
        self.calendar = calendar
    }

    mutating func line(_ line: String) {
        text += line
        text += "\n"
    }

    mutating func list(_ title: String, _ lines: [String]) {
        guard !lines.isEmpty else { return }
        line("   \(title) :")
        for entry in lines { line("     \(entry)") }
    }

    private mutating func section(_ title: String, _ isThere: Bool = true) -> Bool {
        if isThere { line("------< \(title) >------") }
        return isThere
    }

    private mutating func writeAll() {
        _ = section("Global definitions")
        writeGlobal()
        let fixed = report.staticObjects
        if section("Static Addresses", !fixed.addresses.isEmpty) {
            for address in fixed.addresses { line("     \(address)") }
        }
        if section("Static Routes", !fixed.routes.isEmpty) {
            for route in fixed.routes { line("     \(route)") }
        }
        if section("Static Rules", !fixed.rules.isEmpty) {
            for rule in fixed.rules { line("     \(rule.reportText)") }
        }
        if section("VRRP Topology", !report.instances.isEmpty) {
            for instance in report.instances { write(instance) }
        }
        if section("VRRP Sockpool", !report.sockets.isEmpty) {
            for socket in report.sockets { write(socket) }
        }
        let configuration = report.configuration
        if section("VRRP Sync groups", !configuration.syncGroups.isEmpty) {
            for group in configuration.syncGroups { write(group) }
        }
        if section("VRRP Scripts", !configuration.scripts.isEmpty) {
            for script in configuration.scripts { write(script) }
        }
        if section("VRRP Track files", !configuration.files.isEmpty) {
            for file in configuration.files { write(file) }
        }
        if section("VRRP Track processes", !configuration.processes.isEmpty) {
            for process in configuration.processes { write(process) }
        }
        if section("Interfaces", !report.interfaces.isEmpty) {
            for interface in report.interfaces { write(interface) }
        }
    }

    private mutating func write(_ socket: AgentReport.SocketReport) {
        line(" fd_in \(socket.receiver) fd_out = \(socket.sender)")
        line("   Interface = \(socket.interface)")
        line("   Family = \(socket.family == .v4 ? "IPv4" : "IPv6")")
        line("   Protocol = \(socket.isAuthenticated ? "AH" : "VRRP")")
        line("   Type = \(socket.unicastSource == nil ? "Multicast" : "Unicast")")
        if let source = socket.unicastSource { line("   Address = \(source)") }
        line("   Rx buf size = 0")
        line("   VRRP instances")
        for name in socket.instances {
            guard let instance = report.configuration.instance(named: name) else { continue }
            line("     \(name) vrid \(instance.virtualRouterID)")
        }
    }

    /// A command of `notify`, when there is one.
    mutating func write(_ command: Command?, _ kind: String) {
        guard let command else { return }
        let identity = report.programs[command].map { ", uid:gid \($0.userID):\($0.groupID)" } ?? ""
        line("   \(kind) state transition script = \(report.text(command))\(identity)")
    }
}

// MARK: Global definitions

extension StateReport {
    fileprivate mutating func writeGlobal() {
        let global = report.configuration.global
        line(" Network namespace = \(report.networkNamespace ?? "(default)")")
        if let name = global.instanceName { line(" Instance name = \(name)") }
        line(" Router ID = \(report.routerID)")
        writeMail(global)
        line(global.checksReload ? " Test config before reload" : " No test config before reload")
        write(global.startupScript, "Startup", global.startupScriptTimeout)
        write(global.shutdownScript, "Shutdown", global.shutdownScriptTimeout)
        line(" Dynamic interfaces = \(global.dynamicInterfaces)")
        if global.suppressesFaultMail { line(" Send emails for fault transitions = off") }
        line(" Default interface = \(global.defaultInterface?.text ?? "eth0")")
        line(" Disable local IGMP = \(global.disablesLocalIGMP ? "yes" : "no")")
        for fifo in global.notifyFIFOs {
            line(" VRRP notify fifo = \(fifo.path)")
            if let script = fifo.script {
                line(" VRRP notify fifo script = \(report.text(script))")
            }
        }
        line(" FIFO write vrrp states on reload = \(global.writesStatesOnReload)")
        line(" VRRP notify priority changes = \(global.notifiesPriorityChanges)")
        line(" VRRP IPv4 mcast group = \(global.multicastGroup4)")
        line(" VRRP IPv6 mcast group = \(global.multicastGroup6)")
        line(" Gratuitous ARP interval = \(global.garpInterval.longSeconds)")
        line(" Gratuitous NA interval = \(global.gnaInterval.longSeconds)")
        line(" nftables table name = \(global.nftablesTable)")
        line(" Script security \(global.scriptSecurity ? "enabled" : "disabled")")
        if let umask = global.umask { line(" umask = 0\(String(umask, radix: 8))") }
        if global.startupDelay > .zero {
            line(" vrrp_startup_delay = \(global.startupDelay.shortSeconds)")
        }
        if global.logsUnknownVRIDs { line(" log_unknown_vrids") }
    }

    private mutating func writeMail(_ global: GlobalDefinitions) {
        if let server = global.smtpServer {
            line(" Smtp server = \(server)")
            line(" Smtp server port = \(global.smtpPort)")
        }
        if let name = global.smtpHeloName { line(" Smtp HELO name = \(name)") }
        if global.smtpServer != nil {
            line(" Smtp server connection timeout = \(global.smtpConnectTimeout.wholeSeconds)")
        }
        if !global.notificationAddresses.isEmpty {
            if let sender = global.notificationSender {
                line(" Email notification from = \(sender)")
            }
            line(" Email notification to:")
            for address in global.notificationAddresses { line("   \(address)") }
        }
        line(" Default smtp_alert_vrrp = \(global.smtpAlert ? "on" : "unset")")
    }

    private mutating func write(_ command: Command?, _ kind: String, _ timeout: Duration) {
        guard let command else { return }
        line(" \(kind) script = \(report.text(command)), timeout \(timeout.wholeSeconds)")
    }
}
