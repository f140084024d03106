import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes
import SystemPackage
import Testing
import VRRP

@testable import VRRPAgent

@Suite("Notify scripts, FIFOs and mail with real processes, pipes and sockets (KEEPALIVED.md §3.7)")
struct NotifierTests {
    private let bench: AgentBench

    init() throws { bench = try AgentBench() }

    /// A notifier for one instance, and whom it tells.
    private func notifier(
        fifo: String? = nil, fifoScript: String? = nil, instance: String = ""
    ) throws -> (Notifier, NotifyTarget) {
        let text = """
            global_defs {
                router_id lb01
            }
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.10
                }
                \(instance)
            }
            """
        var configuration = Configuration.parse(text, file: "x").configuration
        configuration.instances[0].notifiesPriorityChanges = true
        if let fifo {
            let position = configuration.instances[0].position
            configuration.global.notifyFIFOs = [
                NotifyFIFO(
                    path: fifo, script: try fifoScript.map { try command($0) }, position: position)
            ]
        }
        let book = ScriptBook(
            configuration, machine: try .this(environment: ["PATH=/usr/bin:/bin"]))
        let launcher = try bench.launcher()
        let mailer = Mailer(
            MailSettings(
                configuration.global, localName: nil, hostName: "node1", userName: "root"),
            launcher: launcher, loop: bench.loop, log: bench.log)
        let notifier = Notifier(
            configuration.global, book: book, mailer: mailer, launcher: launcher,
            loop: bench.loop, log: bench.log)
        return (notifier, NotifyTarget(try #require(configuration.instances.first)))
    }

    /// A command, as a file would have it.
    private func command(_ text: String) throws -> Command {
        let file = "vrrp_script x {\nscript \"\(text)\"\n}"
        return try #require(Configuration.parse(file, file: "x").configuration.scripts.first)
            .command
    }

    private func finish(_ notifier: Notifier, within limit: Duration) throws {
        var isFinished = false
        notifier.finish(within: limit, readersGrace: .seconds(10)) { isFinished = true }
        #expect(!isFinished, "never from the call itself")
        try bench.run(until: { isFinished })
    }

    private func recorder(_ name: String, _ more: String = "") throws -> String {
        try bench.script(
            name, "#!/bin/sh\n\(more)\necho \"${0##*/} $*\" >> \(bench.folder)/told\n")
    }

    @Test("both scripts are run, and nobody waits for them")
    func scripts() throws {
        // Neither ends before it is let, and the one that is started first ends last.
        func wait(_ name: String) -> String {
            "until [ -s \(bench.folder)/\(name) ]; do sleep 0.01; done"
        }
        let slow = try recorder("slow", wait("told"))
        let fast = try recorder("fast", wait("go"))
        let (notifier, target) = try notifier(
            instance: "notify_master \"\(slow) a\"\nnotify \"\(fast) b\"")
        notifier.notify(target, .master, priority: 100)
        #expect(bench.text("told") == "")
        try FileSystem.write([0x31], to: "\(bench.folder)/go")
        try bench.run(until: { bench.text("told").contains("slow") })
        #expect(bench.text("told") == "fast b INSTANCE VI_1 MASTER 100\nslow a\n")
        #expect(bench.lines == [])
    }

    @Test("scripts that never end do not become more than a bound")
    func bound() throws {
        let path = try bench.script("hanging", "#!/bin/sh\nexec sleep 7777\n")
        let (notifier, target) = try notifier(instance: "notify \(path)")
        let most = Notifier.runningLimit + Notifier.waitingLimit
        for _ in 0..<(most + 3) { notifier.notify(target, .backup, priority: 1) }
        func started() throws -> [ProcessEntry] {
            try ProcessEntry.all().filter { entry in
                guard entry.parent == getpid(), entry.session == entry.pid else { return false }
                let line = try? FileSystem.readText("/proc/\(entry.pid)/cmdline")
                return line?.contains("7777") ?? false || entry.command == "hanging"
            }
        }
        #expect(bench.lines.count == 1)
        #expect(bench.lines.first?.contains("the oldest of these are not run") ?? false)
        // One that execs just now shows nothing that it is known by.
        let deadline = MonotonicClock.now + .seconds(10)
        while try started().count < Notifier.runningLimit, MonotonicClock.now < deadline {}
        let hanging = try started()
        #expect(hanging.count == Notifier.runningLimit)
        for entry in hanging { kill(-entry.pid, SIGKILL) }
    }

    @Test("the end waits for the scripts that are told of it, and only so long")
    func stop() throws {
        let path = try recorder("slow", "sleep 0.3")
        let (notifier, target) = try notifier(instance: "notify_stop \"\(path) bye\"")
        notifier.notify(target, .stop, priority: 100)
        try finish(notifier, within: .seconds(10))
        #expect(bench.text("told") == "slow bye\n")

        let endless = try bench.script(
            "endless", "#!/bin/sh\necho $$ > \(bench.folder)/pid\nexec sleep 1000\n")
        let (second, secondTarget) = try self.notifier(instance: "notify_stop \(endless)")
        second.notify(secondTarget, .stop, priority: 100)
        try finish(second, within: .milliseconds(500))
        let pid = try #require(Int32(bench.text("pid").dropLast()))
        #expect(try ProcessEntry.of(pid)?.hasEnded == false, "it goes on by itself")
        #expect(bench.lines == ["1 scripts still run, not waiting any longer"])
        kill(pid, SIGKILL)
    }

    @Test("a FIFO is made, told every transition in order, and removed")
    func fifo() throws {
        let path = "\(bench.folder)/fifo"
        let (notifier, target) = try notifier(fifo: path)
        let attributes = try FileSystem.attributes(path)
        #expect(attributes.kind == .fifo)
        #expect(attributes.mode == 0o600, "0644 less keepalived's umask")
        notifier.notify(target, .backup, priority: 100)
        notifier.notify(target, .backupPriority, priority: 90)
        notifier.notify(target, .master, priority: 90)
        let reader = OwnedDescriptor(
            try systemCall("open") { clinux_open(path, O_RDONLY | O_NONBLOCK, 0) })
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(reader.rawValue, &buffer, buffer.count)
        #expect(
            String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self) == """
                INSTANCE "VI_1" BACKUP 100
                INSTANCE "VI_1" BACKUP_PRIORITY 90
                INSTANCE "VI_1" MASTER 90

                """)
        try finish(notifier, within: .seconds(5))
        #expect(!FileSystem.exists(path))
    }

