import LabModel
import NetworkTypes
import Testing

@testable import LabKit

@Suite("keepalived.conf files of a lab's nodes")
struct VRRPConfigurationCheckTests {
    /// A lab of one node with that file, as decoded from YAML.
    private func check(
        _ conf: String, files: [String: String] = [:], more: String = "", external: String = ""
    ) -> VRRPConfigurationCheck {
        var laid = "      /etc/keepalived/keepalived.conf: a/keepalived.conf\n"
        for name in files.keys.sorted() { laid += "      /etc/keepalived/\(name): a/\(name)\n" }
        let yaml = """
            name: t
            networks: { lan: { subnets: [ 10.10.10.0/24, "fd00:10::/64" ]\(external) } }
            nodes:
              a:
                interfaces: { eth0: { network: lan, addresses: [] } }
                services: { keepalived: { kind: vrrp-agent } }
                files:
            \(laid)\(more)
            """
        let decoding = Lab.decode(yaml: yaml, file: "lab.yaml") { path in
            guard path.hasPrefix("a/") else { return .missing }
            let text = path == "a/keepalived.conf" ? conf : files[String(path.dropFirst(2))]
            return text.map { .contents(Array($0.utf8)) } ?? .missing
        }
        return VRRPConfigurationCheck(decoding.vrrpConfigurations)
    }

    private func texts(_ check: VRRPConfigurationCheck) -> [String] {
        check.diagnostics.sorted().map(\.description)
    }

