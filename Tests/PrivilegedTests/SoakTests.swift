import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

/// What a process holds.
private struct Footprint: CustomStringConvertible {
    var residentKilobytes: Int
    var descriptorCount: Int

    init(of pid: Int32) throws {
        let status = try FileSystem.readText("/proc/\(pid)/status")
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        residentKilobytes = try #require(Int(line.split(separator: " ").dropFirst().first ?? ""))
        descriptorCount = try FileSystem.list("/proc/\(pid)/fd").count
    }

    var description: String { "\(residentKilobytes) KB, \(descriptorCount) descriptors" }
}

/// How long tasks were kept off the CPU, as the kernel counts it, over the time of a test.
private struct MachineWatch {
    private struct Sample {
        var time: MonotonicInstant
        /// Of all tasks together, and of all CPUs: what other tasks and the hypervisor took.
        var waited: Duration
    }

    private var samples: [Sample] = []
    /// The kernel adds up its counts that often (PSI_FREQ).
    private static let period = Duration.seconds(2)

    /// Takes a sample, if the last one is not of just now.
    mutating func look() throws {
        let now = MonotonicClock.now
        if let last = samples.last, now - last.time < Self.period / 2 { return }
        samples.append(Sample(time: now, waited: try Self.pressure() + Self.steal()))
    }

    /// At most how much of a span a task can have waited for a CPU.
    func waited(from start: MonotonicInstant, to end: MonotonicInstant) -> Duration {
        guard let before = samples.last(where: { $0.time < start - Self.period }) ?? samples.first,
            let after = samples.first(where: { $0.time > end + Self.period }) ?? samples.last
        else { return .zero }
        return after.waited - before.waited
    }

    /// `some` of CPU pressure; nothing where the kernel does not tell.
    private static func pressure() throws -> Duration {
        guard let text = try? FileSystem.readText("/proc/pressure/cpu"),
            let total = text.split(whereSeparator: \.isWhitespace).first(where: {
                $0.hasPrefix("total=")
            })
        else { return .zero }
        return .microseconds(Int(total.dropFirst("total=".count)) ?? 0)
    }

    /// The eighth number of the first line, in ticks of 10 ms (proc_stat(5)).
    private static func steal() throws -> Duration {
        let words = try FileSystem.readText("/proc/stat").split(separator: "\n").first?
            .split(separator: " ")
        let ticks = words.flatMap { $0.count > 8 ? Int($0[8]) : nil } ?? 0
        return .milliseconds(10) * ticks
    }
}

/// Three of our routers, of which two are struck every few seconds while the third only reloads, so
/// that one process sees it all. `$LABCTL_SOAK_SECONDS` says how long; an hour if it does not.
@Suite("An hour of kills, stops and reloads", .enabled(if: geteuid() == 0, "needs root"))
struct SoakTests {
    private static let isFull = getenv("LABCTL_TEST_FULL") != nil
    private static let length = Duration.seconds(
        getenv("LABCTL_SOAK_SECONDS").flatMap { Int(String(cString: $0)) } ?? 3600)

    private static let interval = Duration.milliseconds(100)
    /// How long the routers are left alone between two strikes.
    private static let pause = Duration.seconds(2)
    /// After that many rounds all has been done that makes a process grow once.
    private static let warmUpRounds = 12
    /// What an allocator may keep: pages that it has not given back.
    private static let residentMarginKilobytes = 768
    /// What an event on the timeline, which the supervisor keeps, may take.
    private static let bytesPerEvent = 1024
    private static let nodes = ["r1", "r2", "r3"]
    private static let addresses = ["10.10.10.100", "fe80::5e00:1", "2001:db8::100"].compactMap {
        IPAddress($0)
    }

