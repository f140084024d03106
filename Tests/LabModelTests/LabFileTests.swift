import NetworkTypes
import Testing

@testable import LabModel

/// The lab in `yaml`, which must have no diagnostics.
func lab(_ yaml: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Lab {
    let decoding = decode(yaml)
    try #require(decoding.diagnostics == [], sourceLocation: sourceLocation)
    return try #require(decoding.lab, sourceLocation: sourceLocation)
}

@Suite("lab file: what is written becomes the lab")
struct LabFileTests {
    @Test("the least lab is a name and a node")
    func least() throws {
        let lab = try lab("name: t\nnodes: { a: }")
        #expect(lab == Lab(name: "t", nodes: [Node(name: "a")]))
    }

    @Test("networks with one subnet, several or none, in the order of the file")
    func networks() throws {
        let lab = try lab(
            """
            name: t
            networks:
              wan: { subnets: [ 10.0.0.0/24, "2001:db8::/64" ], mtu: 9000 }
              lan: { subnet: 10.0.1.0/24 }
              dark:
            nodes: { a: }
            """)
        let names = ["wan", "lan", "dark"].compactMap { InterfaceName($0) }
        #expect(lab.networks.map(\.name) == names)
        #expect(
            lab.networks.map { $0.subnets.map(\.description) } == [
                ["10.0.0.0/24", "2001:db8::/64"], ["10.0.1.0/24"], [],
            ])
        #expect(lab.networks.map(\.mtuBytes) == [9000, nil, nil])
    }

    @Test("a node's parts keep the order and the text they are written in")
    func node() throws {
        let lab = try lab(
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes:
              a:
                interfaces:
                  eth1: { network: lan, address: 10.0.0.7, mac: "02:00:00:00:00:07", mtu: 1400 }
                  eth0: { network: lan, addresses: [ 10.0.0.8/24, 10.0.0.9 ] }
                sysctls: { net.ipv4.ip_forward: 1, net.ipv4.conf.eth0/1.rp_filter: no }
                environment: { LANG: C, EMPTY: "", VERSION: 1.10 }
                gateway: 10.0.0.1
                routes:
                  - { to: 10.9.0.0/16, via: 10.0.0.2, dev: eth0 }
                  - { to: 10.0.5.5/32, dev: eth1 }
                  - { to: 10.8.0.0/16, via: 10.0.5.5 }
            """)
        let node = try #require(lab.node("a"))
        #expect(node.interfaces.map(\.name.text) == ["eth1", "eth0"])
        #expect(node.interfaces[0].mac.description == "02:00:00:00:00:07")
        #expect(node.interfaces.map(\.mtuBytes) == [1400, nil])
        #expect(
            node.interfaces.map { $0.addresses.map(\.description) } == [
                ["10.0.0.7/24"], ["10.0.0.8/24", "10.0.0.9/24"],
            ])
        #expect(
            node.sysctls == [
                Sysctl(name: "net.ipv4.ip_forward", value: "1"),
                Sysctl(name: "net.ipv4.conf.eth0/1.rp_filter", value: "no"),
            ])
        #expect(
            node.environment == [
                EnvironmentVariable(name: "LANG", value: "C"),
                EnvironmentVariable(name: "EMPTY", value: ""),
                EnvironmentVariable(name: "VERSION", value: "1.10"),
            ])
        let routes = node.routes.map { $0.destination?.description ?? "default" }
        #expect(routes == ["10.9.0.0/16", "10.0.5.5/32", "10.8.0.0/16", "default"])
        #expect(node.routes[0].interface == InterfaceName("eth0"))
        #expect(node.routes[3].gateway == .v4(IPv4Address(10, 0, 0, 1)))
    }

    @Test("files come from beside the lab file, or from the text itself; each is read once")
    func files() throws {
        var asked: [String] = []
        let decoding = Lab.decode(
            yaml: """
                name: t
                nodes:
                  a:
                    files:
                      /etc/one: one.conf
                      /etc/two: { from: ./one.conf, mode: 0600, owner: www-data, group: 33 }
                      /etc/three: { text: "a\\nb", mode: "4755" }
                      /etc/four: /etc/hostname
                """,
            file: "Labs/x/lab.yaml"
        ) { path in
            asked.append(path)
            return .contents(Array(path.utf8))
        }
        try #require(decoding.diagnostics == [])
        let one = Array("Labs/x/one.conf".utf8)
        #expect(asked == ["Labs/x/one.conf", "/etc/hostname"])
        #expect(
            decoding.lab?.nodes[0].files == [
                NodeFile(path: "/etc/one", contents: one, source: "Labs/x/one.conf"),
                NodeFile(
                    path: "/etc/two", contents: one, mode: 0o600, owner: "www-data", group: "33",
                    source: "Labs/x/one.conf"),
                NodeFile(path: "/etc/three", contents: Array("a\nb".utf8), mode: 0o4755),
                NodeFile(
                    path: "/etc/four", contents: Array("/etc/hostname".utf8),
                    source: "/etc/hostname"),
            ])
    }

    @Test("services of every kind, with readiness, restart policy and autostart")
    func services() throws {
        let lab = try lab(
            """
            name: t
            nodes:
              a:
                files: { /etc/keepalived/keepalived.conf: a.conf, /etc/k.conf: a.conf }
                services:
                  web: { kind: http, arguments: --port 8080, ready: { port: 8080 } }
                  vrrp: { kind: vrrp-agent, ready: notify }
                  real:
                    { kind: keepalived, config: /etc/k.conf, arguments: [ -P ], restart: always }
                  job:
                    kind: command
                    command: sh -c 'echo "a b"; sleep 1'
                    ready: { command: [ test, -e, /run/x ] }
                    restart: on-failure
                    autostart: false
                  plain: { kind: command, command: [ sleep, 1 ], ready: started, restart: no }
                  marked: { kind: command, command: touch /run/m, ready: { file: /run/m } }
                  nginx: { kind: command, command: nginx, ready: { pid-file: /run/nginx.pid } }
                  forking: { kind: command, command: apachectl start, ready: daemon }
            """)
        #expect(
            lab.nodes[0].services == [
                Service(
                    name: "web", kind: .http, arguments: ["--port", "8080"],
                    readiness: .tcpPort(8080)),
                Service(name: "vrrp", kind: .vrrpAgent, readiness: .notify),
                Service(
                    name: "real", kind: .keepalived, configuration: "/etc/k.conf",
                    arguments: ["-P"], restart: .always),
                Service(
                    name: "job", kind: .command,
                    arguments: ["sh", "-c", "echo \"a b\"; sleep 1"],
                    readiness: .command(["test", "-e", "/run/x"]), restart: .onFailure,
                    startsWithNode: false),
                Service(
                    name: "plain", kind: .command, arguments: ["sleep", "1"], readiness: .started),
                Service(
                    name: "marked", kind: .command, arguments: ["touch", "/run/m"],
                    readiness: .file("/run/m")),
                Service(
                    name: "nginx", kind: .command, arguments: ["nginx"],
                    readiness: .daemon(pidFile: "/run/nginx.pid")),
                Service(
                    name: "forking", kind: .command, arguments: ["apachectl", "start"],
                    readiness: .daemon(pidFile: nil)),
            ])
    }

    @Test("a service is found by its aliases, and a web server by both names it goes by")
    func aliases() throws {
        let lab = try lab(
            """
            name: t
            nodes:
              a: { services: { httpd: { kind: http }, b: { kind: http, aliases: [ www, web ] } } }
              c: { services: { apache2: { kind: http }, httpd: { kind: http } } }
              d: { services: { nginx: { kind: http } } }
              e: { services: { nginx: { kind: http }, apache2: { kind: http } } }
            """)
        let (a, c) = (lab.nodes[0], lab.nodes[1])
        #expect(a.unit("apache2")?.name == "httpd")
        #expect(a.unit("www")?.name == "b")
        #expect(a.unit("nginx") == nil)
        #expect(a.aliases(of: a.services[1]) == ["www", "web"])
        #expect(c.unit("apache2")?.name == "apache2")
        #expect(c.aliases(of: c.services[0]) == [])
        #expect(lab.nodes[2].unit("httpd")?.name == "nginx")
        #expect(lab.nodes[3].unit("httpd")?.name == "apache2")
        #expect(lab.nodes[3].aliases(of: lab.nodes[3].services[0]) == [])
    }

    @Test("links make their nodes' interfaces, or plug in the ones that are listed")
    func links() throws {
        let lab = try lab(
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes:
              a:
                interfaces:
                  eth1: { mac: "02:00:00:00:00:0a", mtu: 1300 }
                  eth0: { network: lan }
              b: { interfaces: { eth0: { network: lan } } }
            links:
              - endpoints: [ "a:eth1", "b:eth1" ]
                addresses: [ 10.1.0.1/30, [ 10.1.0.2/30, "fd00::2/64" ] ]
                mtu: 1400
              - endpoints: [ "a:eth2", "b:eth2" ]
            """)
        let (a, b) = (lab.nodes[0], lab.nodes[1])
        #expect(a.interfaces.map(\.name.text) == ["eth1", "eth0", "eth2"])
        #expect(b.interfaces.map(\.name.text) == ["eth0", "eth1", "eth2"])
        #expect(a.interfaces[0].attachment == .link(0))
        #expect(a.interfaces[0].mac.description == "02:00:00:00:00:0a")
        #expect(a.interfaces[0].mtuBytes == 1300)
        #expect(b.interfaces[1].mtuBytes == 1400)
        #expect(a.interfaces[0].addresses.map(\.description) == ["10.1.0.1/30"])
        #expect(b.interfaces[1].addresses.map(\.description) == ["10.1.0.2/30", "fd00::2/64"])
        #expect(a.interfaces[2].attachment == .link(1))
        #expect(a.interfaces[2].addresses.isEmpty)
        #expect(
            lab.links.map { $0.endpoints.map(\.description) } == [
                ["a:eth1", "b:eth1"], ["a:eth2", "b:eth2"],
            ])
    }

    @Test("anchors, merge keys and x- sections save repetition")
    func anchors() throws {
        let lab = try lab(
            """
            name: t
            x-node: &node { environment: { X: 1 }, sysctls: { net.ipv4.ip_forward: 1 } }
            nodes:
              a: *node
              b: { <<: *node, environment: { X: 2 } }
              c: { <<: [ { environment: { X: 3 } }, *node ] }
            """)
        #expect(lab.nodes.map { $0.environment.map(\.value) } == [["1"], ["2"], ["3"]])
        #expect(lab.nodes.allSatisfy { $0.sysctls.count == 1 })
    }

    @Test("a complete lab survives its JSON")
    func codable() throws {
        let lab = try lab(LabFileScenarioTests.yaml)
        #expect(try roundTrip(lab) == lab)
        let plan = try DeploymentPlan(lab)
        #expect(try roundTrip(plan) == plan)
    }
}

