import Glibc
import LinuxSystem
import Testing

@Suite(
    "A lab seen from outside: status, list, logs, events, and how labs are named", .serialized,
    .enabled(if: buildsLabs, "needs root"))
struct LabNodeTests {
    private static let yaml = """
        networks: { lan: { subnet: 10.80.0.0/24 } }
        nodes:
          alpha:
            interfaces: { eth0: { network: lan, address: 10.80.0.1 } }
            files:
              /etc/keepalived/keepalived.conf:
                text: |
                  vrrp_instance VI_1 {
                    interface eth0
                    virtual_router_id 51
                    priority 150
                    advert_int 1
                    virtual_ipaddress { 10.80.0.100 }
                  }
            services:
              keepalived: { kind: vrrp-agent }
              ticker:
                kind: command
                command: [ sh, -c, "echo first; echo oops >&2; while :; do if test -e /tmp/go; then rm /tmp/go; echo tick; fi; sleep 0.02; done" ]
          beta:
            interfaces: { eth0: { network: lan } }

        """

    @Test("status shows roles, virtual addresses, addresses and services, as text and JSON")
    func status() throws {
        let lab = try LabUnderTest("lb-status", Self.yaml)
        try lab.up("--wait", "converged")
        let alpha = try lab.status().node("alpha")
        let router = try #require(alpha.virtualRouters.first)
        #expect(router.instance == "VI_1" && router.vrid == 51 && router.priority == 150)
        #expect(router.role == "MASTER" && router.held == ["10.80.0.100"])
        #expect(try alpha.interface("eth0").addresses.contains("10.80.0.100/32"))
        #expect(alpha.services.map(\.kind) == ["vrrp-agent", "command"])
        let text = try Labctl.run("status", lab.name).output.split(separator: "\n").map(String.init)
        #expect(text.count >= 5, "\(text)")
        let line = try #require(text.first { $0.hasPrefix("alpha") })
        for part in [
            "running", "MASTER (VI_1, priority 150)", " 10.80.0.100 ", "eth0 10.80.0.1/24",
        ] {
            #expect(line.contains(part), "\(line)")
        }
        #expect(text.contains { $0.hasSuffix("ticker running") })

        try lab.apply("kill", "alpha/keepalived")
        let killed = try #require(try lab.status().node("alpha").virtualRouters.first)
        // The address stays with a daemon's death: the kernel has it, so the node is MASTER still.
        #expect(killed.role == "MASTER")
        try lab.apply("kill", "alpha")
        let gone = try #require(try lab.status().node("alpha").virtualRouters.first)
        #expect(gone.role == nil && gone.held.isEmpty)
        #expect(try Labctl.run("status", lab.name).output.contains("alpha  killed"))
        try lab.apply("start", "alpha")
        let back = try #require(try lab.status().node("alpha").virtualRouters.first)
        #expect(back.role == "BACKUP")
    }

    @Test("logs shows what services have printed, its tail, and, with -f, what they print next")
    func logs() throws {
        let lab = try LabUnderTest("lb-logs", Self.yaml)
        try lab.up()
        #expect(try Labctl.run("logs", "-l", lab.name, "alpha/ticker").output == "first\noops\n")
        let tail = try Labctl.run("logs", "-l", lab.name, "-n", "1", "alpha/ticker").output
        #expect(tail == "oops\n")
        #expect(try Labctl.run("logs", "-l", lab.name, "-n", "0", "alpha").output.isEmpty)
        let all = try Labctl.run("logs", "-l", lab.name).output
        #expect(all.contains("alpha/ticker  first\n"))
        #expect(all.contains("alpha/keepalived  "))
        let json = try Labctl.run(
            "logs", "-l", lab.name, "--format", "json", "-n", "1", "alpha/ticker"
        ).output
        #expect(json.contains(#""isError":true"#) && json.contains(#""text":"oops""#), "\(json)")

        let following = try Labctl.start(["logs", "-l", lab.name, "-f", "-n", "1", "alpha/ticker"])
        #expect(try following.awaitOutput("oops\n") == "oops\n")
        for count in 1...3 {
            _ = try lab.shell("alpha", "touch /tmp/go")
            _ = try following.awaitOutput(String(repeating: "tick\n", count: count))
        }
        // It follows the service through its node's death.
        try lab.apply("kill", "alpha")
        try lab.apply("start", "alpha")
        _ = try following.awaitOutput("tick\nfirst\noops\n")
        try lab.down()
        let run = try following.finish(within: .seconds(20))
        #expect(run.status == 0)
        #expect(run.output == "oops\ntick\ntick\ntick\nfirst\noops\n")
    }

    @Test("logs of what is not there names what is")
    func logsOfNothing() throws {
        let lab = try LabUnderTest("lb-nologs", Self.yaml)
        try lab.up()
        for target in ["nobody", "alpha/web"] {
            let run = try Labctl.run("logs", "-l", lab.name, target)
            #expect(run.status == 5, "\(target): \(run.errors)")
        }
    }

