import Glibc
import LinuxSystem
import NetworkTypes
import Testing
import VRRP

/// Our agent's log beside keepalived's, for the same events: the same lines in the same order.
@Suite(
    "vrrp-agent's log, beside keepalived's", .enabled(if: geteuid() == 0, "needs root"),
    .enabled(if: hasKeepalived, "needs keepalived"))
struct AgentLogTests {
    private static let global = """
        global_defs {
            router_id twin
            enable_script_security
            script_user root
        }

        """

    /// An instance that announces itself once, so that nothing comes 5 s later.
    private static func instance(
        _ name: String = "VI_1", interface: String = "eth0", vrid: Int = 51, priority: Int = 150,
        _ addresses: String = "10.0.0.100", _ settings: String = ""
    ) -> String {
        """
        vrrp_instance \(name) {
            version 3
            interface \(interface)
            virtual_router_id \(vrid)
            priority \(priority)
            advert_int 0.1
            garp_master_delay 0
            virtual_ipaddress {
                \(addresses)
            }
            \(settings)
        }

        """
    }

    private static let announcement = "Sending gratuitous ARP on eth0 for 10.0.0.100"

    /// Waits until both have announced themselves.
    private static func awaitMaster(_ twins: Twins, _ name: String = "VI_1") throws {
        try twins.await(
            "(\(name)) Entering MASTER STATE", announcement, announcement, announcement,
            announcement, announcement)
    }

    /// What another router says.
    private static func advertise(
        _ twins: Twins, _ priority: UInt8, every interval: Duration = .milliseconds(100)
    ) throws {
        try twins.each {
            try $0.stage.lan.advertise(
                Advertisement(
                    version: 3, vrid: 51, priority: priority, interval: interval,
                    addresses: [.v4(IPv4Address(10, 0, 0, 100))]))
        }
    }

    @Test("election, challenge, loss, takeover, preemption and resignation; signals; the end")
    func life() throws {
        let twins = try Twins(Self.global + Self.instance(), test: "log-life")
        try Self.awaitMaster(twins)
        try Self.advertise(twins, 100)
        try twins.await(
            "(VI_1) Received advert from 10.0.0.9 with lower priority 100, ours 150, "
                + "forcing new election",
            Self.announcement, Self.announcement, Self.announcement, Self.announcement,
            Self.announcement)
        try Self.advertise(twins, 200)
        try twins.await("(VI_1) Entering BACKUP STATE")
        // Nobody follows it up.
        try Self.awaitMaster(twins)
        // Of equal priority, and a higher address; then it is slower, worse, and gone.
        try Self.advertise(twins, 150)
        try twins.await("(VI_1) Entering BACKUP STATE")
        try Self.advertise(twins, 200, every: .seconds(1))
        try twins.await("(VI_1) advertisement interval updated from 100ms to 1000ms by master")
        try Self.advertise(twins, 120, every: .seconds(1))
        try twins.await("(VI_1) received lower priority (120) advert from 10.0.0.9 - discarding")
        try Self.advertise(twins, 0, every: .seconds(1))
        try Self.awaitMaster(twins)
        try Self.advertise(twins, 0)
        for (signal, line) in [
            (SIGUSR1, "Printing VRRP data"), (SIGUSR2, "Printing VRRP stats"),
            (36, "Printing VRRP as json"),
        ] {
            twins.signal(signal)
            try twins.each { twin in
                try waitUntil("it says \(line)") { twin.daemon.log.contains(line) }
            }
        }
        // Of addresses there are the interfaces' own: the virtual one is none of them.
        try waitUntil("both dumps tell the same of the interfaces") {
            let told = twins.both.map { twin in
                ((try? FileSystem.readText("\(twin.daemon.folder)/keepalived.data")) ?? "")
                    .split(separator: "\n").filter { line in
                        [" Name = ", "   index = ", "   IPv4 address = ", "   Additional IPv4"]
                            .contains { line.hasPrefix($0) }
                    }
            }
            return !told[0].isEmpty && told[0] == told[1]
        }
        try twins.expectSameState()
        try twins.expectSameLog()
    }

    @Test("an interface that goes down, loses its address, comes back")
    func interface() throws {
        let twins = try Twins(Self.global + Self.instance(), test: "log-interface")
        try Self.awaitMaster(twins)
        try twins.run("ip link set eth0 down")
        try twins.await("(VI_1) Entering FAULT STATE")
        try twins.run("ip link set eth0 up")
        try Self.awaitMaster(twins)
        try twins.run("ip addr del 10.0.0.1/24 dev eth0")
        try twins.await("(VI_1) Entering FAULT STATE")
        try twins.run("ip addr add 10.0.0.1/24 dev eth0")
        try Self.awaitMaster(twins)
        try twins.expectSameState()
        try twins.expectSameLog()
    }