@Suite("lab file: scenarios")
struct LabFileScenarioTests {
    static let yaml = """
        name: t
        networks: { lan: { subnet: 10.0.0.0/24 } }
        nodes:
          a: { interfaces: { eth0: { network: lan } }, services: { web: { kind: http } } }
          b: { interfaces: { eth0: { network: lan } } }
        scenarios:
          every-step:
            summary: all there is
            files: { a: { /etc/motd: { text: hello } } }
            probes:
              web: { from: b, http: "http://10.0.0.100/" }
              fast: { from: a, http: "http://[fd00::1]:8080/x", every: 1500us, timeout: 2s }
            steps:
              - stop: a/web
              - start: a/web
              - restart: a
              - kill: b
              - exec: { on: a, command: grep -q 'x y' /etc/motd, status: 1 }
              - exec: { on: a, command: [ "true" ] }
              - wait: 1.5s
              - expect: { vip: 10.0.0.100, on: a }
              - expect: { vip: "fd00::100", on: [ a, b ], within: 4s, for: 1m }
              - expect: { vip: 10.0.0.100, on: [] }
              - expect: { vip: 10.0.0.100, absent: true }
              - expect: { http: "http://10.0.0.100/", from: b, body: this is a, within: 100ms }
              - expect: { http: "http://10.0.0.100/", from: b }
              - expect: { outage: web, at-most: 1s }
          described: { description: the other word, steps: [ wait: 0s ] }
        """

