import KeepalivedConf
import LinuxSystem
import Testing

@testable import VRRPAgent

// Every status was recorded from keepalived 2.2.7 with the same files.
@Suite("--config-test: how it ends on a machine that lacks an interface")
struct ConfigurationTestTests {
    private static func instance(_ interface: String, _ lines: String) -> String {
        """
        vrrp_instance V {
        interface \(interface)
        virtual_router_id 51
        virtual_ipaddress {
        192.0.2.1
        }
        \(lines)
        }

        """
    }

    private func status(_ text: String) throws -> VRRPAgent.ExitStatus {
        let bench = try AgentBench()
        try FileSystem.write(Array(text.utf8), to: "\(bench.folder)/k.conf")
        return try ConfigurationTest.run(
            Options(["-t\(bench.folder)/out", "-f", "\(bench.folder)/k.conf"]))
    }

    @Test("without an interface the scripts of instances are not looked at, others are")
    func missingInterface() throws {
        let script = "vrrp_script s {\nscript /bin/true\n}\n"
        let tracking = "track_script {\ns\n}"
        let notify = "notify /bin/true"
        #expect(try status(Self.instance("nosuch", notify)) == .configurationTest)
        #expect(try status(script + Self.instance("nosuch", tracking)) == .configurationTest)
        let startup = "global_defs {\nstartup_script /bin/true\n}\n"
        #expect(try status(startup + Self.instance("nosuch", "")) == .noConfiguration)
        let dynamic = "global_defs {\ndynamic_interfaces\n}\n"
        #expect(try status(dynamic + Self.instance("nosuch", notify)) == .noConfiguration)
        // Every machine has lo.
        #expect(try status(Self.instance("lo", notify)) == .noConfiguration)
        #expect(try status(script + Self.instance("lo", tracking)) == .noConfiguration)
        let noVRID = Self.instance("lo", notify).replacing("virtual_router_id 51\n", with: "")
        #expect(try status(noVRID) == .noConfiguration)
    }

    @Test("-P: a virtual server's block is not read, but for a test")
    func virtualServers() throws {
        let bench = try AgentBench()
        let path = "\(bench.folder)/k.conf"
        let text = "virtual_server 192.0.2.1 80 {\nreal_server {\n}\n}\n"
        try FileSystem.write(Array(text.utf8), to: path)
        func isRefused(_ arguments: [String]) throws -> Bool {
            try ConfigurationFile.read(Options(arguments + ["-f", path])).isRefused
        }
        #expect(try !isRefused(["-P"]))
        #expect(try isRefused([]) && isRefused(["-P", "-t"]) && isRefused(["-P", "--dump-conf"]))
    }
}
