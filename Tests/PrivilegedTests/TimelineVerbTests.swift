import CLinux
import Foundation
import Glibc
import LinuxSystem
import Testing

/// What `labctl explain --format json` prints, as far as this test looks at it.
private struct ExplainedFailover: Decodable {
    struct Part: Decodable {
        var part: String
        var delay: Int64
        var theory: Int64
        var arithmetic: String?
    }
    struct Moment: Decodable {
        var time: Int64
        var text: String
    }
    var address: String
    var from: String
    var to: String
    var cause: Moment
    var lastAdvertisement: Int64
    var firstAdvertisement: Int64
    var relearned: Moment?
    var parts: [Part]
}

/// A line of `events.jsonl`, as far as this test looks at it.
private struct EventJSON: Decodable {
    var time: Int64
    var stamp: String
    var uncertainty: Int64?
    var event: String
    var node: String?
    var state: String?
    var mac: String?
    var address: String?
}

@Suite("The views of a timeline", .enabled(if: buildsLabs, "needs root"))
struct TimelineVerbTests {
    private static let name = "timeline-verbs"

    @Test("events, vip, explain and capture tell one failover alike")
    func failover() throws {
        let folder = Labctl.repository + "/Labs/fast-failover"
        let up = try Labctl.run("up", folder, "--name", Self.name, "--wait", "converged")
        try #require(up.status == 0, "\(up.errors)")
        let file = "/tmp/labctl-\(Self.name).pcapng"
        defer {
            _ = try? Labctl.run("down", Self.name)
            try? FileSystem.remove(file)
        }
        let unknown = try Labctl.run("events", "-l", Self.name, "--node", "client,clint")
        #expect(unknown.status != 0)
        #expect(
            unknown.errors
                == "lab \(Self.name) has no node clint: its nodes are master, backup, client\n")
        let capture = try Labctl.start(["capture", "-l", Self.name, "-w", file])
        try eventually("the capture has begun") {
            ((try? FileSystem.read(file)) ?? []).isEmpty == false
        }
        #expect(try ping() == 0)
        #expect(try Labctl.run("kill", "-l", Self.name, "master").status == 0)
        try eventually("the client's entry points to the backup") {
            try events("--kind", "neighbour", "--node", "client").count { event in
                event.address == "10.10.10.10" && event.mac != nil
            } >= 2
        }
        #expect(try ping() == 0)
        try expectEvents()
        try expectHistory()
        try expectExplanation()
        capture.signal(SIGINT)
        #expect(try capture.finish().status == 0)
        try expectCapture(file)
        let recorded = try Labctl.run("capture", "-l", Self.name, "--recorded", "-w", file)
        #expect(recorded.status == 0, "\(recorded.errors)")
        try expectCapture(file)
    }

    private func ping() throws -> Int32 {
        try Labctl.run(
            "exec", "-l", Self.name, "client", "--", "ping", "-c1", "-W2", "10.10.10.10"
        ).status
    }

    private func events(_ options: String...) throws -> [EventJSON] {
        let run = try Labctl.start(["events", "-l", Self.name, "--format", "json"] + options)
            .finish()
        #expect(run.status == 0, "\(run.errors)")
        return try run.output.split(separator: "\n").map {
            try JSONDecoder().decode(EventJSON.self, from: Data($0.utf8))
        }
    }

    private func expectEvents() throws {
        let events = try events()
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.time <= $1.time })
        #expect(events.contains { $0.event == "route-added" && $0.node == "client" })
        #expect(events.contains { $0.event == "arp" && $0.node == "client" })
        let claims = events.filter { $0.event == "claim" && $0.state == "MASTER" }
        #expect(claims.map(\.node) == ["master", "backup"])
        // Our agent's own stamps, not those of whoever read its log.
        #expect(claims.allSatisfy { $0.stamp == "origin" })
        // Frames are stamped by the kernel to less than a millisecond.
        let frames = events.filter { $0.stamp == "kernel" }
        #expect(!frames.isEmpty && frames.allSatisfy { $0.uncertainty ?? 0 < 1_000_000 })
        let filtered = try self.events("--kind", "claim,node", "--node", "backup")
        #expect(Set(filtered.map(\.event)) == ["claim", "node"])
        #expect(filtered.allSatisfy { $0.node == "backup" })
        let wrong = try Labctl.run("events", "-l", Self.name, "--kind", "advert")
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("there is no kind 'advert'"))
    }

    private func expectHistory() throws {
        let run = try Labctl.run("vip", "-l", Self.name)
        let lines = run.output.split(separator: "\n").map {
            $0.split(separator: " ").map(String.init)
        }
        #expect(lines[0] == ["VIP", "NODE", "SINCE", "UNTIL", "FOR"])
        #expect(lines[1].prefix(2) == ["10.10.10.10", "master"])
        #expect(lines[2].first == "nobody")
        #expect(lines[3].first == "backup" && lines[3].last == "now")
        #expect(lines.count == 4)
    }

    private func expectExplanation() throws {
        let run = try Labctl.run("explain", "-l", Self.name, "--format", "json")
        let told = try JSONDecoder().decode(ExplainedFailover.self, from: Data(run.output.utf8))
        #expect([told.address, told.from, told.to] == ["10.10.10.10", "master", "backup"])
        #expect(told.cause.text == "kill master")
        #expect(told.parts.map(\.part) == ["detect", "elect", "announce", "relearn"])
        #expect(told.parts[0].arithmetic == "3 x 100 ms + 157/256 x 100 ms")
        #expect(told.parts[0].theory == 361_328_125)
        #expect(told.parts.allSatisfy { $0.delay >= 0 })
        #expect(told.relearned?.text == "client")
        // Never early on the one clock, and late by this machine's load.
        let detected = told.firstAdvertisement - told.lastAdvertisement
        #expect(detected >= 361_000_000 && detected < 1_361_000_000, "\(detected)")
        let text = try Labctl.run("explain", "-l", Self.name).output
        #expect(text.contains("10.10.10.10 went from master to backup. At "))
        #expect(text.contains("kill master."))
        #expect(text.contains("THEORY"))
    }

    /// A file that Wireshark's and tcpdump's readers take, in order, with the fault on a packet.
    private func expectCapture(_ file: String) throws {
        let list = try Labctl.tool(
            "/usr/bin/tshark", "-r", file, "-T", "fields", "-e", "frame.time_epoch", "-e",
            "frame.interface_name", "-e", "frame.protocols", "-e", "frame.comment")
        #expect(list.status == 0, "\(list.errors)")
        let frames = list.output.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        #expect(frames.count > 10)
        let times = frames.compactMap { Double($0[0]) }
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(frames.allSatisfy { $0[1] == "lan" })
        #expect(frames.contains { $0[2].hasSuffix(":vrrp") })
        #expect(frames.contains { $0[2].hasSuffix(":arp") })
        let comments = frames.map { $0[3] }
        #expect(comments.contains { $0.contains("master: kill master") })
        #expect(comments.contains { $0.contains("backup: 10.10.10.10/32 added to eth0") })
        let resolution = try Labctl.tool("/usr/bin/capinfos", file)
        #expect(resolution.status == 0, "\(resolution.errors)")
        #expect(resolution.output.contains("Time ticks per second = 1000000000"))
        let dump = try Labctl.tool("/usr/bin/tcpdump", "-n", "-r", file)
        #expect(dump.status == 0, "\(dump.errors)")
        #expect(dump.output.contains("VRRPv3, Advertisement"))
    }
}