    @Test("an interface that is deleted, and made anew")
    func remade() throws {
        let twins = try Twins(
            "global_defs {\nrouter_id twin\ndynamic_interfaces\n}\n" + Self.instance(),
            test: "log-remade")
        try Self.awaitMaster(twins)
        try twins.each { try $0.stage.remakeLAN() }
        try twins.await("(VI_1) Entering FAULT STATE")
        try Self.awaitMaster(twins)
        try twins.expectSameLog(but: [
            "(VI_1): send advert error 19": "a farewell by what is not there any more is no news"
        ])
    }

    /// One script alone: which of several answers first is chance.
    private static let tracked = """
        vrrp_script weighted {
            script "/usr/bin/test -e FOLDER/well"
            interval 1
            weight -20
            rise 2
        }
        vrrp_track_file level {
            file FOLDER/level
        }
        vrrp_track_file fault {
            file FOLDER/fault
        }

        """

    @Test("a script that fails and recovers, files, an interface: all tracked")
    func tracking() throws {
        let twins = try Twins(
            Self.global + Self.tracked
                + Self.instance(
                    "VI_1", "10.0.0.100",
                    """
                    track_script {
                        weighted
                    }
                    track_file {
                        level weight 1
                        fault weight 0
                    }
                    track_interface {
                        eth1 weight -5
                    }
                    """), test: "log-tracking")
        try Self.awaitMaster(twins)
        try twins.run("touch FOLDER/well")
        try twins.await("(VI_1) Changing effective priority from 130 to 150")
        try twins.run("echo 7 >FOLDER/level")
        try twins.await("(VI_1) Changing effective priority from 150 to 157")
        try twins.run("ip link set eth1 down")
        try twins.await("(VI_1) Changing effective priority from 157 to 152")
        try twins.run("ip link set eth1 up")
        try twins.await("(VI_1) Changing effective priority from 152 to 157")
        try twins.run("echo 1 >FOLDER/fault")
        try twins.await("(VI_1) Entering FAULT STATE")
        // Nobody listens, whatever it is.
        try Self.advertise(twins, 200)
        try Self.advertise(twins, 200, every: .seconds(1))
        try twins.expectSameState()
        try twins.run("echo 0 >FOLDER/fault")
        try Self.awaitMaster(twins)
        try twins.expectSameLog()
    }

    @Test("a script that never ends, and is killed at its timeout; another that is killed at once")
    func scriptTimeout() throws {
        for (script, name) in [
            ("/usr/bin/tail -f /dev/null", "slow"), ("/bin/sh -c 'kill -9 $$'", "killed"),
        ] {
            let twins = try Twins(
                Self.global + """
                    vrrp_script \(name) {
                        script "\(script)"
                        interval 2
                        timeout 1
                        weight -20
                    }

                    """
                    + Self.instance(
                        "VI_1", "10.0.0.100", "track_script {\n\(name)\n}"), test: "log-\(name)")
            try twins.await("(VI_1) Entering MASTER STATE")
            try twins.each { twin in
                try waitUntil("it says what became of it") {
                    twin.daemon.log.contains("VRRP_Script(\(name)) ")
                }
            }
            try twins.expectSameLog()
        }
    }

    @Test("a reload: another priority, addresses that come and go, instances too, and mistakes")
    func reload() throws {
        let one = Self.instance("ONE")
        let twins = try Twins(Self.global + one, test: "log-reload")
        try Self.awaitMaster(twins, "ONE")
        try twins.reload(Self.global + one)
        try twins.reload(Self.global + Self.instance("ONE", priority: 160))
        try twins.reload(
            Self.global + Self.instance("ONE", priority: 160, "10.0.0.100\n10.0.0.101"))
        try twins.reload(Self.global + Self.instance("ONE", priority: 160))
        try twins.reload(
            Self.global + one
                + Self.instance("TWO", interface: "eth1", vrid: 52, "10.0.1.100"),
            socketCount: 2)
        try twins.await("(TWO) Entering MASTER STATE")
        try twins.reload(
            Self.global + one
                + Self.instance("TWO", interface: "eth1", vrid: 52, priority: 500, "10.0.1.100\nx")
                + "nonsense\n", socketCount: 2)
        try twins.reload(Self.global + one)
        try twins.expectSameLog(
            ["ONE", "TWO"],
            but: [
                "(TWO) removing VIPs.": "a new one takes away what an earlier run may have left",
                "(ONE) Changing effective priority": "keepalived is silent about what a file says",
                "(TWO) Changing effective priority": "as above",
            ])
    }