    @Test("every kind of step, with the line it stands on")
    func steps() throws {
        let lab = try lab(Self.yaml)
        let scenario = try #require(lab.scenarios.first)
        let vip = IPAddress.v4(IPv4Address(10, 0, 0, 100))
        let url = HTTPURL(address: vip)
        let sixth = try #require(IPAddress("fd00::100"))
        let expected: [Step.Action] = [
            .control(.stop, Target(node: "a", service: "web")),
            .control(.start, Target(node: "a", service: "web")),
            .control(.restart, Target(node: "a")),
            .control(.kill, Target(node: "b")),
            .execute(node: "a", command: ["grep", "-q", "x y", "/etc/motd"], status: 1),
            .execute(node: "a", command: ["true"], status: 0),
            .wait(.milliseconds(1500)),
            .expect(Expectation(.address(vip, nodes: ["a"]))),
            .expect(
                Expectation(
                    .address(sixth, nodes: ["a", "b"]), within: .seconds(4),
                    holding: .seconds(60))),
            .expect(Expectation(.address(vip, nodes: []))),
            .expect(Expectation(.address(vip, nodes: []))),
            .expect(
                Expectation(
                    .http(url: url, from: "b", body: "this is a"), within: .milliseconds(100))),
            .expect(Expectation(.http(url: url, from: "b", body: nil))),
            .expect(Expectation(.outage(probe: "web", atMost: .seconds(1)))),
        ]
        #expect(scenario.steps.map(\.action) == expected)
        #expect(scenario.steps.map(\.line) == Array(14..<28))
    }

