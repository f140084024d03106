import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("vrrp_track_process: whether enough processes run (KEEPALIVED.md §1.4)")
struct ProcessTrackerTests {
    private typealias Action = ProcessMonitor.Action

    private static func definition(_ arguments: String, name: String = "p") -> TrackProcess {
        var definition = TrackProcess(
            name: name, position: SourcePosition(file: "x", line: 1, column: 1))
        definition.arguments = arguments.split(separator: " ").map(String.init)
        return definition
    }

    private static func at(_ milliseconds: Int) -> MonotonicInstant {
        .zero + .seconds(100) + .milliseconds(milliseconds)
    }

    private static let lost = [
        Action.log(.init("Quorum lost for tracked process p")), .report(hasQuorum: false),
    ]
    private static let gained = [
        Action.log(.init("Quorum gained for tracked process p")), .report(hasQuorum: true),
    ]

    // MARK: Which

    private func matches(
        _ definition: TrackProcess, _ command: String, _ line: String = ""
    ) -> Bool {
        ProcessPattern(definition).matches(command: command) {
            line.split(separator: " ").map(String.init)
        }
    }

    @Test("a bare name is the kernel's name of the process, its command line is not looked at")
    func bareName() {
        let definition = Self.definition("nginx")
        #expect(matches(definition, "nginx"))
        #expect(!matches(definition, "nginx2"))
        #expect(!matches(definition, "sh", "nginx"))
        let pattern = ProcessPattern(definition)
        #expect(
            pattern.matches(command: "nginx") {
                Issue.record("read for nothing")
                return []
            })
    }

    @Test("full_command is the first word of the command line")
    func fullCommand() {
        var definition = Self.definition("/usr/sbin/nginx")
        definition.comparesFullCommand = true
        #expect(matches(definition, "nginx", "/usr/sbin/nginx -g x"))
        #expect(!matches(definition, "nginx", "nginx -g x"))
        #expect(!matches(definition, "nginx", ""), "a kernel thread has none")
    }

    @Test("words after the name, and param_match")
    func parameters() {
        var definition = Self.definition("sleep 10 20")
        #expect(matches(definition, "x", "sleep 10 20"))
        #expect(!matches(definition, "x", "sleep 10 20 30"))
        #expect(!matches(definition, "x", "sleep 10"))
        definition.parameterMatch = .partial
        #expect(matches(definition, "x", "sleep 10 20 30"))
        #expect(!matches(definition, "x", "sleep 10 205"))
        definition.parameterMatch = .initial
        #expect(matches(definition, "x", "sleep 10 205 30"))
        #expect(!matches(definition, "x", "sleep 105 20"))
        definition = Self.definition("sleep")
        definition.parameterMatch = .exact
        #expect(matches(definition, "x", "sleep"))
        #expect(!matches(definition, "x", "sleep 10"))
        definition.parameterMatch = .initial
        #expect(matches(definition, "x", "sleep 10"))
    }

    // MARK: How many

    @Test("the first count is told at once, then only what changes")
    func quorum() {
        var definition = Self.definition("x")
        definition.quorum = 2
        definition.maximumQuorum = 3
        var monitor = ProcessMonitor(definition)
        #expect(monitor.count(0, now: Self.at(0)) == [.report(hasQuorum: false)])
        #expect(monitor.count(1, now: Self.at(1)) == [])
        #expect(monitor.count(2, now: Self.at(2)) == Self.gained)
        #expect(monitor.count(3, now: Self.at(3)) == [])
        #expect(monitor.count(4, now: Self.at(4)) == Self.lost, "too many are as bad")
        #expect(monitor.count(2, now: Self.at(5)) == Self.gained)
        #expect(monitor.deadline == nil)
    }

    @Test("quorum_max 0: none must run")
    func none() {
        var definition = Self.definition("x")
        definition.quorum = 0
        definition.maximumQuorum = 0
        var monitor = ProcessMonitor(definition)
        #expect(monitor.count(0, now: Self.at(0)) == [.report(hasQuorum: true)])
        #expect(monitor.count(1, now: Self.at(1)) == Self.lost)
    }

    @Test("delays: what passes within them is not told")
    func delays() {
        var definition = Self.definition("x")
        definition.forkDelay = .seconds(2)
        definition.terminateDelay = .seconds(1)
        var monitor = ProcessMonitor(definition)
        #expect(monitor.count(1, now: Self.at(0)) == [.report(hasQuorum: true)])
        #expect(monitor.count(0, now: Self.at(100)) == [])
        #expect(monitor.deadline == Self.at(1_100))
        #expect(monitor.count(0, now: Self.at(500)) == [])
        #expect(monitor.deadline == Self.at(1_100), "counted from when it began")
        #expect(monitor.count(1, now: Self.at(900)) == [])
        #expect(monitor.deadline == nil)
        #expect(monitor.expire(Self.at(1_100)) == [])
        _ = monitor.count(0, now: Self.at(2_000))
        #expect(monitor.expire(Self.at(2_999)) == [])
        #expect(monitor.expire(Self.at(3_000)) == Self.lost)
        _ = monitor.count(1, now: Self.at(4_000))
        #expect(monitor.deadline == Self.at(6_000))
        #expect(monitor.count(1, now: Self.at(6_500)) == Self.gained, "a scan that comes late")
    }

    // MARK: Real processes

    @Test("starts are found by the scan, an end is known at once")
    func realProcesses() throws {
        let bench = try AgentBench()
        let name = "vagt\(getpid())"
        let program = try bench.script(name, "#!/bin/sh\nwhile read line; do :; done\n")
        var told: [String] = []
        let tracker = ProcessTracker(loop: bench.loop, log: bench.log) {
            told.append("\($0) \($1)")
        }
        tracker.start([Self.definition(name, name: "by-name")])
        #expect(told == ["by-name false"])
        let (readEnd, writeEnd) = try Pipe.make()
        let started = try Program(
            path: program, arguments: [program], environment: ["PATH=/bin:/usr/bin"],
            descriptors: [readEnd.rawValue]
        ).start()
        try bench.run(until: { told.count == 2 })
        #expect(told.last == "by-name true")
        let before = MonotonicClock.now
        writeEnd.close()
        try bench.run(until: { told.count == 3 })
        #expect(told.last == "by-name false")
        #expect(MonotonicClock.now - before < ProcessTracker.interval, "not by the next scan")
        #expect(
            bench.lines == [
                "Quorum gained for tracked process by-name",
                "Quorum lost for tracked process by-name",
            ])
        while Termination.reap(started.pid) == nil {}
    }

    @Test("what is read of the own process is true")
    func table() throws {
        let table = ProcessTable()
        var commands: [String] = []
        try table.forEach { if $0.pid == getpid() { commands.append($0.command) } }
        #expect(commands == [try #require(try ProcessEntry.of(getpid())).command])
        #expect(table.commandLine(of: getpid()) == CommandLine.arguments)
        #expect(table.commandLine(of: .max) == [])
    }
}
