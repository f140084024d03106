import KeepalivedConf
import Testing

/// The messages are keepalived 2.2.7's.
@Suite("Virtual servers and their checkers")
struct VirtualServerTests {
    /// The checkers of the only machine, each as where it connects and for how long.
    private func connections(_ checker: String) throws -> [String] {
        let parsed = parse(
            """
            virtual_server 192.0.2.100 25 {
                protocol TCP
                lb_algo rr
                lb_kind NAT
                real_server 192.0.2.10 25 {
                    connect_timeout 4
                    SMTP_CHECK {
                        helo_name mail.example
                        retry 2
            \(checker)
                    }
                }
            }

            """)
        let server = try #require(parsed.configuration.virtualServers.first?.realServers.first)
        return server.checkers.map { checker in
            #expect(checker.kind == .smtp(heloName: "mail.example"))
            #expect(checker.retries == 2)
            return checker.connection.map { "\($0.address) \($0.port ?? 0) \($0.timeout)" } ?? ""
        }
    }

    private static let hosts = """
        host {
            connect_ip 192.0.2.11
            connect_timeout 2
        }
        host {
            connect_port 587
        }
        """

    @Test("SMTP_CHECK: each host is checked by itself, with the real server's time")
    func hosts() throws {
        #expect(
            try connections(Self.hosts) == [
                "192.0.2.11 25 2.0 seconds", "192.0.2.10 587 4.0 seconds",
            ])
        #expect(try connections("") == ["192.0.2.10 25 4.0 seconds"])
    }

    @Test("SMTP_CHECK: what says itself where it connects does so besides its hosts")
    func hostsAndConnection() throws {
        #expect(
            try connections("connect_timeout 3\n" + Self.hosts) == [
                "192.0.2.10 25 3.0 seconds", "192.0.2.11 25 2.0 seconds",
                "192.0.2.10 587 4.0 seconds",
            ])
    }

    @Test("SMTP_CHECK: that hosts are deprecated is said once for the block")
    func hostsAreDeprecated() {
        let parsed = parse(
            """
            virtual_server 192.0.2.100 25 {
                real_server 192.0.2.10 25 {
                    SMTP_CHECK {
            \(Self.hosts)
                    }
                }
            }

            """)
        let said = parsed.diagnostics.filter { $0.message.contains("deprecated") }
        #expect(
            said.map(\.message) == [
                "The SMTP_CHECK host block is deprecated. Please define additional checkers."
            ])
        #expect(said.first?.namesLine == false)
    }

    /// What is said about a group with a mark and several ports.
    private func portWarnings(_ settings: String) -> [String] {
        let parsed = parse(
            """
            virtual_server_group G {
                fwmark 7
                192.0.2.100-102 80
                192.0.2.103 8080
            }
            virtual_server group G {
                protocol TCP
                lb_algo rr
                \(settings)
                real_server 192.0.2.10 80 {
                }
                real_server 192.0.2.11 8080 {
                }
                real_server 192.0.2.12 {
                }
            }

            """)
        return parsed.diagnostics.filter { $0.message.contains("port") }.map {
            #expect($0.position.line == 6 && !$0.namesLine)
            return $0.message
        }
    }

    @Test("ports of machines behind a group count for nothing, but with address translation")
    func portsInGroup() {
        func mark(_ machine: String) -> String {
            "WARNING - fwmark virtual server [G]:0, real server [192.0.2.\(machine) has port"
                + " specified - port will be ignored"
        }
        func other(_ entry: String, _ machine: String) -> String {
            "virtual server [G]:0:[192.0.2.\(entry)] and real server [192.0.2.\(machine) ports"
                + " don't match"
        }
        #expect(
            portWarnings("lb_kind DR\nsorry_server 192.0.2.9 80") == [
                mark("10]:tcp:80"), mark("11]:tcp:8080"),
                "WARNING - fwmark virtual server [G]:0, sorry server has port specified - port"
                    + " will be ignored",
                other("100-192.0.2.102,80", "11]:tcp:8080"), other("103,8080", "10]:tcp:80"),
                "WARNING - virtual server [G]:0, sorry server has port specified - port will be"
                    + " ignored",
            ])
        #expect(portWarnings("lb_kind NAT\nsorry_server 192.0.2.9 80") == [])
    }
}
