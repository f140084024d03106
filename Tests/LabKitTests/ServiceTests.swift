import LabModel
import NetworkTypes
import NodeProtocol
import Testing

@testable import LabKit

@Suite("services, as the supervisor has them run and judges them")
struct ServiceTests {
    private let standard = "/etc/keepalived/keepalived.conf"

    @Test("the toy web server says itself when it is ready")
    func http() {
        let specification = ServiceSpecification(
            Service(name: "httpd", kind: .http, arguments: ["--port", "8080"]))
        #expect(specification.name == "httpd")
        #expect(specification.command == ["http-backend", "--port", "8080"])
        #expect(specification.readiness == .notify)
        #expect(specification.readinessTimeoutNanoseconds == 20_000_000_000)
        #expect(specification.stopTimeoutNanoseconds == 10_000_000_000)
        #expect(specification.restart == .no)
    }

    @Test("both VRRP daemons get the same options, in the foreground")
    func vrrp() {
        for (kind, program, readiness) in [
            (Service.Kind.vrrpAgent, "vrrp-agent", ServiceSpecification.Readiness.notify),
            (.keepalived, "keepalived", .file("/run/vrrp.pid")),
        ] {
            let plain = ServiceSpecification(Service(name: "k", kind: kind), balances: true)
            #expect(plain.command == [program, "-n", "-l", "-D", "-f", standard])
            #expect(plain.readiness == readiness)
            let own = ServiceSpecification(
                Service(name: "k", kind: kind, configuration: "/k.conf", arguments: ["-R"]),
                balances: true)
            #expect(own.command == [program, "-n", "-l", "-D", "-f", "/k.conf", "-R"])
        }
    }

    @Test("where the kernel does not balance, keepalived would end, and runs VRRP only")
    func withoutIPVS() {
        func command(_ kind: Service.Kind) -> [String] {
            ServiceSpecification(Service(name: "k", kind: kind), balances: false).command
        }
        #expect(command(.keepalived) == ["keepalived", "-n", "-l", "-D", "-P", "-f", standard])
        #expect(command(.vrrpAgent) == ["vrrp-agent", "-n", "-l", "-D", "-f", standard])
    }

    @Test(
        "the options of /etc/default/keepalived follow, as in Debian's unit",
        arguments: [
            ("DAEMON_ARGS=\"-D --signum=DATA\"\n", ["-D", "--signum=DATA"]),
            ("# DAEMON_ARGS=-D\nDAEMON_ARGS=-a\nDAEMON_ARGS='-x  -m'\n", ["-x", "-m"]),
            ("DAEMON_ARGS=\"\"\n", []), ("OTHER=-D\n", []), ("DAEMON_ARGS=\"-D", []),
        ])
    func defaultOptions(text: String, expected: [String]) {
        for kind in [Service.Kind.vrrpAgent, .keepalived] {
            let command = ServiceSpecification(
                Service(name: "k", kind: kind, arguments: ["-R"]),
                files: [
                    NodeFile(path: "/etc/default/keepalived", contents: Array(text.utf8))
                ]
            ).command
            #expect(command.suffix(expected.count + 2) == [standard] + expected + ["-R"])
        }
    }

    @Test(
        "the file's own readiness takes the place of the kind's",
        arguments: [
            (.started, .started), (.notify, .notify), (.tcpPort(81), .tcpPort(81)),
            (.file("/run/x"), .file("/run/x")), (.command(["true"]), .command(["true"])),
            (.daemon(pidFile: "/run/x"), .daemon(pidFile: "/run/x")),
        ] as [(Service.Readiness, ServiceSpecification.Readiness)])
    func readiness(written: Service.Readiness, expected: ServiceSpecification.Readiness) {
        let service = Service(
            name: "s", kind: .command, arguments: ["sleep", "1"], readiness: written,
            restart: .always)
        #expect(ServiceSpecification(service).readiness == expected)
        #expect(ServiceSpecification(service).command == ["sleep", "1"])
        #expect(ServiceSpecification(service).restart == .always)
    }

    // MARK: Has it come up?

    private let since = MonotonicInstant(nanoseconds: 1_000_000_000)

    private func verdict(
        _ service: Service, _ state: TimelineEvent.ServiceState?, after age: Duration
    ) -> ServiceVerdict {
        ServiceVerdict(service, state, since: since, now: since + age)
    }

    private func command(
        _ restart: Service.RestartPolicy = .no, readiness: Service.Readiness? = nil
    ) -> Service {
        Service(
            name: "s", kind: .command, arguments: ["x"], readiness: readiness, restart: restart)
    }

    @Test("one that says itself that it is ready is up at once")
    func ready() {
        #expect(verdict(Service(name: "h", kind: .http), .ready, after: .zero) == .up)
        #expect(verdict(command(readiness: .tcpPort(80)), .ready, after: .zero) == .up)
    }