    @Test("events is the timeline in order, as text and JSON, and -f goes on")
    func events() throws {
        let lab = try LabUnderTest("lb-events", Self.yaml)
        try lab.up()
        let following = try Labctl.start(["events", "-l", lab.name, "-f", "--format", "json"])
        _ = try following.awaitOutput(#""ticker""#)
        try lab.apply("kill", "beta")
        _ = try following.awaitOutput(#""killed""#)
        try lab.apply("start", "beta")
        let lines = try Labctl.run("events", "-l", lab.name, "--format", "json").output
            .split(separator: "\n")
        let times = lines.compactMap { line -> Int64? in
            let rest = line.text(after: #""time":"#)
            return Int64(rest.prefix { $0.isNumber })
        }
        #expect(times.count == lines.count)
        #expect(times == times.sorted())
        let kill = try #require(lines.firstIndex { $0.contains(#""control""#) })
        #expect(lines[kill].contains(#""kill""#) && lines[kill].contains(#""beta""#))
        #expect(lines[(kill + 1)...].contains { $0.contains(#""killed""#) })
        #expect(!lines[..<kill].contains { $0.contains(#""killed""#) })
        let text = try Labctl.run("events", "-l", lab.name).output.split(separator: "\n")
        #expect(text.count >= lines.count)
        #expect(text.first?.hasPrefix("    0.000000  alpha") == true, "\(text.first ?? "")")
        #expect(text.contains { $0.contains("kill beta") })
        try lab.down()
        #expect(try following.finish(within: .seconds(20)).status == 0)
    }

    @Test("a lab is named by folder, file, name, -l, LABCTL_LAB, or by where one stands")
    func naming() throws {
        let yaml = "nodes: { a: { environment: { LAB: NAME } } }\n"
        let names = ["lb-name-one", "lb-name-two"]
        let labs = try names.map { name in
            try LabUnderTest(
                name, yaml.split(separator: "NAME").joined(separator: labPrefix + name))
        }
        let (one, two) = (labs[0], labs[1])
        try one.up()
        try two.up()
        func status(_ arguments: [String], in folder: String = "/") throws -> String {
            let run = try Labctl.start(["status"] + arguments, folder: folder).finish()
            let name = run.output.prefix("lab ".count + one.name.count)
            return run.status == 0 ? String(name) : "status \(run.status)"
        }
        let parent = one.folder[..<one.folder.lastIndex(of: "/")!]
        #expect(try status([one.name]) == "lab \(labPrefix)lb-name-one")
        #expect(try status([two.folder]) == "lab \(labPrefix)lb-name-two")
        #expect(try status([two.folder + "/"]) == "lab \(labPrefix)lb-name-two")
        #expect(try status([two.folder + "/lab.yaml"]) == "lab \(labPrefix)lb-name-two")
        #expect(try status(["lab.yaml"], in: one.folder) == "lab \(labPrefix)lb-name-one")
        #expect(try status(["."], in: one.folder) == "lab \(labPrefix)lb-name-one")
        #expect(try status([], in: two.folder) == "lab \(labPrefix)lb-name-two")
        let relative = String(one.folder.dropFirst(parent.count + 1))
        #expect(try status([relative], in: String(parent)) == "lab \(labPrefix)lb-name-one")
        #expect(try status([]) == "status 5")

        func exec(
            _ options: [String], in folder: String = "/", _ environment: [String] = []
        ) throws -> String {
            try Labctl.start(
                ["exec"] + options + ["a", "printenv", "LAB"], folder: folder,
                environment: environment
            ).finish().output
        }
        #expect(try exec(["-l", two.name]) == "\(labPrefix)lb-name-two\n")
        #expect(try exec(["--lab", two.folder]) == "\(labPrefix)lb-name-two\n")
        #expect(try exec([], in: two.folder) == "\(labPrefix)lb-name-two\n")
        let variable = ["LABCTL_LAB=\(labPrefix)lb-name-one"]
        #expect(try exec([], variable) == "\(labPrefix)lb-name-one\n")
        #expect(try exec([], in: two.folder, variable) == "\(labPrefix)lb-name-one\n")
        #expect(try exec(["-l", two.name], variable) == "\(labPrefix)lb-name-two\n")

        // In a folder it is that folder's lab: a second `down` does not end the other one.
        #expect(try Labctl.run("down", folder: two.folder).status == 0)
        let again = try Labctl.run("down", folder: two.folder)
        #expect(again.status == 5)
        #expect(again.errors.contains("there is no lab \(labPrefix)lb-name-two"))
        #expect(try status([one.name]) == "lab \(labPrefix)lb-name-one")
        #expect(try status([two.folder]) == "status 5")
    }

    @Test("list shows every lab that is up, and only those")
    func list() throws {
        let lab = try LabUnderTest("lb-list", "nodes: { a: {}, b: {} }\n")
        try lab.up()
        try lab.apply("kill", "b")
        let lines = try Labctl.run("list").output.split(separator: "\n")
        let words = lines.first { $0.hasPrefix("\(labPrefix)lb-list ") }?.split(separator: " ")
            .prefix(3)
        #expect(words == ["\(labPrefix)lb-list", "2", "1"])
        #expect(
            try Labctl.run("list", "--format", "json").output.contains(
                #""lab" : "\#(labPrefix)lb-list""#))
        try lab.down()
        #expect(try !Labctl.run("list").output.contains("\(labPrefix)lb-list"))
    }

    @Test("a lab that is up is not built again, and one that is down is not taken down again")
    func twice() throws {
        let lab = try LabUnderTest("lb-twice", "nodes: { a: {} }\n")
        try lab.up()
        let pids = try processes(of: lab.name)
        let up = try Labctl.run("up", lab.folder)
        #expect(up.status == 5)
        #expect(up.errors.hasPrefix("lab \(labPrefix)lb-twice is already up"), "\(up.errors)")
        #expect(try processes(of: lab.name) == pids)
        try lab.down()
        let down = try Labctl.run("down", lab.name)
        #expect(down.status == 5)
        #expect(down.errors.hasPrefix("there is no lab \(labPrefix)lb-twice"), "\(down.errors)")
    }
}

extension Substring {
    /// What follows the first occurrence of a text; nothing when it does not occur.
    fileprivate func text(after text: String) -> Substring {
        var rest = self
        while !rest.isEmpty, !rest.hasPrefix(text) { rest = rest.dropFirst() }
        return rest.dropFirst(text.count)
    }
}
