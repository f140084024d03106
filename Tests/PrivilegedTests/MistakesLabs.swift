// The mistaken labs of MistakesTests.

extension MistakenLab {
    static let labFiles = [
        MistakenLab(
            title: "unknown key",
            yaml: """
                nodes:
                  a: { interface: {} }
                """,
            expected: """
                lab.yaml:3:8: unknown key 'interface' in node a; did you mean 'interfaces'?
                """),
        MistakenLab(
            title: "wrong type",
            yaml: """
                networks: [ lan ]
                nodes:
                  a: { interfaces: { eth0: { mtu: large } }, services: web }
                """,
            expected: """
                lab.yaml:2:11: networks must be a mapping from names, not a list
                lab.yaml:4:35: 'mtu' of interface eth0 of node a must be a number from 68 to \
                65535, not 'large'
                lab.yaml:4:56: services of node a must be a mapping from names, not 'web'
                """),
        MistakenLab(
            title: "duplicate names",
            yaml: """
                nodes:
                  a: {}
                  a: {}
                  b: {}
                  B: {}
                """,
            expected: """
                lab.yaml:4:3: duplicate key 'a', first given on line 3
                lab.yaml:6:3: node 'B' has the name of node 'b', line 5, but for its case
                """),
        MistakenLab(
            title: "an interface name of 16 characters",
            yaml: """
                networks: { lan: { subnet: 10.0.0.0/24 } }
                nodes:
                  a: { interfaces: { abcdefghijklmnop: { network: lan } } }
                """,
            expected: """
                lab.yaml:4:22: name 'abcdefghijklmnop' of an interface has 16 bytes; Linux \
                allows 15
                """),
        MistakenLab(
            title: "a node called lo", yaml: "nodes: { lo: {} }",
            expected: """
                lab.yaml:2:10: a node cannot be called 'lo'
                """),
        MistakenLab(
            title: "overlapping subnets",
            yaml: """
                networks:
                  lan: { subnet: 10.0.0.0/8 }
                  wan: { subnet: 10.1.0.0/16 }
                nodes: { a: {} }
                """,
            expected: """
                lab.yaml:4:18: subnet 10.1.0.0/16 of network wan overlaps 10.0.0.0/8 of network \
                lan, line 3
                """),
        MistakenLab(
            title: "an address outside its subnet, and one used twice",
            yaml: """
                networks: { lan: { subnet: 10.0.0.0/24 } }
                nodes:
                  a: { interfaces: { eth0: { network: lan, address: 10.0.1.1 } } }
                  b: { interfaces: { eth0: { network: lan, address: 10.0.0.7 } } }
                  c: { interfaces: { eth0: { network: lan, address: 10.0.0.7 } } }
                """,
            expected: """
                lab.yaml:4:53: address 10.0.1.1 of a:eth0 is outside network lan, 10.0.0.0/24
                lab.yaml:6:53: address 10.0.0.7 of c:eth0 is b:eth0's, line 5
                """),
        MistakenLab(
            title: "a link to a node that does not exist",
            yaml: """
                nodes: { left: {}, right: {} }
                links:
                  - endpoints: [ "left:eth1", "rigth:eth1" ]
                """,
            expected: """
                lab.yaml:4:31: link rigth:eth1 names node 'rigth', which is not defined; did you \
                mean 'right'?
                """),
        MistakenLab(
            title: "a file that is missing",
            yaml: """
                nodes:
                  a:
                    files:
                      /etc/motd: motd
                      /etc/issue: { from: conf }
                """,
            files: ["conf/issue": "x"],
            expected: """
                lab.yaml:5:18: there is no file 'motd'
                lab.yaml:6:27: 'conf' is a folder; name its files one by one
                """),
        MistakenLab(
            title: "a YAML syntax error",
            yaml: """
                nodes:
                  a: { interfaces: { eth0: {} }
                  b: {}
                """,
            expected: """
                lab.yaml:4:3: no valid YAML: did not find expected ',' or '}' (while parsing a \
                flow mapping, line 3)
                """),
        MistakenLab(
            title: "a VRRP daemon without its configuration",
            yaml: """
                nodes:
                  a: { services: { keepalived: { kind: vrrp-agent } } }
                """,
            expected: """
                lab.yaml:3:20: service keepalived of node a reads \
                /etc/keepalived/keepalived.conf, which is not among the node's files
                """),
    ]

    /// A lab whose only node runs a VRRP daemon with that file.
    private static func conf(_ title: String, _ text: String, _ expected: String) -> MistakenLab {
        MistakenLab(
            title: title,
            yaml: """
                networks: { lan: { subnets: [ 10.10.10.0/24, "fd00:10::/64" ] } }
                nodes:
                  a:
                    interfaces: { eth0: { network: lan } }
                    files: { /etc/keepalived/keepalived.conf: conf/a.conf }
                    services: { keepalived: { kind: vrrp-agent } }
                """,
            files: ["conf/a.conf": text], expected: expected)
    }