    @Test("a member of a sync group that waits for the others wants to be master")
    func waitingMember() throws {
        let twins = try Twins(
            Self.global + "vrrp_sync_group VG {\ngroup {\nVI_1\nVI_2\n}\n}\n" + Self.instance()
                + Self.instance(
                    "VI_2", interface: "eth1", vrid: 52, "10.0.1.100", "down_timer_adverts 100"),
            test: "log-waiting")
        try twins.await("(VI_1) Receive advertisement timeout")
        try twins.expectSameState()
    }

    @Test("a reload that changes the command of a script, which is then as well as it was")
    func changedScript() throws {
        func text(_ script: String) -> String {
            Self.global + "vrrp_script check {\nscript \"\(script)\"\ninterval 1\n}\n"
                + Self.instance("VI_1", "10.0.0.100", "track_script {\ncheck\n}")
        }
        let twins = try Twins(text("/bin/true"), test: "log-changed")
        try Self.awaitMaster(twins)
        try twins.reload(text("/bin/true"))
        try twins.reload(text("/bin/true again"))
        try twins.await(
            "VRRP_Script(check) considered successful on reload",
            "VRRP_Script(check) considered successful on reload")
        try twins.reload(text("/bin/false"))
        try twins.await("(VI_1) Entering FAULT STATE")
        try twins.reload(text("/bin/false again"))
        try twins.await("VRRP_Script(check) considered unsuccessful on reload")
        try twins.reload(text("/bin/true"))
        try Self.awaitMaster(twins)
        try twins.expectSameLog(
            ["VI_1"],
            but: ["(VI_1): entering FAULT state due to": "keepalived's is new, ours is in it"])
    }

    @Test("the owner of the addresses is master at once")
    func owner() throws {
        let twins = try Twins(
            Self.global + Self.instance("VI_1", priority: 255), test: "log-owner")
        try Self.awaitMaster(twins)
        try twins.expectSameLog(["VI_1"])
    }

    @Test("an address that is virtual on a macvlan may be the interface's own below")
    func ownAddress() throws {
        let twins = try Twins(
            Self.global + Self.instance("VI_1", "10.0.0.1\n10.0.0.100", "use_vmac"),
            test: "log-own")
        try twins.await(
            "Assigned address 10.0.0.1 for interface eth0", "(VI_1) Entering MASTER STATE")
        try twins.each { twin in
            let heard = try twin.stage.lan.awaitAdvertisement { $0.priority == 150 }
            #expect(heard.source == .v4(IPv4Address(10, 0, 0, 1)))
        }
    }

    @Test("a sync group: one member's link goes down and comes back, and another router appears")
    func syncGroup() throws {
        let twins = try Twins(
            Self.global + "vrrp_sync_group VG {\ngroup {\nVI_1\nVI_2\n}\n}\n" + Self.instance()
                + Self.instance("VI_2", interface: "eth1", vrid: 52, "10.0.1.100"),
            test: "log-group")
        try Self.awaitMaster(twins)
        try twins.run("ip link set eth1 down")
        try twins.await("(VI_1) Entering FAULT STATE")
        try twins.run("ip link set eth1 up")
        try Self.awaitMaster(twins)
        try Self.advertise(twins, 200)
        try twins.await("(VI_2) Entering BACKUP STATE")
        try Self.awaitMaster(twins)
        try twins.expectSameState()
        try twins.expectSameLog(
            ["VI_1", "VI_2", "VG"],
            but: ["(VI_1) sent 0 priority": "keepalived sends it, and says so only of VI_2"])
    }
}

extension Twins {
    /// What is compared of the dump: all that does not depend on when it is made.
    private static let fields = [
        "state\"", "master_priority", "advert_rcvd", "become_master", "release_master", "pri_zero",
        "_err",
    ]

    /// Has both dump their states and what they have counted, and expects the same.
    fileprivate func expectSameState(sourceLocation: SourceLocation = #_sourceLocation) throws {
        signal(36)
        func told(_ twin: Twin) -> [String] {
            let path = "\(twin.daemon.folder)/keepalived.json"
            let text = (try? FileSystem.readText(path)) ?? ""
            return text.split(whereSeparator: ",{}".contains).map { $0.filter { $0 != " " } }
                .filter { field in Self.fields.contains { field.contains($0) } }
        }
        var dumps: [[String]] = []
        // One of them may still be writing.
        try? waitUntil("both have told the same", within: .seconds(3)) {
            dumps = both.map(told)
            return dumps[0] == dumps[1] && !dumps[0].isEmpty
        }
        #expect(!dumps[0].isEmpty, sourceLocation: sourceLocation)
        let differences = DaemonLog.differences(dumps[0], dumps[1])
        #expect(
            differences.isEmpty, "\(differences.joined(separator: "\n"))",
            sourceLocation: sourceLocation)
    }
}
