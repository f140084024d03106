import KeepalivedConf
import NetworkTypes
import Testing

@Suite("Files that were given to keepalived 2.2.7")
struct RecordedCaseTests {
    /// Files of which we understand all.
    static let understood = [
        "01-seed1-master", "02-seed1-backup", "03-seed2-master-completed",
        "04-seed2-slave-completed", "05-seed2-verbatim-missing-braces", "06-defaults-only",
        "12-brace-on-next-line", "15-extra-close-brace", "18-misspelled-instance-keyword",
        "21-includer-missing-file", "24-variable-undefined", "27-seq-and-lst",
        "30-vrid-out-of-range",
        "33-auth-variants", "36-mixed-families", "39-duplicate-instance-name",
        "42-instance-name-quoted-spaces", "45-script-problems", "48-interface-missing",
        "51-unicast-variants", "54-quotes-unmatched", "57-utf8-bom", "63-lvs-virtual-server",
        "66-vmac",
        "69-global-defs-twice-last-wins", "72-state-missing-value", "75-dynamic-interfaces",
        "78-centos-stock-config", "81-duplicate-keywords-last-wins", "84-script-security",
        "87-dual-stack-sync-group", "90-preempt-delay-and-garp-options",
        "93-vip-is-interface-address-priority-100",
    ].map { RecordedCase($0) }

    /// Parses as on the machine of the recordings, which has eth0 and eth1.
    static func parse(_ recorded: RecordedCase) -> ParsedConfiguration {
        var parsed = Configuration.parse(
            recorded.text, file: recorded.name, context: recorded.context)
        parsed.diagnostics += parsed.diagnosticsForMissingInterfaces {
            ["eth0", "eth1"].contains($0.text)
        }
        return parsed
    }

    @Test("the same instances, with the same settings", arguments: understood)
    func instances(_ recorded: RecordedCase) throws {
        let parsed = Self.parse(recorded)
        #expect(parsed.isRefused == (recorded.exitStatus == 2))
        guard recorded.exitStatus != 2 else { return }
        let instances = parsed.configuration.instances
        try #require(instances.map(\.name) == recorded.instances.map { $0.value("iname") })
        for (ours, theirs) in zip(instances, recorded.instances) { expect(ours, equals: theirs) }
    }