    @Test("probes have their defaults; files are overrides; description is summary's other name")
    func others() throws {
        let lab = try lab(Self.yaml)
        #expect(lab.scenarios.map(\.name) == ["every-step", "described"])
        #expect(lab.scenarios.map(\.summary) == ["all there is", "the other word"])
        let probes = lab.scenarios[0].probes
        #expect(probes.map(\.name) == ["web", "fast"])
        #expect(probes[0].interval == .milliseconds(10))
        #expect(probes[0].timeout == .milliseconds(500))
        #expect(probes[1].interval == .microseconds(1500))
        #expect(probes[1].timeout == .seconds(2))
        #expect(probes[1].request.description == "http://[fd00::1]:8080/x")
        #expect(
            lab.scenarios[0].files == [
                Scenario.FileOverride(
                    node: "a",
                    file: NodeFile(path: "/etc/motd", contents: Array("hello".utf8)))
            ])
    }

    @Test(
        "durations are a decimal number and its unit",
        arguments: [
            ("10ms", Duration.milliseconds(10)), ("5s", .seconds(5)), ("1m", .seconds(60)),
            ("250us", .microseconds(250)), ("1.5s", .milliseconds(1500)), ("2h", .seconds(7200)),
            ("0s", .zero), ("0.000001s", .microseconds(1)),
        ])
    func duration(text: String, expected: Duration) {
        #expect(Duration(durationText: text) == expected)
    }

    @Test(
        "nothing else is a duration",
        arguments: [
            "", "5", "s", "-1s", "1 s", "1S", "1d", ".5s", "1.s", "1.2.3s", "+1s", "1e3s",
            "9999999999s", "١s",
        ])
    func noDuration(text: String) {
        #expect(Duration(durationText: text) == nil)
    }

    @Test(
        "command lines are split as a shell does (POSIX.1 2.2)",
        arguments: [
            ("a  b\tc", ["a", "b", "c"]), ("'a b' c", ["a b", "c"]),
            (#""a 'b'" c"#, ["a 'b'", "c"]),
            (#"a\ b"#, ["a b"]), (#"'a\b'"#, [#"a\b"#]), (#""a\"b\c""#, [#"a"b\c"#]),
            ("a''b", ["ab"]), ("'' a", ["", "a"]), (#""\$HOME""#, ["$HOME"]), ("  ", []),
        ])
    func words(line: String, expected: [String]) throws {
        #expect(try ShellWords.split(line) == expected)
    }

    @Test("what only a shell can do is refused")
    func needsShell() {
        for (line, character) in [("a | b", "|"), ("a > b", ">"), ("$HOME", "$"), (#""`a`""#, "`")]
        {
            #expect(throws: ShellWords.Problem.needsShell(Character(character))) {
                try ShellWords.split(line)
            }
        }
        #expect(throws: ShellWords.Problem.unterminatedQuote) { try ShellWords.split("'a") }
        #expect(throws: ShellWords.Problem.danglingBackslash) { try ShellWords.split(#"a\"#) }
    }
}
