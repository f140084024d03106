import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite(
    "start, stop, restart and kill of nodes", .serialized,
    .enabled(if: buildsLabs, "needs root"))
struct LabControlTests {
    private static let lab = """
        networks: { lan: { subnets: [ 10.79.0.0/24, "fd79::/64" ] } }
        nodes:
          target:
            interfaces: { eth0: { network: lan, address: 10.79.0.10 } }
            services:
              job: { kind: command, command: [ sleep, infinity ] }
          witness:
            interfaces: { eth0: { network: lan, address: 10.79.0.20 } }
        links:
          - { endpoints: [ "target:cable", "witness:cable" ], addresses: [ 192.168.9.1/30, 192.168.9.2/30 ] }

        """
    /// For how long the witness goes on asking after a verb has returned.
    private static let afterwards = Duration.milliseconds(300)
    /// As many answers must have been seen before the verb, or its effect would show nothing.
    private static let minimumAnswers = 50
    /// How many packets are sent after it, at least.
    private static let minimumAsked = 50

    private let lab: LabUnderTest

    init() throws {
        lab = try LabUnderTest("lb-control", Self.lab)
        try lab.up()
    }

    /// Somebody on one wire with the target who asks it by ARP and ICMP every millisecond.
    private final class Questioner {
        let station: LabStation
        let targetMAC: [UInt8]
        let source: [UInt8]
        let target: [UInt8]
        private(set) var sequence: UInt16 = 0
        private(set) var answers: [PacketCapture.Frame] = []
        /// When the question with that number was asked.
        private(set) var asked: [MonotonicInstant] = []

        init(
            _ status: LabStatusJSON, _ interface: String, index: Int32, source: [UInt8],
            target: [UInt8]
        ) throws {
            station = try LabStation(on: status.node("witness"), interface, index: index)
            targetMAC = LabStation.bytes(
                ofMAC: try status.node("target").interface(interface).mac)
            self.source = source
            self.target = target
        }

        func ask() throws {
            asked.append(MonotonicClock.now)
            try station.send(
                station.echoRequest(
                    to: target, mac: targetMAC, from: source, sequence: sequence))
            try station.send(station.arpRequest(for: target, from: source))
            sequence += 1
            answers += try station.received().filter {
                LabStation.echoReplySequence($0.bytes) != nil
                    || LabStation.isARPReply($0.bytes, from: target)
            }
        }
    }

    @Test(
        "once kill or stop has returned, not one packet to the node is answered",
        arguments: ["kill", "stop"])
    func goneAtOnce(verb: String) throws {
        let status = try lab.status()
        let questioners = try [
            Questioner(
                status, "eth0", index: 2, source: [10, 79, 0, 20], target: [10, 79, 0, 10]),
            Questioner(
                status, "cable", index: 3, source: [192, 168, 9, 2], target: [192, 168, 9, 1]),
        ]
        func ask(until isOver: () -> Bool) throws {
            while !isOver() {
                for questioner in questioners { try questioner.ask() }
                usleep(1000)
            }
        }
        try ask(until: { questioners.allSatisfy { $0.answers.count >= Self.minimumAnswers } })
        let running = try Labctl.start([verb, "-l", lab.name, "target"])
        var returned: MonotonicInstant?
        try ask(until: {
            if running.hasEnded { returned = MonotonicClock.now }
            return returned != nil
        })
        let end = try #require(returned)
        #expect(try running.finish().status == 0)
        let before = questioners.map(\.answers.count)
        try ask(until: {
            MonotonicClock.now > end + Self.afterwards
                && questioners.allSatisfy { $0.asked.count { $0 > end } >= Self.minimumAsked }
        })
        for (questioner, count) in zip(questioners, before) {
            // Asked after it returned, or answered after it returned: neither may be.
            let firstAfter = questioner.asked.firstIndex { $0 > end } ?? 0
            let late = questioner.answers.filter { frame in
                let sequence = LabStation.echoReplySequence(frame.bytes).map(Int.init) ?? 0
                return sequence >= firstAfter || frame.time - frame.uncertainty > end
            }
            #expect(late.isEmpty, "\(late.count) late answers of \(count)")
        }

        try lab.apply("start", "target")
        let answered = questioners.map(\.answers.count)
        try eventually("it answers again") {
            for questioner in questioners { try questioner.ask() }
            return zip(questioners, answered).allSatisfy { $0.answers.count > $1 }
        }
    }