    @Test("a command without a readiness of its own must have lived for a moment")
    func settling() {
        let settled = since + ServiceVerdict.settlingTime
        #expect(verdict(command(), .ready, after: .zero) == .undecidedUntil(settled))
        #expect(
            verdict(command(), .ready, after: .milliseconds(99)) == .undecidedUntil(settled))
        #expect(verdict(command(), .ready, after: .milliseconds(100)) == .up)
    }

    @Test("a one-shot command that ends with 0 has come up; any other end is a failure")
    func oneShot() {
        #expect(verdict(command(), .exited(.status(0)), after: .zero) == .up)
        #expect(
            verdict(command(), .exited(.status(3)), after: .milliseconds(100))
                == .failed(" ended with exit status 3"))
        #expect(
            verdict(command(readiness: .notify), .exited(.status(0)), after: .milliseconds(100))
                == .failed(" ended with exit status 0"))
        #expect(
            verdict(Service(name: "h", kind: .http), .exited(.signal(9)), after: .seconds(1))
                == .failed(" ended with signal 9"))
    }

    @Test("an end waits a moment for the report that explains it")
    func explanation() {
        let settled = since + ServiceVerdict.settlingTime
        #expect(
            verdict(command(readiness: .notify), .exited(.signal(9)), after: .zero)
                == .undecidedUntil(settled))
        #expect(
            verdict(command(readiness: .notify), .failed("not ready after 20000 ms"), after: .zero)
                == .failed(": not ready after 20000 ms"))
    }

    @Test("one that its policy starts again is waited for")
    func restarts() {
        let restarted = since + ServiceVerdict.restartTime
        #expect(
            verdict(command(.onFailure), .exited(.status(1)), after: .seconds(5))
                == .undecidedUntil(restarted))
        #expect(
            verdict(command(.always), .exited(.status(0)), after: .seconds(5))
                == .undecidedUntil(restarted))
        #expect(verdict(command(.onFailure), .exited(.status(0)), after: .zero) == .up)
        #expect(
            verdict(command(.onFailure), .exited(.status(1)), after: .seconds(6))
                == .failed(" ended with exit status 1"))
    }

    @Test("one that a program of the node has stopped is what somebody wants, not a failure")
    func stoppedOnPurpose() {
        let service = Service(name: "httpd", kind: .http)
        for end in [TimelineEvent.ExitReason.status(0), .status(1), .signal(15)] {
            let verdict = ServiceVerdict(
                service, .exited(end), since: since, now: since, acceptsEnd: true)
            #expect(verdict == .up)
        }
        #expect(
            ServiceVerdict(service, .failed("no"), since: since, now: since, acceptsEnd: true)
                == .failed(": no"))
    }

    @Test("what systemctl in the node knows of a service")
    func unit() {
        let node = Node(
            name: "a",
            services: [
                Service(name: "httpd", aliases: ["www"], kind: .http, startsWithNode: false),
                Service(name: "sleeper", kind: .command, arguments: ["sleep", "1"]),
            ])
        let web = ServiceSpecification(node.services[0], of: node)
        #expect(web.aliases == ["www", "apache2"])
        #expect(web.description == "the toy web server")
        #expect(!web.startsWithNode)
        #expect(ServiceSpecification(node.services[1], of: node).description == "sleep")
    }

    @Test("nothing is said of one that is on its way")
    func onItsWay() {
        for state: TimelineEvent.ServiceState? in [nil, .starting, .running(pid: 7), .stopping] {
            #expect(verdict(command(), state, after: .seconds(100)) == .undecided)
        }
    }
}

@Suite("FRR as a service")
struct FRRServiceTests {
    @Test("its shell makes the macvlan that frr.conf needs, and takes it away")
    func script() throws {
        let text = "interface eth0\n vrrp 51 ip 10.0.0.100\n vrrp 51 priority 99\n"
        let specification = ServiceSpecification(
            Service(name: "vrrp", kind: .frr),
            files: [NodeFile(path: "/etc/frr/frr.conf", contents: Array(text.utf8))])
        #expect(specification.command.first == "/bin/sh")
        #expect(specification.command.last == "/etc/frr/frr.conf")
        let script = try #require(specification.command.dropFirst(2).first)
        #expect(
            script.contains(
                "ip link add name vrrp4-51 link eth0 address 00:00:5e:00:01:33 type macvlan"))
        #expect(script.contains("ip address add 10.0.0.100/32 dev vrrp4-51"))
        #expect(script.contains("ip link del vrrp4-51"))
    }

    @Test("it is ready when every router with a carrier has left Initialize, as vrrpd has it")
    func readiness() throws {
        let text = """
            interface eth0
             vrrp 51 ip 10.0.0.100
             vrrp 51 ipv6 fe80::100
            interface eth1
             vrrp 7 ip 10.0.1.100
            """
        let specification = ServiceSpecification(
            Service(name: "vrrp", kind: .frr),
            files: [NodeFile(path: "/etc/frr/frr.conf", contents: Array(text.utf8))])
        guard case .command(let command) = specification.readiness else {
            return #expect(Bool(false), "\(specification.readiness)")
        }
        #expect(command.dropLast(2) == ["/bin/sh", "-ec"])
        let script = try #require(command.dropFirst(2).first)
        for (interface, vrid, family) in [
            ("eth0", 51, "v4"), ("eth0", 51, "v6"), ("eth1", 7, "v4"),
        ] {
            let show = "show vrrp interface \(interface) \(vrid)"
            #expect(
                script.contains(
                    """
                    if ip -o link show dev \(interface) | grep -q LOWER_UP; then
                        vtysh --vty_socket /run/frr -d vrrpd -c '\(show)' |
                            grep -Eq '^ Status \\(\(family)\\) +(Backup|Master)'
                    fi
                    """))
        }
    }
}
