import LinuxSystem
import Testing

@testable import NodeInit

@Suite("What services and commands are given")
struct NodeEnvironmentTests {
    @Test("the later of two variables of one name counts, and each is there once")
    func laterCounts() {
        let environment = NodeEnvironment(["HOME=/x", "COLOUR=blue"]).with(["COLOUR=red", "EMPTY="])
        #expect(environment["HOME"] == "/x")
        #expect(environment["COLOUR"] == "red")
        #expect(environment["EMPTY"] == "")
        #expect(environment["HOM"] == nil)
        #expect(environment["PATH"] == NodeEnvironment.path)
        #expect(environment.variables.count == 5)
    }

    @Test(
        "a kernel parameter's file, by sysctl's rule for dots and slashes",
        arguments: [
            ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
            ("net/ipv4/ip_forward", "/proc/sys/net/ipv4/ip_forward"),
            (
                "net.ipv4.conf.eth0/100.forwarding",
                "/proc/sys/net/ipv4/conf/eth0.100/forwarding"
            ),
            ("net/ipv4/conf/eth0.100/forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"),
        ])
    func kernelParameters(name: String, path: String) {
        #expect(KernelParameter.path(of: name) == path)
    }
}

@Suite("Which processes are a service's")
struct ServiceProcessesTests {
    private func process(
        _ pid: Int32, parent: Int32, session: Int32, state: Character = "S"
    ) -> ProcessEntry {
        ProcessEntry(
            pid: pid, command: "x", state: state, parent: parent, processGroup: session,
            session: session)
    }

    @Test("its session, what descends from it, and what carries its mark; nothing else")
    func members() {
        let entries = [
            process(1, parent: 0, session: 0),
            process(4, parent: 12, session: 4),  // A grandchild whose number is lower (wrapped).
            process(10, parent: 1, session: 10),
            process(11, parent: 10, session: 10),
            process(12, parent: 11, session: 12),  // Left the session, keeps its parent.
            process(13, parent: 1, session: 13),  // Left both, keeps the environment.
            process(14, parent: 1, session: 10),  // An orphan in the session.
            process(20, parent: 1, session: 20),
            process(21, parent: 20, session: 20),
        ]
        #expect(
            ServiceProcesses.members(ofSession: 10, among: entries) { $0 == 13 }
                == [4, 10, 11, 12, 13, 14])
    }

    @Test("what has ended is no longer a member, its children still are")
    func ended() {
        let entries = [
            process(10, parent: 1, session: 10, state: "Z"),
            process(12, parent: 10, session: 12),
        ]
        #expect(ServiceProcesses.members(ofSession: 10, among: entries) { _ in false } == [12])
    }
}