    @Test(
        "a node comes back with the same MAC, addresses and disk, in a new machine",
        arguments: [["kill", "start"], ["stop", "start"], ["restart"]])
    func comesBack(verbs: [String]) throws {
        let script = """
            for folder in /root /etc /var /home /srv /opt /new; do
              mkdir -p $folder && echo kept > $folder/mark
            done; echo lost > /tmp/mark; echo lost > /run/mark; ip addr add 10.79.0.99/24 dev eth0
            """
        _ = try lab.shell("target", script)
        let before = try lab.status().node("target")
        for verb in verbs { try lab.apply(verb, "target") }
        let after = try lab.status().node("target")
        #expect(after.state == "running")
        #expect(after.pid != before.pid)
        #expect(after.interfaces.map(\.mac) == before.interfaces.map(\.mac))
        #expect(try after.state(of: "job") == "ready")
        let addresses = try lab.shell("target", "ip -o addr show scope global | awk '{print $4}'")
        #expect(addresses == "10.79.0.10/24\nfd79::1/64\n192.168.9.1/30\n")
        let marks = "cat /root/mark /etc/mark /var/mark /home/mark /srv/mark /opt/mark /new/mark"
        #expect(try lab.shell("target", marks) == String(repeating: "kept\n", count: 7))
        #expect(try lab.exec("target", "test", "-e", "/tmp/mark").status == 1)
        #expect(try lab.exec("target", "test", "-e", "/run/mark").status == 1)
        #expect(try lab.exec("witness", "ping", "-c", "1", "-W", "2", "target").status == 0)
        // An ordinary user's nodes have no such names.
        guard geteuid() == 0 else { return }
        let named = try Labctl.tool(
            "/bin/ip", "netns", "exec", "\(labPrefix)lb-control-target", "ip", "-o", "addr")
        #expect(named.output.contains("10.79.0.10/24"), "\(named.errors)")
    }

    @Test("a verb that changes nothing says so by its status, and changes nothing")
    func repeatedVerbs() throws {
        let pid = try lab.status().node("target").pid
        try lab.apply("start", "target")
        #expect(try lab.status().node("target").pid == pid)
        try lab.apply("stop", "target")
        #expect(try lab.status().node("target").state == "stopped")
        try lab.apply("stop", "target")
        let kill = try Labctl.run("kill", "-l", lab.name, "target")
        #expect(kill.status == 5)
        #expect(kill.errors == "node target is not running\n")
        #expect(!FileSystem.exists("/run/netns/\(labPrefix)lb-control-target"))
        let exec = try lab.exec("target", "true")
        #expect(exec.status == 125)
        #expect(exec.errors == "node target is stopped: start it first\n")
        let service = try Labctl.run("start", "-l", lab.name, "target/job")
        #expect(service.status == 5)
        try lab.apply("restart", "target")
        #expect(try lab.status().node("target").state == "running")
    }

    @Test("several nodes in one command", arguments: ["kill", "stop"])
    func several(verb: String) throws {
        #expect(try Labctl.run(verb, "-l", lab.name, "witness", "target").status == 0)
        #expect(try lab.status().nodes.allSatisfy { $0.state != "running" && $0.pid == nil })
        #expect(try Labctl.run("start", "-l", lab.name, "witness", "target").status == 0)
        #expect(try lab.exec("witness", "ping", "-c", "1", "-W", "2", "target").status == 0)
    }

    @Test(
        "what is not there is named, with what is",
        arguments: [
            (
                "nobody",
                "lab \(labPrefix)lb-control has no node nobody: its nodes are target, witness"
            ),
            ("target/web", "node target has no service web: its services are job"),
            ("witness/web", "node witness has no service web"),
        ])
    func unknown(target: String, message: String) throws {
        for verb in ["start", "stop", "restart", "kill"] {
            let run = try Labctl.run(verb, "-l", lab.name, target)
            #expect(run.status == 5, "\(verb)")
            #expect(run.errors == message + "\n")
        }
        let noLab = try Labctl.run("kill", "-l", "lb-nowhere", target)
        #expect(noLab.status == 5)
        #expect(noLab.errors.contains("there is no lab lb-nowhere"))
        #expect(try Labctl.run("kill", "-l", lab.name, "/job").status == 2)
        #expect(try Labctl.run("kill", "-l", lab.name).status == 2)
    }

    @Test("a node killed twenty times is built twenty times, and leaves nothing of the others")
    func manyLives() throws {
        for _ in 0..<20 {
            try lab.apply("kill", "target")
            try lab.apply("start", "target")
        }
        #expect(try lab.exec("witness", "ping", "-c", "1", "-W", "2", "target").status == 0)
        // Supervisor, two first processes, one service.
        #expect(try processes(of: lab.name).count == 4)
        try lab.down()
    }
}