    static let confs = [
        conf(
            "an instance without a virtual router id",
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_ipaddress {
                    10.10.10.10
                }
            }
            """,
            """
            conf/a.conf:1:15: (VI_1) the virtual router id must be set
            """),
        conf(
            "state without a value",
            """
            vrrp_instance VI_1 {
                state
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.10
                }
            }
            """,
            """
            conf/a.conf:2:5: *** Configuration line starting `state` is missing a parameter \
            after keyword `state` at word position 2
            """),
        conf(
            "an interface that the node does not have",
            """
            vrrp_instance VI_1 {
                interface ens33
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.10
                }
            }
            """,
            """
            conf/a.conf:2:15: interface ens33 for vrrp_instance VI_1 doesn't exist; node a has eth0
            """),
        conf(
            "an unknown keyword that swallows a block",
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipadress {
                    10.10.10.10
                }
            }
            """,
            """
            conf/a.conf:1:15: warning: (VI_1) No VIP specified; at least one is sensible
            conf/a.conf:4:5: Unknown keyword 'virtual_ipadress'; did you mean \
            'virtual_ipaddress'?; keepalived takes its '}' for the end of vrrp_instance VI_1
            """),
        conf(
            "a misspelled vrrp_instance",
            """
            vrrp_instnce VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.10
                }
            }
            """,
            """
            conf/a.conf:1:1: Unknown keyword 'vrrp_instnce'; did you mean 'vrrp_instance'?; \
            keepalived ignores the whole block
            """),
        conf(
            "virtual addresses that are none",
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.300
                    10.10.10.10
                    10.10.10.11/33
                }
            }
            """,
            """
            conf/a.conf:5:9: VRRP parsed invalid IP 10.10.10.300. skipping IP...; the address is \
            lost
            conf/a.conf:7:9: warning: Invalid address prefix len 33 for address 10.10.10.11/33 - \
            using 32; number '33' outside range [0, 32]
            """),
        conf(
            "a virtual address of the wrong family",
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.10
                    fd00:10::10
                }
            }
            """,
            """
            conf/a.conf:6:9: (VI_1): address family must match VRRP instance [fd00:10::10] - \
            ignoring; the address is lost; an instance for each family, or \
            virtual_ipaddress_excluded
            """),
        conf(
            "a brace that is missing: the instance after it is lost",
            """
            global_defs {
                router_id r1

            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.10
                }
            }
            """,
            """
            conf/a.conf:4:1: Unknown keyword 'vrrp_instance'; it is written inside global_defs, \
            of which the '}' is missing before it; keepalived takes its '}' for the end of \
            global_defs
            """),
        conf(
            "a brace that is missing at the end",
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.10
                }

            """,
            """
            conf/a.conf:6:5: There are 1 missing '}'s or extra '{'s; the '{' of vrrp_instance on \
            line 1 is not closed
            """),
    ]

    /// Every mistake in one lab.
    static let everything = MistakenLab(
        title: "everything",
        yaml: """
            networks:
              lan: { subnet: 10.10.10.0/24 }
              wan: { subnet: 10.10.10.128/25 }
            nodes:
              a:
                interfaces:
                  eth0: { network: lan, address: 10.10.11.1 }
                  abcdefghijklmnop: { network: lan }
                files: { /etc/keepalived/keepalived.conf: conf/a.conf }
                services: { keepalived: { kind: vrrp-agent } }
                memory: 1G
              b:
                interfaces:
                  eth0: { network: lan, address: 10.10.10.7 }
                files:
                  /etc/keepalived/keepalived.conf: conf/b.conf
                  /etc/motd: motd
                services: { keepalived: { kind: vrrp-agent } }
              c:
                interfaces:
                  eth0: { network: lan, address: 10.10.10.7 }
                services: { keepalived: { kind: keepalived } }
              lo: {}
              A: {}
              d: wrong
            links:
              - endpoints: [ "b:eth1", "e:eth1" ]
            """,
        files: [
            "conf/a.conf": """
            vrrp_instance VI_1 {
                interface eth0
                virtual_ipaddress {
                    10.10.10.10
                }
            }
            """,
            "conf/b.conf": """
            vrrp_instnce VI_1 {
                interface eth0
                virtual_router_id 51
            }
            vrrp_instance VI_2 {
                state
                interface eth0
                virtual_router_id 52
                virtual_ipaddress {
                    10.10.10.300
                }
            }
            """,
        ],
        expected: """
            conf/a.conf:1:15: (VI_1) the virtual router id must be set
            conf/b.conf:1:1: Unknown keyword 'vrrp_instnce'; did you mean 'vrrp_instance'?; \
            keepalived ignores the whole block
            conf/b.conf:5:15: warning: (VI_2) No VIP specified; at least one is sensible
            conf/b.conf:6:5: *** Configuration line starting `state` is missing a parameter \
            after keyword `state` at word position 2
            conf/b.conf:10:9: VRRP parsed invalid IP 10.10.10.300. skipping IP...; the \
            address is lost
            lab.yaml:4:18: subnet 10.10.10.128/25 of network wan overlaps 10.10.10.0/24 of \
            network lan, line 3
            lab.yaml:8:38: address 10.10.11.1 of a:eth0 is outside network lan, 10.10.10.0/24
            lab.yaml:9:7: name 'abcdefghijklmnop' of an interface has 16 bytes; Linux allows 15
            lab.yaml:12:5: unknown key 'memory' in node a; known are count, interfaces, \
            sysctls, routes, gateway, environment, files, services
            lab.yaml:18:18: there is no file 'motd'
            lab.yaml:22:38: address 10.10.10.7 of c:eth0 is b:eth0's, line 15
            lab.yaml:23:17: service keepalived of node c reads \
            /etc/keepalived/keepalived.conf, which is not among the node's files
            lab.yaml:24:3: a node cannot be called 'lo'
            lab.yaml:25:3: node 'A' has the name of node 'a', line 6, but for its case
            lab.yaml:26:6: node d must be a mapping, not 'wrong'
            lab.yaml:28:28: link e:eth1 names node 'e', which is not defined; the lab's \
            nodes are a, b, c, lo, A, d
            """)
}