    @Test("a full FIFO loses lines, counted, and never blocks")
    func fullFIFO() throws {
        let path = "\(bench.folder)/fifo"
        let (notifier, target) = try notifier(fifo: path)
        for _ in 0..<10_000 { notifier.notify(target, .master, priority: 100) }
        #expect(bench.lines == ["notify fifo \(path) is full, lines are lost"])
        let reader = OwnedDescriptor(
            try systemCall("open") { clinux_open(path, O_RDONLY | O_NONBLOCK, 0) })
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let taken = read(reader.rawValue, &buffer, buffer.count)
        #expect(taken > 0 && buffer[taken - 1] == UInt8(ascii: "\n"), "whole lines only")
        let lines = buffer.prefix(taken).count { $0 == UInt8(ascii: "\n") }
        notifier.notify(target, .master, priority: 100)
        #expect(
            bench.lines.last == "notify fifo \(path) takes lines again, \(10_000 - lines) lost")
    }

    @Test("the script of a FIFO reads all of it, the end included; what was there before stays")
    func fifoScript() throws {
        let path = "\(bench.folder)/fifo"
        #expect(try FileSystem.makeFIFO(path, mode: 0o640))
        let script = try bench.script(
            "reader",
            """
            #!/bin/sh
            exec 3< "$2"
            : > \(bench.folder)/opened
            cat <&3 > \(bench.folder)/$1.new
            mv \(bench.folder)/$1.new \(bench.folder)/$1
            """)
        let (notifier, target) = try notifier(fifo: path, fifoScript: "\(script) read")
        notifier.notify(target, .master, priority: 100)
        notifier.notify(target, .stop, priority: 100)
        // A reader that has not opened it yet would find nobody writing.
        try bench.run(until: { FileSystem.exists("\(bench.folder)/opened") })
        try finish(notifier, within: .seconds(5))
        try bench.run(until: { !bench.text("read").isEmpty })
        #expect(bench.text("read") == "INSTANCE \"VI_1\" MASTER 100\nINSTANCE \"VI_1\" STOP 100\n")
        #expect(bench.lines == ["vrrp notify fifo script terminated"])
        #expect(try FileSystem.attributes(path).mode == 0o640)
    }
}
