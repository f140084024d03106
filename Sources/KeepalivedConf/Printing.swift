import NetworkTypes

extension Configuration {
    /// The configuration as a keepalived.conf that means the same: every setting, with its default
    /// where nothing was written, each on a line, in one order.
    ///
    /// Parsed again it makes the same configuration, places in files aside. What is no part of the
    /// model (LVS settings that only keepalived's checkers read) is not in it.
    public var canonicalText: String {
        var printer = ConfigurationPrinter()
        printer.write(self)
        return printer.text
    }
}

/// Writes lines and blocks, each block further in than what it stands in.
struct ConfigurationPrinter {
    private(set) var text = ""
    private var depth = 0

    /// A line of words, those of them that are there.
    mutating func line(_ words: String?...) {
        for _ in 0..<depth { text += "    " }
        text += words.compactMap { $0 }.joined(separator: " ")
        text += "\n"
    }

    /// A keyword with its value; nothing where there is none.
    mutating func value(_ keyword: String, _ value: String?) {
        if let value { line(keyword, value) }
    }

    /// A keyword with a number; nothing where there is none.
    mutating func value(_ keyword: String, _ value: (some BinaryInteger)?) {
        if let value { line(keyword, String(value)) }
    }

    /// A keyword with a time.
    mutating func value(_ keyword: String, _ value: Duration?) {
        if let value { line(keyword, seconds(value)) }
    }

    /// A keyword that stands for itself.
    mutating func flag(_ keyword: String, _ isSet: Bool) {
        if isSet { line(keyword) }
    }

    /// A keyword with a truth value.
    mutating func value(_ keyword: String, _ value: Bool?) {
        if let value { line(keyword, value ? "true" : "false") }
    }

    /// A keyword with a command and its user.
    mutating func value(_ keyword: String, _ command: Command?) {
        guard let command else { return }
        let user = command.user.isEmpty ? nil : command.user.map(token).joined(separator: " ")
        line(keyword, commandToken(command.arguments), user)
    }

    /// A block.
    mutating func block(_ head: String, _ body: (inout Self) -> Void) {
        line(head, "{")
        depth += 1
        body(&self)
        depth -= 1
        line("}")
    }

    /// A block of lines, where there are any.
    mutating func list(_ keyword: String, _ lines: [String]) {
        guard !lines.isEmpty else { return }
        block(keyword) { printer in
            for line in lines { printer.line(line) }
        }
    }

    // MARK: Words

