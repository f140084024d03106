import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing
import VRRP

/// What the running agent does at a SIGHUP, and what those hear who asked to be told.
@Suite("vrrp-agent, reloaded and tracking", .enabled(if: geteuid() == 0, "needs root"))
struct AgentReloadTests {
    /// A FIFO that the agent writes to.
    private final class NotifyFIFO {
        private let descriptor: OwnedDescriptor
        private var text = ""

        /// Waits for the agent to make it.
        init(_ agent: AgentProcess) throws {
            let path = "\(agent.folder)/fifo"
            try waitUntil("the FIFO is there") { FileSystem.exists(path) }
            descriptor = OwnedDescriptor(
                try systemCall("open \(path)") { open(path, O_RDONLY | O_NONBLOCK) })
        }

        /// All that was said so far.
        func lines() -> [String] {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(descriptor.rawValue, &buffer, buffer.count)
                guard count > 0 else { break }
                text += String(decoding: buffer.prefix(count), as: UTF8.self)
            }
            return text.split(separator: "\n").map(String.init)
        }

        func awaitLines(_ wanted: [String]) throws {
            try waitUntil("the FIFO says \(wanted)") { lines().count >= wanted.count }
            #expect(lines() == wanted)
        }
    }

    private static let global = """
        global_defs {
            vrrp_notify_fifo FOLDER/fifo
            enable_script_security
            script_user root
        }
        """

    private static func instance(
        _ name: String, vrid: Int, _ addresses: String, _ settings: String = ""
    ) -> String {
        """

        vrrp_instance \(name) {
            version 3
            interface eth0
            virtual_router_id \(vrid)
            priority 254
            advert_int 0.1
            garp_master_delay 0
            virtual_ipaddress {
                \(addresses)
            }
            \(settings)
        }
        """
    }

    private static func reload(_ agent: AgentProcess, _ text: String) throws {
        try agent.configure(text)
        agent.signal(SIGHUP)
        try agent.awaitLine("Reload complete")
    }

    private static func gratuitousARPs(_ stage: AgentStage, for address: IPv4Address) throws -> Int
    {
        _ = try stage.lan.received()
        return stage.lan.heard.count { frame in
            ARPFrame(parsing: frame.bytes).map { $0.isGratuitous && $0.senderAddress == address }
                ?? false
        }
    }

    @Test("a reload touches what has changed, and nothing else")
    func reload() throws {
        let stage = try AgentStage()
        let one = Self.instance("ONE", vrid: 51, "10.0.0.100")
        let two = Self.instance("TWO", vrid: 52, "10.0.0.120")
        let agent = try AgentProcess(
            Self.global + one + two, in: stage.router.namespace, test: "reload")
        let fifo = try NotifyFIFO(agent)
        let start = [
            "INSTANCE \"ONE\" BACKUP 254", "INSTANCE \"TWO\" BACKUP 254",
            "INSTANCE \"ONE\" MASTER 254", "INSTANCE \"TWO\" MASTER 254",
        ]
        try waitUntil("both are masters") { Set(fifo.lines()) == Set(start) }
        let lines = fifo.lines()
        try waitUntil("both have announced themselves") {
            try Self.gratuitousARPs(stage, for: IPv4Address(10, 0, 0, 100)) == 5
                && Self.gratuitousARPs(stage, for: IPv4Address(10, 0, 0, 120)) == 5
        }

        // The same again: nobody notices.
        try Self.reload(agent, Self.global + one + two)
        // One that is refused: the old one stays.
        try agent.configure(Self.global + one.replacing("virtual_router_id 51", with: ""))
        agent.signal(SIGHUP)
        try agent.awaitLine("Reload refused, the old configuration stays in force")
        // An address more, on the first; then that one alone.
        try Self.reload(
            agent, Self.global + Self.instance("ONE", vrid: 51, "10.0.0.100\n10.0.0.101") + two)
        try waitUntil("the new address is there") { try stage.has("10.0.0.101") }
        try waitUntil("the new address is announced") {
            try Self.gratuitousARPs(stage, for: IPv4Address(10, 0, 0, 101)) >= 5
        }
        try Self.reload(agent, Self.global + Self.instance("ONE", vrid: 51, "10.0.0.101") + two)
        try waitUntil("the old address is gone") { try !stage.has("10.0.0.100") }
        #expect(try stage.has("10.0.0.101"))
        #expect(fifo.lines() == lines)
        #expect(try !stage.lan.advertisements().contains { $0.advertisement.priority == 0 })
        #expect(try Self.gratuitousARPs(stage, for: IPv4Address(10, 0, 0, 120)) == 5)

        // The second goes: with a farewell, and as a fault, which keepalived calls it too.
        try Self.reload(agent, Self.global + Self.instance("ONE", vrid: 51, "10.0.0.101"))
        try fifo.awaitLines(lines + ["INSTANCE \"TWO\" FAULT 254"])
        #expect(try !stage.has("10.0.0.120"))
        let farewells = try stage.lan.advertisements().filter { $0.advertisement.priority == 0 }
        #expect(farewells.map(\.advertisement.vrid) == [52])

        #expect(try agent.end() == 0)
        #expect(fifo.lines().last == "INSTANCE \"ONE\" STOP 254")
    }

    @Test("a master goes on in the version that a reload gives it, and with its addresses")
    func version() throws {
        let stage = try AgentStage()
        let three = Self.instance("ONE", vrid: 51, "10.0.0.100")
        let two = three.replacing("version 3", with: "version 2")
            .replacing("advert_int 0.1", with: "advert_int 1")
        let agent = try AgentProcess(
            Self.global + three, in: stage.router.namespace, test: "version")
        let fifo = try NotifyFIFO(agent)
        try fifo.awaitLines(["INSTANCE \"ONE\" BACKUP 254", "INSTANCE \"ONE\" MASTER 254"])
        try Self.reload(agent, Self.global + two)
        _ = try stage.lan.awaitAdvertisement { $0.version == 2 }
        #expect(try stage.lan.advertisements().allSatisfy { $0.advertisement.priority == 254 })
        #expect(try stage.has("10.0.0.100"))
        #expect(fifo.lines().count == 2)
    }

    @Test("a master that a reload renames stays master, and is known by its new name")
    func renamed() throws {
        let stage = try AgentStage()
        func text(_ name: String) -> String {
            Self.global + Self.instance(name, vrid: 51, "10.0.0.100", "use_vmac\nno_accept")
        }
        let agent = try AgentProcess(text("ONE"), in: stage.router.namespace, test: "renamed")
        let fifo = try NotifyFIFO(agent)
        let start = ["INSTANCE \"ONE\" BACKUP 254", "INSTANCE \"ONE\" MASTER 254"]
        try fifo.awaitLines(start)
        try Self.reload(agent, text("OTHER"))
        #expect(try stage.has("10.0.0.100", on: "vrrp.51"))
        #expect(fifo.lines() == start)
        // As the same router: its interface goes when the one of the new name goes.
        try Self.reload(agent, Self.global)
        try fifo.awaitLines(start + ["INSTANCE \"OTHER\" FAULT 254"])
        try waitUntil("the macvlan is gone") {
            try stage.router.socket.link(named: try name("vrrp.51")) == nil
        }
        // Nobody heard a farewell before that.
        #expect(agent.log.split(separator: "\n").count { $0.hasSuffix("sent 0 priority") } == 1)
        #expect(agent.log.contains("(OTHER) sent 0 priority"))
        #expect(!agent.log.contains("(OTHER) Entering"))
        #expect(try agent.end() == 0)
    }

    @Test("an instance that comes with a reload tracks the script that comes with it")
    func newcomer() throws {
        let stage = try AgentStage()
        let one = Self.instance("ONE", vrid: 51, "10.0.0.100")
        let agent = try AgentProcess(
            Self.global + one, in: stage.router.namespace, test: "newcomer")
        try agent.awaitLine("(ONE) Entering MASTER STATE")
        let check = """

            vrrp_script check {
                script "/bin/false"
                interval 1
                weight -20
            }
            """
        try Self.reload(
            agent,
            Self.global + check + one
                + Self.instance("TWO", vrid: 52, "10.0.0.120", "track_script {\ncheck\n}"))
        try agent.awaitLine("VRRP_Script(check) failed (exited with status 1)")
        _ = try stage.lan.awaitAdvertisement { $0.vrid == 52 && $0.priority == 234 }
        #expect(try stage.lan.advertisements().allSatisfy { $0.advertisement.priority != 0 })
    }

    @Test("a reload that adds an address with a macvlan of its own makes that, and uses it")
    func macvlanAdded() throws {
        let stage = try AgentStage()
        func text(_ addresses: String) -> String {
            Self.instance("ONE", vrid: 51, addresses, "use_vmac")
        }
        let agent = try AgentProcess(
            text("10.0.0.100"), in: stage.router.namespace, test: "macvlan-added")
        try agent.awaitLine("(ONE) Entering MASTER STATE")
        try Self.reload(agent, text("10.0.0.100\n10.0.1.100/32 dev eth1 use_vmac"))
        try waitUntil("the address is on a macvlan") {
            try stage.has("10.0.1.100", on: "vrrp1.51")
        }
        #expect(try stage.has("10.0.0.100", on: "vrrp.51"))
        try Self.reload(agent, text("10.0.0.100"))
        try waitUntil("the macvlan is gone") {
            try stage.router.socket.link(named: try name("vrrp1.51")) == nil
        }
    }

    /// Two in a sync group, the first of which cannot take part.
    private static func faultyGroup(_ settings: String, group: String? = nil) -> String {
        let group = group ?? "vrrp_sync_group VG {\ngroup {\nONE\nTWO\n}\n}\n"
        return """
            \(global)
            vrrp_script bad {
                script "/bin/false"
                interval 1
            }
            \(group)
            """
                + instance("ONE", vrid: 51, "10.0.0.100", settings)
                + instance("TWO", vrid: 52, "10.0.1.100").replacing("eth0", with: "eth1")
    }

    @Test(
        "a sync group is well again when a reload takes away what was wrong with a member",
        arguments: ["track_script {\nbad\n}", "track_interface {\nbr0\n}"])
    func mendedGroup(_ fault: String) throws {
        let stage = try AgentStage()
        try stage.run("ip link add br0 type bridge")
        let agent = try AgentProcess(
            Self.faultyGroup(fault), in: stage.router.namespace,
            test: "mended-\(fault.prefix { $0 != " " })")
        let fifo = try NotifyFIFO(agent)
        try waitUntil("the group has a fault") { fifo.lines().contains("GROUP \"VG\" FAULT 0") }
        try Self.reload(agent, Self.faultyGroup(""))
        try waitUntil("both are masters") {
            try stage.has("10.0.0.100") && stage.has("10.0.1.100", on: "eth1")
        }
        try waitUntil("the group is master") { fifo.lines().last == "GROUP \"VG\" MASTER 0" }
        #expect(
            fifo.lines().filter { $0.hasPrefix("GROUP") }.suffix(2).map { $0 }
                == ["GROUP \"VG\" BACKUP 0", "GROUP \"VG\" MASTER 0"])
        #expect(try agent.end() == 0)
    }

    @Test("a member of a sync group that a reload takes away has no fault of its group any more")
    func dissolvedGroup() throws {
        let stage = try AgentStage()
        let fault = "track_script {\nbad\n}"
        let agent = try AgentProcess(
            Self.faultyGroup(fault), in: stage.router.namespace, test: "dissolved")
        let fifo = try NotifyFIFO(agent)
        // Of the other, which has waited for the script's answer too, nothing is told.
        try fifo.awaitLines(["INSTANCE \"ONE\" FAULT 254", "GROUP \"VG\" FAULT 0"])
        try Self.reload(agent, Self.faultyGroup(fault, group: ""))
        try waitUntil("the other is master") { try stage.has("10.0.1.100", on: "eth1") }
        #expect(try !stage.has("10.0.0.100"))
        #expect(fifo.lines().count { $0.hasPrefix("INSTANCE \"ONE\"") } == 1)
        #expect(try agent.end() == 0)
    }

    private static let trackingEverything = """
        \(global)
        vrrp_script weighted {
            script "/usr/bin/test -e FOLDER/well"
            interval 1
            weight -20
        }
        vrrp_script plain {
            script "/usr/bin/test ! -e FOLDER/ill"
            interval 1
        }
        vrrp_track_file level {
            file FOLDER/level
        }
        vrrp_track_process sleeper {
            process /bin/sleep 987
            full_command
            weight 5
        }
        \(instance("ONE", vrid: 51, "10.0.0.100", """
            track_script {
                weighted
                plain
            }
            track_file {
                level weight 1
            }
            track_process {
                sleeper
            }
            track_interface {
                eth1 weight -30
            }
            """).replacing("priority 254", with: "priority 150"))
        """

    @Test("scripts, files, processes and interfaces that are tracked move the priority, or fault")
    func tracking() throws {
        let stage = try AgentStage()
        let folder = "/tmp/vrrp-agent-\(getpid())-tracking"
        let agent = try AgentProcess(
            Self.trackingEverything, in: stage.router.namespace, test: "tracking")
        #expect(agent.folder == folder)
        try agent.awaitLine("VRRP_Script(weighted) failed (exited with status 1)")
        func expectPriority(_ priority: UInt8) throws {
            _ = try stage.lan.received()
            _ = try stage.lan.awaitAdvertisement("priority \(priority)") {
                $0.priority == priority
            }
        }
        try expectPriority(130)
        try FileSystem.write([], to: "\(folder)/well")
        try agent.awaitLine("VRRP_Script(weighted) succeeded")
        try agent.awaitLine("(ONE) Changing effective priority from 130 to 150")
        try expectPriority(150)
        try FileSystem.write(Array("7\n".utf8), to: "\(folder)/level")
        try agent.awaitLine("(ONE) Changing effective priority from 150 to 157")
        let null = try OwnedDescriptor.null()
        let sleeper = try Program(
            path: "/bin/sleep", arguments: ["/bin/sleep", "987"], environment: [],
            descriptors: [null.rawValue, null.rawValue, null.rawValue]
        ).start()
        try agent.awaitLine("(ONE) Changing effective priority from 157 to 162")
        kill(sleeper.pid, SIGKILL)
        waitpid(sleeper.pid, nil, 0)
        try agent.awaitLine("(ONE) Changing effective priority from 162 to 157")
        try stage.run("ip link set eth1 down")
        try agent.awaitLine("(ONE) Changing effective priority from 157 to 127")
        try expectPriority(127)
        try FileSystem.write([], to: "\(folder)/ill")
        try agent.awaitLine("VRRP_Script(plain) failed (exited with status 1)")
        try agent.awaitLine("(ONE) Entering FAULT STATE")
        try waitUntil("the address is gone") { try !stage.has("10.0.0.100") }
        try FileSystem.removeTree("\(folder)/ill")
        try agent.awaitLine("VRRP_Script(plain) succeeded")
        try agent.awaitLine("(ONE) Entering MASTER STATE")
    }
}

extension String {
    /// This text with every occurrence of a part replaced.
    fileprivate func replacing(_ part: String, with other: String) -> String {
        split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
    }
}