    @Test("a virtual Ethernet address on a macvlan of the host's is refused where it is asked for")
    func hostInterfaces() {
        let conf = """
            vrrp_instance VI_1 {
             interface eth0
             virtual_router_id 51
             use_vmac
             virtual_ipaddress { 10.10.10.100 }
            }
            """
        #expect(texts(check(conf)) == [])
        #expect(
            texts(check(conf, external: ", external: { type: macvlan, parent: eth7 }")) == [
                "a/keepalived.conf:4:2: (VI_1) use_vmac takes the virtual router's Ethernet "
                    + "address, and eth0 is a macvlan of the host's eth7, of which the kernel "
                    + "gives no two the same; leave use_vmac out"
            ])
    }

    @Test("a scenario names virtual routers that are there, with its own files and edits")
    func namedRouters() throws {
        let conf = "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n}\n"
        func mistakes(_ steps: String, files: String = "") throws -> [String] {
            let yaml = """
                name: t
                networks: { lan: { subnet: 10.10.10.0/24 } }
                nodes:
                  a:
                    interfaces: { eth0: { network: lan } }
                    services: { keepalived: { kind: vrrp-agent } }
                    files: { /etc/keepalived/keepalived.conf: { text: \(Self.quoted(conf)) } }
                  b: { interfaces: { eth0: { network: lan } } }
                scenarios:
                  s:
                \(files)
                    steps:
                      - \(steps)
                """
            let decoding = Lab.decode(yaml: yaml, file: "lab.yaml") { _ in .missing }
            let lab = try #require(decoding.lab, "\(decoding.diagnostics)")
            return ScenarioRouterCheck.mistakes(in: lab, file: "lab.yaml").map(\.description)
        }
        #expect(try mistakes("expect: { state: MASTER, on: a, router: VI_1 }") == [])
        #expect(try mistakes("expect: { state: MASTER, on: a }") == [])
        let unknown = "expect: { state: MASTER, on: a, router: VI_2 }"
        #expect(
            try mistakes(unknown) == [
                "lab.yaml:13: scenario s names virtual router 'VI_2', which node a does not have; "
                    + "did you mean 'VI_1'?"
            ])
        #expect(
            try mistakes("expect: { state: BACKUP, on: [ a, b ] }") == [
                "lab.yaml:13: scenario s asks for a virtual router's state on node b, which has "
                    + "none"
            ])
        let other = conf.split(separator: "VI_1").joined(separator: "VI_2")
        let path = "/etc/keepalived/keepalived.conf"
        #expect(
            try mistakes(
                unknown,
                files: "    files: { a: { \(path): { text: \(Self.quoted(other)) } } }") == [])
        #expect(
            try mistakes(
                "edit: { a: { \(path): { text: \(Self.quoted(other)) } } }\n      - \(unknown)")
                == [])
    }

    /// A text as YAML has it in double quotes.
    private static func quoted(_ text: String) -> String {
        "\"" + text.split(separator: "\n").joined(separator: "\\n") + "\\n\""
    }

    @Test("what a file comes to: VRID, priority, timers, addresses, with the defaults")
    func facts() throws {
        let found = check(
            """
            vrrp_instance VI_1 {
                state BACKUP
                interface eth0
                virtual_router_id 51
                priority 99
                nopreempt
                advert_int 2
                virtual_ipaddress {
                    10.10.10.10/24
                    10.10.10.11
                }
            }
            vrrp_instance VI_6 {
                interface eth0
                virtual_router_id 52
                virtual_ipaddress {
                    fe80::10
                }
            }
            """)
        #expect(texts(found).isEmpty)
        try #require(found.virtualRouters.count == 2)
        #expect(
            found.virtualRouters[0]
                == VirtualRouterFacts(
                    node: "a", service: "keepalived", instance: "VI_1", interface: "eth0",
                    version: 2, vrid: 51, priority: 99, advertisementInterval: .seconds(2),
                    preempts: false,
                    addresses: ["10.10.10.10", "10.10.10.11"].compactMap { IPAddress($0) }))
        let second = found.virtualRouters[1]
        #expect(second.version == 3, "IPv6 is VRRPv3")
        #expect(second.priority == 100)
        #expect(second.advertisementInterval == .seconds(1))
        #expect(second.preempts)
    }

    @Test("nopreempt is cleared under state MASTER: a warning, and the facts say so")
    func nopreemptCleared() throws {
        let found = check(
            """
            vrrp_instance VI_1 {
                state MASTER
                interface eth0
                virtual_router_id 51
                nopreempt
                virtual_ipaddress {
                    10.10.10.10
                }
            }
            """)
        #expect(try #require(found.virtualRouters.first).preempts)
        #expect(found.diagnostics.map(\.severity) == [.warning])
        #expect(texts(found)[0].hasPrefix("a/keepalived.conf:"))
        #expect(texts(found)[0].contains("warning: "))
        #expect(texts(found)[0].contains("nopreempt"))
    }

    @Test(
        "an include reaches the node's own files, by pattern, and mistakes name the file"
    )
    func include() throws {
        let found = check(
            """
            global_defs {
                router_id r
            }
            include conf.d/*.conf
            """,
            files: [
                "conf.d/1.conf": """
                vrrp_instance VI_1 {
                    interface eth0
                    virtual_router_id 51
                    virtual_ipaddress {
                        10.10.10.10
                    }
                }
                """,
                "conf.d/2.conf": "vrrp_instnce VI_2 {\n}\n",
                "other/3.conf": "no keyword at all\n",
            ])
        #expect(found.virtualRouters.map(\.instance) == ["VI_1"])
        #expect(
            texts(found) == [
                """
                a/conf.d/2.conf:1:1: Unknown keyword 'vrrp_instnce'; did you mean \
                'vrrp_instance'?; keepalived ignores the whole block
                """
            ])
    }

    @Test("a line for one host is for the node of that name; braces and variables are keepalived's")
    func conditionalLines() throws {
        let found = check(
            """
            $BASE=100
            include {one,two}.conf
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                @a priority $BASE
                @b priority 99
                down_timer_adverts 5
                virtual_ipaddress {
                    10.10.10.10
                }
            }
            """, files: ["one.conf": "! one\n", "two.conf": "# two\n"])
        #expect(texts(found) == [])
        let router = try #require(found.virtualRouters.first)
        #expect(router.priority == 100)
        #expect(router.masterDownInterval().map(\.duration).first == .seconds(5))
    }

    @Test("an include that finds nothing is an error, unless a file of the lab could not be read")
    func includeOfNothing() {
        let conf = "include /etc/keepalived/conf.d/vips.conf\n"
        let found = check(conf)
        #expect(texts(found).count == 1)
        #expect(texts(found).first?.hasPrefix("a/keepalived.conf:1:") == true)
        #expect(texts(check(conf, more: "      /etc/motd: missing\n")).isEmpty)
    }

    @Test("addresses of both families in one instance: one is lost, an error at its place")
    func mixedFamilies() {
        let found = check(
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.10
                    fd00:10::10
                }
            }
            """)
        #expect(found.diagnostics.map { [$0.line, $0.column] } == [[6, 9]])
        #expect(texts(found)[0].contains("the address is lost"))
    }

    @Test("an interface that the node does not have, with those that it has; lo is always there")
    func interfaces() {
        let conf = """
            vrrp_instance VI_1 {
                interface ens33
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.10 dev lo
                }
            }
            """
        let expected = """
            a/keepalived.conf:2:15: interface ens33 for vrrp_instance VI_1 doesn't exist; node a \
            has eth0
            """
        #expect(texts(check(conf)) == [expected])
        // Of a node about whose interfaces not all is known, nothing is said.
        let linked = "links: [ { endpoints: [ \"a:ens33\", \"b:eth0\" ] } ]\n"
        #expect(texts(check(conf, more: linked)).isEmpty)
        #expect(texts(check(conf, more: "  b: {}\n" + linked)).isEmpty)
    }

    @Test("a file that two nodes share has each mistake once")
    func shared() {
        let more = """
              b:
                interfaces: { eth0: { network: lan } }
                services: { keepalived: { kind: keepalived } }
                files: { /etc/keepalived/keepalived.conf: a/keepalived.conf }
            """
        let found = check("vrrp_instnce VI_1 {\n}\n", more: more)
        #expect(texts(found).count == 1)
    }

    @Test("a scenario's file is checked with the lab's")
    func scenario() {
        let more = """
            scenarios:
              s:
                files: { a: { /etc/keepalived/keepalived.conf: a/other.conf } }
                steps: [ wait: 1s ]
            """
        let found = check(
            "global_defs {\n}\n", files: ["other.conf": "vrrp_instnce VI_1 {\n}\n"], more: more)
        #expect(found.diagnostics.map(\.file) == ["a/other.conf"])
    }
}
