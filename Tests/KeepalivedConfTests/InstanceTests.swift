import KeepalivedConf
import NetworkTypes
import Testing

@Suite("vrrp_instance")
struct InstanceTests {
    // RFC-CHECKLIST: 10, 14, 42, 43
    @Test("defaults: backup, priority 100, one second, version 2, preempting, unauthenticated")
    func defaults() throws {
        let only = try parse(instance("")).only
        #expect(only.initialState == .backup)
        #expect(only.priority == 100)
        #expect(only.advertisementInterval == .seconds(1))
        #expect(only.version == .v2)
        #expect(only.family == .v4)
        #expect(!only.nopreempt && !only.nopreemptWritten)
        #expect(only.preemptDelay == .zero)
        #expect(only.authentication == nil)
        #expect(only.masterDownAdvertisements == 3)
        #expect(only.acceptsPackets)
        #expect(only.announcements == AnnouncementSettings())
        #expect(only.position == SourcePosition(file: "k.conf", line: 1, column: 15))
        #expect(only.interfacePosition == SourcePosition(file: "k.conf", line: 2, column: 11))
    }

    // RFC-CHECKLIST: 9
    @Test("state MASTER without a priority owns the addresses: 255")
    func ownerByState() throws {
        #expect(try parse(instance("state MASTER")).only.priority == 255)
        #expect(try parse(instance("priority 255")).only.initialState == .master)
    }