    private static let yaml =
        """
        networks:
          lan: { subnets: [10.10.10.0/24, "2001:db8::/64"] }
        nodes:

        """
        + nodes.enumerated().map { index, node in
            """
              \(node):
                interfaces:
                  eth0: { network: lan, addresses: [10.10.10.\(index + 1), "2001:db8::\(index + 1)"] }
                sysctls: { net.ipv6.conf.default.accept_dad: 0, net.ipv6.conf.all.accept_dad: 0 }
                files: { /etc/keepalived/keepalived.conf: \(node).conf }
                services: { vrrp: { kind: vrrp-agent } }

            """
        }.joined()

    private static func configuration(priority: Int) -> String {
        func instance(_ name: String, _ addresses: [IPAddress]) -> String {
            """
            vrrp_instance \(name) {
                state BACKUP
                interface eth0
                virtual_router_id 51
                priority \(priority)
                version 3
                advert_int 0.1
                track_script {
                    check
                }
                notify /bin/true
                virtual_ipaddress {
                    \(addresses.map(\.description).joined(separator: "\n"))
                }
            }

            """
        }
        return """
            global_defs {
                enable_script_security
                script_user root
            }
            vrrp_script check {
                script /bin/true
                interval 1
            }
            vrrp_sync_group VG {
                group {
                    VI_4
                    VI_6
                }
            }

            """ + instance("VI_4", Array(addresses.prefix(1)))
                + instance("VI_6", Array(addresses.dropFirst()))
    }

    /// What is done in a round, and what makes it good again.
    private static let strikes: [(act: [(String, String)], repair: [(String, String)])] = [
        ([("kill", "r1/vrrp")], [("start", "r1/vrrp")]),
        ([("reload", "r3")], []),
        ([("stop", "r1/vrrp")], [("start", "r1/vrrp")]),
        ([("kill", "r1"), ("stop", "r2/vrrp")], [("start", "r1"), ("start", "r2/vrrp")]),
        ([("reload", "r1"), ("reload", "r2"), ("reload", "r3")], []),
        ([("kill", "r2")], [("start", "r2")]),
        ([("restart", "r1/vrrp")], []),
        ([("stop", "r1"), ("reload", "r3")], [("start", "r1")]),
    ]

    private static func apply(_ acts: [(String, String)], to lab: LabUnderTest) throws {
        for (verb, target) in acts {
            if verb == "reload" {
                _ = try lab.shell(target, "kill -HUP $(cat /run/keepalived.pid)")
            } else {
                try lab.apply(verb, target)
            }
        }
    }