    func expect(_ ours: VRRPInstance, equals theirs: RecordedInstance) {
        let interface = ours.virtualInterface?.name ?? ours.interface
        #expect(interface.text == theirs.value("ifp_ifname"))
        #expect(ours.virtualInterface?.name.text ?? "" == theirs.value("vmac_ifname") ?? "")
        #expect("\(ours.virtualRouterID)" == theirs.value("vrid"))
        #expect("\(ours.version.rawValue)" == theirs.value("version"))
        #expect("\(ours.priority)" == theirs.value("base_priority"))
        #expect(ours.advertisementInterval == theirs.value("adver_int").flatMap(seconds))
        #expect("\(ours.nopreempt)" == theirs.value("nopreempt"))
        // The dump has whole seconds of it.
        #expect("\(ours.preemptDelay.components.seconds)" == theirs.value("preempt_delay"))
        #expect((ours.acceptsPackets ? "1" : "0") == theirs.value("accept"))
        #expect(ours.announcements.masterDelay == theirs.value("garp_delay").flatMap(seconds))
        #expect("\(ours.announcements.masterRepeat)" == theirs.value("garp_rep"))
        switch ours.authentication {
        case nil:
            #expect(theirs.value("auth_type") == "0")
        case .password(let bytes):
            #expect(theirs.value("auth_type") == "1")
            #expect(String(decoding: bytes, as: UTF8.self) == theirs.value("auth_data"))
        case .header(let bytes):
            #expect(theirs.value("auth_type") == "2")
            #expect(String(decoding: bytes, as: UTF8.self) == theirs.value("auth_data"))
        }
        #expect(
            ours.virtualAddresses.map { text($0, of: ours) }
                == theirs.list("vips").map { settings($0, of: ours) })
        #expect(
            ours.excludedAddresses.map { text($0, of: ours) }
                == theirs.list("evips").map { settings($0, of: ours) })
    }

    private func seconds(_ text: String) -> Duration? {
        Double(text).map { .milliseconds(Int(($0 * 1000).rounded())) }
    }

    /// An address as the dump has it: no prefix length where it is the whole width.
    private func text(_ virtual: VirtualAddress, of instance: VRRPInstance) -> String {
        let address = virtual.address
        let isWhole = address.prefixLength == address.address.bitWidth
        var words = [isWhole && virtual.peer == nil ? "\(address.address)" : "\(address)"]
        if virtual.peer != nil { words = ["\(address.address)"] }
        if let broadcast = virtual.broadcast { words += ["brd", "\(broadcast)"] }
        words.append("dev")
        switch instance.device(for: virtual) {
        case .interface(let name):
            let isOwn = name == instance.virtualInterface?.name
            words.append(isOwn ? "\(name)@\(instance.interface)" : "\(name)")
        case .macvlan(let base): words.append("@\(base)")
        }
        if virtual.usesVMAC { words.append("use_vmac") }
        words += ["scope", "\(virtual.scope)"]
        if let label = virtual.label { words += ["label", label] }
        let isSix = address.address.family == .v6
        if virtual.flags.contains(.home) { words.append("home") }
        if virtual.detectsDuplicates { words.append("-nodad") }
        if virtual.flags.contains(.manageTemporaryAddresses) { words.append("mngtmpaddr") }
        if virtual.flags.contains(.noPrefixRoute) { words.append("noprefixroute") }
        if virtual.flags.contains(.autojoin) { words.append("autojoin") }
        if !virtual.isTracked { words.append("no_track") }
        if let peer = virtual.peer { words += ["peer", "\(peer)"] }
        if isSix {
            switch virtual.preferredLifetime {
            case nil: words += ["preferred_lft", "forever"]
            case .zero?: words.append("deprecated")
            case let time?: words += ["preferred_lft", "\(time.components.seconds)"]
            }
        }
        return words.joined(separator: " ")
    }

    /// An address of the dump without what says whether it was set, and without the name of a
    /// macvlan made for it, which is the daemon's to choose.
    private func settings(_ text: String, of instance: VRRPInstance) -> String {
        var words = text.split(separator: " ").map(String.init)
        while let last = words.last, ["set", "nftable_set"].contains(last) { words.removeLast() }
        for (index, word) in words.enumerated() {
            guard let at = word.firstIndex(of: "@"),
                word[..<at] != instance.virtualInterface?.name.text ?? ""
            else { continue }
            words[index] = String(word[at...])
        }
        return words.joined(separator: " ")
    }

    @Test(
        "a diagnostic in its words on each line keepalived complains about", arguments: understood)
    func complaints(_ recorded: RecordedCase) {
        let diagnostics = Self.parse(recorded).diagnostics
        for (line, message) in recorded.lineMessages {
            let here = diagnostics.filter { $0.position.line == line }
            #expect(!here.isEmpty, "line \(line): \(message)")
            if Self.isSaidOtherwise(message) { continue }
            #expect(
                here.contains { $0.message == message || $0.detail?.contains(message) == true },
                "line \(line): \(message)")
        }
        for message in recorded.messages where !Self.dependsOnMachine(message) {
            #expect(diagnostics.contains { $0.message == message && !$0.namesLine }, "\(message)")
        }
    }

    /// What keepalived says a second time of a mistake that we report once.
    private static func isSaidOtherwise(_ message: String) -> Bool {
        message == "Unexpected '{' - ignoring" || message == "Unknown keyword '}'"
            || message.hasPrefix("Unmatched quote") || message.hasPrefix("String '")
    }

    /// What keepalived says after a look at the machine, or of LVS.
    private static func dependsOnMachine(_ message: String) -> Bool {
        [
            "Disabling track script", "SECURITY VIOLATION", "Non-existent interface", "Terminated",
            "Virtual server",
        ].contains { message.hasPrefix($0) }
    }

    @Test("nothing but what vrrp-agent cannot do is said of a file keepalived has no word on")
    func silence() {
        let silent = Self.understood.filter { $0.lineMessages.isEmpty && $0.messages.isEmpty }
        #expect(silent.count >= 8)
        for recorded in silent {
            for diagnostic in Self.parse(recorded).diagnostics
            where diagnostic.position.file == recorded.name {
                let isExpected =
                    [.notSupportedYet, .noEffect].contains(diagnostic.kind)
                    || recorded.name.hasPrefix("75")
                #expect(isExpected && diagnostic.severity != .error, "\(diagnostic)")
            }
        }
    }

    @Test("what keepalived loses or refuses is an error, what it corrects is a warning")
    func errors() {
        let flawed = Self.understood.filter { Self.parse($0).hasErrors }.map { $0.name.prefix(2) }
        #expect(
            flawed == [
                "05", "18", "21", "24", "30", "36", "39", "48", "54", "57", "72",
            ])
    }

    @Test("one error for each mistake: seed 2 as published loses a script, an instance, its braces")
    func oneErrorEach() {
        let parsed = Self.parse(RecordedCase("05-seed2-verbatim-missing-braces"))
        let errors = parsed.diagnostics.filter { $0.severity == .error }
        #expect(
            errors.map { "\($0.position.line): \($0.message)" } == [
                "6: Unknown keyword 'vrrp_script'", "11: Unknown keyword 'vrrp_instance'",
                "46: There are 11 missing '}'s or extra '{'s",
            ])
        #expect(
            errors[0].detail?.contains(
                "it is written inside global_defs, of which the '}' is missing before it") == true)
    }

    @Test("a line cut after 1023 bytes is read as keepalived reads it, and is an error")
    func longLine() throws {
        let recorded = RecordedCase("60-line-too-long")
        let parsed = Self.parse(recorded)
        let instance = try #require(parsed.configuration.instances.first)
        #expect(
            instance.virtualAddresses.map { text($0, of: instance) }
                == recorded.instances[0].list("vips").map { settings($0, of: instance) })
        let here = parsed.diagnostics.filter { $0.position.line == 8 }
        #expect(here.map(\.kind) == [.misreadLine, .lossOfConfiguration])
        #expect(here[1].position.column == 1024)
    }

    @Test("an escaped comment character is the character, where keepalived drops the rest")
    func escapes() throws {
        let parsed = Self.parse(RecordedCase("09-escaped-comment-chars"))
        let instance = try #require(parsed.configuration.instances.first)
        #expect(instance.authentication == .password(Array("a#b!c".utf8)))
        #expect(parsed.diagnostics.map(\.kind) == [.misreadLine, .misreadLine])
        #expect(parsed.diagnostics.map(\.position.column) == [20, 23])
    }
}