    @Test("nopreempt is cleared under state MASTER and for the owner, and kept as written")
    func nopreempt() throws {
        let master = parse(instance("nopreempt\nstate MASTER\npriority 100"))
        #expect(try master.only.nopreempt == false)
        #expect(try master.only.nopreemptWritten)
        #expect(
            master.complaints == [
                "k.conf:4:1: warning: (VI_1) Warning - nopreempt will not work with initial state"
                    + " MASTER - clearing"
            ])
        let owner = parse(instance("nopreempt\npriority 255"))
        #expect(try owner.only.nopreempt == false)
        #expect(
            owner.diagnostics.map(\.message) == [
                "(VI_1) nopreempt is incompatible with priority 255. resetting nopreempt"
            ])
        #expect(try parse(instance("nopreempt")).only.nopreempt)
        #expect(try parse(instance("nopreempt\npreempt")).only.nopreempt == false)
    }

    @Test(
        "preempt_delay is reset where it can have no effect",
        arguments: [
            ("state MASTER\npriority 9", Duration.zero), ("nopreempt", .zero),
            ("strict_mode", .zero), ("state BACKUP", .milliseconds(2500)),
        ])
    func preemptDelay(lines: String, effective: Duration) throws {
        let parsed = parse(instance("preempt_delay 2.5\n\(lines)"))
        #expect(try parsed.only.preemptDelay == effective)
        #expect(parsed.complaints.isEmpty == (effective != .zero))
    }

    // RFC-CHECKLIST: 14
    @Test(
        "§5.3.7 of RFC 3768: version 2 advertises at whole seconds, at least one",
        arguments: [("0.3", 1), ("0.5", 1), ("1.4", 1), ("1.5", 2), ("1.7", 2), ("2.5", 3)])
    func intervalOfVersion2(written: String, seconds: Int) throws {
        let parsed = parse(instance("advert_int \(written)"))
        #expect(try parsed.only.advertisementInterval == .seconds(seconds))
        #expect(parsed.diagnostics.count == 1)
        #expect(parsed.diagnostics.first?.position.line == 4)
    }

    // RFC-CHECKLIST: 15
    @Test(
        "§5.2.7 of RFC 5798: version 3 advertises at centiseconds, up to 40.95 s",
        arguments: [
            ("0.01", 10, 0), ("0.57", 570, 0), ("0.015", 20, 1), ("40.95", 40950, 0),
            ("50", 40950, 1),
        ])
    func intervalOfVersion3(written: String, milliseconds: Int, complaints: Int) throws {
        let parsed = parse(instance("version 3\nadvert_int \(written)"))
        #expect(try parsed.only.advertisementInterval == .milliseconds(milliseconds))
        #expect(parsed.diagnostics.count == complaints)
    }

    // RFC-CHECKLIST: 10
    @Test(
        "a value out of its range is ignored or replaced, and named with its range",
        arguments: [
            (
                "priority 256",
                "(VI_1) Priority not valid! must be between 1 & 255. Using default 100",
                "number '256' outside range [1, 255]"
            ),
            (
                "advert_int 0", "(VI_1) Advert interval (0) not valid! Must be > 0 - ignoring",
                "number '0' outside range [0.010000, 255.000000]"
            ),
            (
                "preempt_delay 1001", "(VI_1) Preempt_delay not valid! must be between 0-1000",
                "number '1001' outside range [0.000000, 1000.000000]"
            ),
            (
                "version 4", "(VI_1): Version must be either 2 or 3",
                "number '4' outside range [2, 3]"
            ),
            (
                "garp_master_delay -1", "(VI_1): garp_master_delay '-1' invalid - ignoring",
                "negative number '-1'"
            ),
        ])
    func ranges(line: String, message: String, detail: String) throws {
        let parsed = parse(instance(line))
        let diagnostic = try #require(parsed.diagnostics.first)
        #expect(diagnostic.message == message)
        #expect(diagnostic.detail == detail)
        #expect(diagnostic.severity == .warning)
        #expect(diagnostic.position.line == 4)
        let plain = try parse(instance("")).only
        let only = try parsed.only
        #expect(only.priority == plain.priority)
        #expect(only.advertisementInterval == plain.advertisementInterval)
        #expect(only.preemptDelay == .zero && only.version == .v2)
        #expect(only.announcements == plain.announcements)
    }

    @Test("without a VRID or an interface keepalived refuses to run, and so it says")
    func missingEssentials() {
        let noVRID = parse("vrrp_instance VI_1 {\ninterface eth0\n}")
        #expect(noVRID.isRefused)
        #expect(
            noVRID.complaints == [
                "k.conf:1:15: error: (VI_1) the virtual router id must be set"
            ])
        let noInterface = parse("vrrp_instance VI_1 {\nvirtual_router_id 1\n}")
        #expect(noInterface.isRefused)
        #expect(noInterface.complaints == ["k.conf:1:15: error: (VI_1) Unknown interface!"])
    }

    // RFC-CHECKLIST: 8
    @Test(
        "a VRID that is none is one error, on its line",
        arguments: ["0", "256", "abc", "0x10", "-1", "51x"])
    func invalidVRID(text: String) {
        let parsed = parse("vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id \(text)\n}")
        #expect(parsed.isRefused)
        let errors = parsed.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.position) == [SourcePosition(file: "k.conf", line: 3, column: 19)])
        #expect(
            errors[0].message == "(VI_1): VRID '\(text)' not valid - must be between 1 & 255")
        #expect(parsed.configuration.instances.isEmpty)
    }

    @Test(
        "a keyword without its value is refused",
        arguments: ["state", "priority", "advert_int", "version", "notify_master"])
    func missingValue(keyword: String) {
        let parsed = parse(instance(keyword))
        #expect(parsed.isRefused)
        #expect(
            parsed.complaints == [
                "k.conf:4:1: error: *** Configuration line starting `\(keyword)` is missing a"
                    + " parameter after keyword `\(keyword)` at word position 2"
            ])
    }

    @Test("one VRID twice on an interface is refused, unless the families differ")
    func duplicateVRID() {
        let second = instance("", addresses: "192.0.2.2").replacing("VI_1", with: "VI_2")
        let parsed = parse(instance("") + "\n" + second)
        #expect(parsed.isRefused)
        #expect(
            parsed.complaints == [
                "k.conf:11:19: error: VI_1 and VI_2 both use VRID 51 with IPv4 on interface eth0"
            ])
        let other = instance("", addresses: "2001:db8::2").replacing("VI_1", with: "VI_2")
        #expect(parse(instance("") + "\n" + other).complaints == [])
    }

    @Test("an interface name the kernel would not take cannot exist")
    func impossibleInterface() {
        let parsed = parse(
            instance("").replacing("eth0", with: "abcdefghijklmnop"))
        #expect(parsed.isRefused)
        #expect(
            parsed.diagnostics.map(\.message) == [
                "Interface name 'abcdefghijklmnop' too long - ignoring",
                "(VI_1) Unknown interface!",
            ])
    }

    @Test("a password is cut to eight bytes, whichever way it is written")
    func password() throws {
        let block = "authentication {\nauth_type PASS\nauth_pass "
        let parsed = parse(instance(block + "passwordhere\n}"))
        #expect(try parsed.only.authentication == .password(Array("password".utf8)))
        #expect(
            parsed.complaints == [
                "k.conf:6:11: warning: Truncating auth_pass to 8 characters"
            ])
        let quoted = parse(instance(block + "\"a b\"\n}"))
        #expect(try quoted.only.authentication == .password(Array("a b".utf8)))
    }

    @Test("authentication goes nowhere with version 3, strict mode, no password or no type")
    func ignoredAuthentication() throws {
        let complete = "authentication {\nauth_type PASS\nauth_pass x\n}"
        let files = [
            ("\(complete)\nversion 3", "VRRP version 3 does not support authentication. Ignoring."),
            ("\(complete)\nstrict_mode", "Strict mode does not support authentication. Ignoring."),
            (
                "authentication {\nauth_type PASS\n}",
                "Authentication specified but no password given. Ignoring"
            ),
            (
                "authentication {\nauth_pass x\n}",
                "auth_pass without an auth_type: not authenticated"
            ),
        ]
        for (lines, message) in files {
            let parsed = parse(instance(lines))
            #expect(try parsed.only.authentication == nil)
            #expect(parsed.diagnostics.map(\.message) == ["(VI_1) \(message)"])
        }
    }

    @Test("announcements: the instance's word, then the global one, then the default")
    func announcements() throws {
        let global = """
            global_defs {
            vrrp_garp_master_delay 7
            vrrp_garp_master_repeat 3
            vrrp_garp_master_refresh 9
            }

            """
        let merged = try parse(global + instance("garp_master_repeat 2")).only.announcements
        #expect(merged.masterDelay == .seconds(7))
        #expect(merged.masterRepeat == 2)
        #expect(merged.refreshInterval == .seconds(9))
        #expect(merged.refreshRepeat == 1)
        // The defaults for lower priorities are the global ones, not the instance's.
        #expect(merged.lowerPriorityDelay == .seconds(7))
        #expect(merged.lowerPriorityRepeat == 3)
        let minimal = try parse("global_defs {\nvrrp_min_garp\n}\n" + instance("")).only
        #expect(minimal.announcements.masterDelay == .zero)
        #expect(minimal.announcements.masterRepeat == 1)
    }

    @Test("global_defs after an instance apply to it all the same")
    func globalsAfterwards() throws {
        let parsed = parse(instance("") + "\nglobal_defs {\nvrrp_garp_master_delay 2\n}\n")
        #expect(try parsed.only.announcements.masterDelay == .seconds(2))
    }

    @Test("version 2 is not for an instance whose address is IPv6 already; before it, it is")
    func versionOfIPv6() throws {
        let before = try parse(instance("version 2", addresses: "2001:db8::1")).only
        #expect(before.version == .v2 && before.family == .v6)
        let parsed = parse(
            "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 1\n"
                + "virtual_ipaddress {\n2001:db8::1\n}\nversion 2\n}\n")
        #expect(try parsed.only.version == .v3)
        #expect(
            parsed.diagnostics.filter { $0.severity != .note }.map(\.message) == [
                "(VI_1) vrrp_version 2 conflicts with configured or deduced version 0; ignoring."
            ])
    }

    @Test("version 3 needs an address, version 2 does not")
    func noAddress() throws {
        let start = "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 1\n"
        #expect(parse(start + "version 3\n}").isRefused)
        let parsed = parse(start + "}")
        #expect(try parsed.only.virtualAddresses.isEmpty)
        #expect(
            parsed.complaints == [
                "k.conf:1:15: warning: (VI_1) No VIP specified; at least one is sensible"
            ])
    }

    @Test("interfaces that are named and not there are refused, each on its line")
    func missingInterfaces() {
        let parsed = parse(
            instance("track_interface {\neth3\n}", addresses: "192.0.2.1 dev eth2"))
        let diagnostics = parsed.diagnosticsForMissingInterfaces { _ in false }
        #expect(
            diagnostics.map { $0.description } == [
                "k.conf:2:11: error: WARNING - interface eth0 for vrrp_instance VI_1 doesn't exist",
                "k.conf:8:1: error: WARNING - interface eth2 for ip address 192.0.2.1"
                    + " doesn't exist",
                "k.conf:5:1: error: (VI_1) tracked interface eth3 doesn't exist",
            ])
        #expect(diagnostics.allSatisfy { $0.kind == .refused })
        #expect(parsed.diagnosticsForMissingInterfaces { _ in true }.isEmpty)
    }

    @Test("scripts, tracked and run: arguments split at blanks, quotes kept together")
    func scripts() throws {
        let parsed = parse(
            """
            vrrp_script chk {
                script "/bin/echo 'x y' z"
                interval 2
                weight -20
                fall 3
            }

            """
                + instance(
                    "track_script {\nchk weight 5\n}\nnotify_master \"/n.sh master\" root\n"
                        + "notify /any.sh"))
        let script = try #require(parsed.configuration.scripts.first)
        #expect(script.command.arguments == ["/bin/echo", "x y", "z"])
        #expect(script.interval == .seconds(2))
        #expect(script.weight == -20 && script.rise == 1 && script.fall == 3)
        let only = try parsed.only
        #expect(only.trackedScripts.map(\.name) == ["chk"])
        #expect(only.trackedScripts.map(\.weight) == [5])
        #expect(only.notify.master?.arguments == ["/n.sh", "master"])
        #expect(only.notify.master?.user == ["root"])
        #expect(only.notify.any?.arguments == ["/any.sh"])
        #expect(only.notify.backup == nil)
    }

    @Test("a script defined after the instance that tracks it is not found")
    func scriptDefinedLater() throws {
        let parsed = parse(
            instance("track_script {\nchk\n}") + "\nvrrp_script chk {\nscript /bin/true\n}\n")
        #expect(try parsed.only.trackedScripts.isEmpty)
        #expect(
            parsed.complaints == [
                "k.conf:5:1: warning: (VI_1) track script chk not found, ignoring...; a vrrp_script"
                    + " must be defined before the instance that tracks it"
            ])
    }
}