    /// The agent of a node, on the host.
    private static func agent(of node: String, _ lab: LabUnderTest) throws -> Int32 {
        let first = try #require(try lab.status().node(node).pid)
        return try #require(
            try processes(of: lab.name).first { pid in
                let stat = try FileSystem.readText("/proc/\(pid)/stat")
                return stat.contains("(vrrp-agent) ") && stat.contains(") S \(first) ")
                    || stat.contains("(vrrp) ") && stat.contains(") S \(first) ")
            })
    }

    @Test(
        "the routers lose nothing and gather nothing",
        .enabled(if: isFull, "long: scripts/test --full runs it"))
    func soak() throws {
        var files: [String: String] = [:]
        for (node, priority) in zip(Self.nodes, [200, 150, 100]) {
            files["\(node).conf"] = Self.configuration(priority: priority)
        }
        let lab = try LabUnderTest("soak", Self.yaml, files: files)
        try lab.up()
        let timeline = try WatchedTimeline(of: lab)
        let supervisor = try #require(try processes(of: lab.name).first)
        let agent = try Self.agent(of: "r3", lab)
        var machine = MachineWatch()
        var before: (supervisor: Footprint, agent: Footprint, eventCount: Int)?
        let end = MonotonicClock.now + Self.length
        var round = 0
        // The best is master again, alone, and is left alone for a while.
        func awaitCalm(_ what: String) throws {
            let begin = MonotonicClock.now
            try timeline.await(what) {
                try machine.look()
                return Self.addresses.allSatisfy { timeline.ownership.holders(of: $0) == ["r1"] }
                    && timeline.hasHeard("r1", .v4, since: begin + Self.pause)
                    && timeline.hasHeard("r1", .v6, since: begin + Self.pause)
            }
        }
        while MonotonicClock.now < end || round <= Self.warmUpRounds {
            try awaitCalm("r1 is master in round \(round)")
            if round == Self.warmUpRounds {
                before = (
                    try Footprint(of: supervisor), try Footprint(of: agent),
                    timeline.events.count
                )
            }
            let strike = Self.strikes[round % Self.strikes.count]
            try Self.apply(strike.act, to: lab)
            let time = MonotonicClock.now
            // A daemon that was killed leaves its addresses behind: they do not tell.
            try timeline.await("there is a master after \(strike.act) in round \(round)") {
                try machine.look()
                return Self.nodes.contains { node in
                    Self.addresses.allSatisfy {
                        timeline.ownership.holders(of: $0).contains(node)
                            && timeline.hasHeard(node, $0.family, since: time)
                    }
                }
            }
            try Self.apply(strike.repair, to: lab)
            round += 1
        }
        // Nothing is under way, as at the first look.
        try awaitCalm("r1 is master in the end")
        let first = try #require(before)
        let eventCount = timeline.events.count - first.eventCount
        print("\(round) rounds, \(eventCount) events since the first look")
        Self.expectNoGrowth("agent", first.agent, try Footprint(of: agent))
        Self.expectNoGrowth(
            "supervisor", first.supervisor, try Footprint(of: supervisor), eventCount: eventCount)
        Self.expectNoMissedAdvertisement(timeline.finish(), on: machine)
        try lab.down()
    }

    /// - Parameter eventCount: how many events it has had to keep meanwhile.
    private static func expectNoGrowth(
        _ name: String, _ first: Footprint, _ last: Footprint, eventCount: Int = 0
    ) {
        print("\(name) \(first) -> \(last)")
        #expect(last.descriptorCount <= first.descriptorCount, "\(name)")
        let margin = residentMarginKilobytes + eventCount * bytesPerEvent / 1024
        #expect(last.residentKilobytes <= first.residentKilobytes + margin, "\(name)")
    }

    /// Between two of a master's advertisements, nothing having been done to its node, lies one
    /// interval, unless the machine let somebody wait for a CPU for as long as it is late.
    private static func expectNoMissedAdvertisement(
        _ events: [TimelineEvent], on machine: MachineWatch
    ) {
        var lastTimes: [String: MonotonicInstant] = [:]
        var total = 0
        var missed: [Duration] = []
        var excused: [Duration] = []
        for event in events {
            switch event.kind {
            case .advertisement(let seen):
                let key = "\(seen.node) \(seen.source.family)"
                guard seen.priority > 0 else {
                    lastTimes[key] = nil
                    continue
                }
                // Another router has become master, so this one's time as such is over.
                for node in nodes where node != seen.node {
                    lastTimes["\(node) \(seen.source.family)"] = nil
                }
                if let last = lastTimes[key] {
                    total += 1
                    let pause = event.time - last
                    if pause >= interval * 2 {
                        let waited = machine.waited(from: last, to: event.time)
                        if waited >= pause - interval {
                            excused.append(pause)
                        } else {
                            missed.append(pause)
                        }
                    }
                }
                lastTimes[key] = event.time
            case .control(_, let target):
                let node = target.description.prefix { $0 != "/" }
                lastTimes["\(node) v4"] = nil
                lastTimes["\(node) v6"] = nil
            case .fault: lastTimes = [:]
            case .addressAdded, .addressRemoved, .link, .routeAdded, .routeRemoved, .neighbour,
                .neighbourRemoved, .gratuitousARP, .arp, .unsolicitedNA, .packet, .probe, .node,
                .service, .step, .claim, .violation, .stall, .lost, .scenario:
                break
            }
        }
        print(
            "\(total) advertisements; one missed in \(missed.map(\.milliseconds)) ms, "
                + "and while the machine was busy in \(excused.map(\.milliseconds)) ms")
        #expect(missed.isEmpty)
    }
}