    /// A text as one word of a line: in double quotes where it would not be one without. There is
    /// no way to write a double quote, nor has one come from a file.
    func token(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                !isSpaceByte(byte) && !"{}#!$\\\"@~'".utf8.contains(byte)
            }
        return isPlain ? text : "\"\(text)\""
    }

    /// A command as one word: split into its words twice, the line and then the value, so what is
    /// escaped in the value is escaped again.
    func commandToken(_ arguments: [String]) -> String {
        let text = arguments.map { argument in
            let isPlain =
                !argument.isEmpty
                && argument.utf8.allSatisfy { $0 > 0x20 && !"'\"\\".utf8.contains($0) }
            return isPlain ? argument : "'\(escaped(argument, "'\\"))'"
        }.joined(separator: " ")
        // A line's words are told apart without a thought for escapes: no quote may stand in it.
        return text.utf8.contains { "\"\\".utf8.contains($0) }
            ? "\"\(escaped(text, "\"\\"))\"" : token(text)
    }

    /// The text with those characters, and those that do not print, as their octal numbers.
    private func escaped(_ text: String, _ special: String) -> String {
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            guard byte < 0x20 || special.utf8.contains(byte) else {
                escaped.append(byte)
                continue
            }
            let digits = String(byte, radix: 8)
            escaped += "\\".utf8
            escaped += String(repeating: "0", count: 3 - digits.utf8.count).utf8
            escaped += digits.utf8
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    /// Seconds, with decimals as far as they are needed.
    func seconds(_ duration: Duration) -> String {
        var text = sixDecimals(duration)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// A weight, and which way it counts where that is to be said.
    func weight(_ weight: Int?, isReversed: Bool, otherwise: String? = nil) -> String? {
        guard let weight else { return nil }
        let direction = isReversed ? "reverse" : otherwise
        return ["weight", String(weight), direction].compactMap { $0 }.joined(separator: " ")
    }
}

// MARK: - The file

extension ConfigurationPrinter {
    mutating func write(_ configuration: Configuration) {
        write(configuration.global, minimalGARP: configuration.instances)
        for script in configuration.scripts { write(script) }
        for file in configuration.files { write(file) }
        for process in configuration.processes { write(process) }
        list("static_ipaddress", configuration.staticAddresses.map(address))
        list("static_routes", configuration.staticRoutes.map(route))
        list("static_rules", configuration.staticRules.map(rule))
        for instance in configuration.instances { write(instance) }
        for group in configuration.syncGroups + configuration.removedSyncGroups { write(group) }
    }

    private mutating func write(
        _ global: GlobalDefinitions, minimalGARP instances: [VRRPInstance]
    ) {
        value("net_namespace", global.networkNamespace.map(token))
        value("instance", global.instanceName.map(token))
        flag("use_pid_dir", global.usesPIDDirectory)
        value("child_wait_time", global.childWaitTime)
        block("global_defs") { printer in
            printer.writeMail(global)
            printer.writeNetwork(global)
            printer.writeProcess(global)
            // The one way to have no announcements in a refresh.
            printer.flag(
                "vrrp_min_garp", instances.contains { $0.announcements.refreshRepeat == 0 })
        }
        for group in global.garpGroups { write(group) }
        list(
            "interface_up_down_delays",
            global.interfaceDelays.map {
                "\($0.interface) \(seconds($0.down)) \(seconds($0.up))"
            })
    }

    private mutating func writeMail(_ global: GlobalDefinitions) {
        value("router_id", global.routerID.map(token))
        list("notification_email", global.notificationAddresses.map(token))
        value("notification_email_from", global.notificationSender.map(token))
        value("smtp_server", global.smtpServer.map { "\(token($0)) \(global.smtpPort)" })
        value("smtp_helo_name", global.smtpHeloName.map(token))
        value("smtp_connect_timeout", global.smtpConnectTimeout)
        value("smtp_alert_vrrp", global.smtpAlert)
        value("smtp_alert_checker", global.smtpAlertChecker)
        flag("no_email_faults", global.suppressesFaultMail)
    }

    private mutating func writeNetwork(_ global: GlobalDefinitions) {
        value("default_interface", global.defaultInterface.map { "\($0)" })
        line("dynamic_interfaces", global.dynamicInterfaces, global.allowsInterfaceChanges)
        value("vrrp_mcast_group4", "\(global.multicastGroup4)")
        value("vrrp_mcast_group6", "\(global.multicastGroup6)")
        value("vrrp_garp_interval", nonzero(global.garpInterval))
        value("vrrp_gna_interval", nonzero(global.gnaInterval))
        value("vmac_prefix", token(global.vmacPrefix))
        value("vmac_addr_prefix", global.vmacAddressPrefix.map(token))
        value("nftables", token(global.nftablesTable))
        value("nftables_priority", global.nftablesPriority)
        flag("nftables_counters", global.countsFirewallMatches)
        flag("disable_local_igmp", global.disablesLocalIGMP)
    }

    private mutating func writeProcess(_ global: GlobalDefinitions) {
        value("vrrp_startup_delay", nonzero(global.startupDelay))
        if !global.scriptUser.isEmpty {
            line("script_user", global.scriptUser.map(token).joined(separator: " "))
        }
        flag("enable_script_security", global.scriptSecurity)
        for (keyword, fifo) in zip(["notify_fifo", "vrrp_notify_fifo"], global.notifyFIFOs) {
            line(keyword, ([fifo.path] + fifo.user).map(token).joined(separator: " "))
            value("\(keyword)_script", fifo.script)
        }
        flag("fifo_write_vrrp_states_on_reload", global.writesStatesOnReload)
        value("vrrp_notify_priority_changes", global.notifiesPriorityChanges)
        value("startup_script", global.startupScript)
        value("startup_script_timeout", global.startupScriptTimeout)
        value("shutdown_script", global.shutdownScript)
        value("shutdown_script_timeout", global.shutdownScriptTimeout)
        flag("log_unknown_vrids", global.logsUnknownVRIDs)
        flag("data_use_instance", global.namesInstanceInData)
        value("umask", global.umask.map { "0" + String($0, radix: 8) })
        flag("reload_check_config", global.checksReload)
    }

    private mutating func line(_ keyword: String, _ isSet: Bool, _ allowsChanges: Bool) {
        if isSet { line(keyword, allowsChanges ? "allow_if_changes" : nil) }
    }

    /// The time, unless it is none.
    func nonzero(_ duration: Duration) -> Duration? { duration == .zero ? nil : duration }

    private mutating func write(_ group: GARPGroup) {
        block("garp_group") { printer in
            printer.value("garp_interval", group.garpInterval)
            printer.value("gna_interval", group.gnaInterval)
            if group.isShared {
                printer.list("interfaces", group.interfaces.map { "\($0)" })
            } else {
                for interface in group.interfaces { printer.value("interface", "\(interface)") }
            }
        }
    }
}
