extension Mistake {
    /// Texts that are no YAML, and YAML that is no lab file.
    static let text = [
        Mistake(
            "text that is no YAML: the place is the parser's",
            """
            name: t
            nodes: { a: { interfaces: [ } }
            """,
            """
            lab.yaml:2:29: no valid YAML: did not find expected node content (while parsing a \
            flow node, line 2)
            """),
        Mistake(
            "a tab for indentation",
            """
            name: t
            nodes:
            	a: {}
            """,
            """
            lab.yaml:3:1: no valid YAML: a tab at the beginning of a line; YAML is indented with \
            spaces
            """),
        Mistake(
            "two documents",
            """
            name: t
            nodes: { a: {} }
            ---
            name: u
            """,
            """
            lab.yaml:3:1: no valid YAML: expected a single document in the stream but found \
            another document
            """),
        Mistake(
            "an empty file",
            """
            # nothing yet
            """,
            """
            lab.yaml:1:1: the file is empty; a lab has at least a name and nodes
            """),
        Mistake(
            "a root that is no mapping",
            """
            - name: t
            """,
            """
            lab.yaml:1:1: a lab file must be a mapping, not a list
            """),
        Mistake(
            "a tag",
            """
            name: !secret t
            nodes: { a: {} }
            """,
            """
            lab.yaml:1:7: tag '!secret' means nothing here
            """),
        Mistake(
            "a key that is no text",
            """
            name: t
            nodes: { a: {}, [b]: {} }
            """,
            """
            lab.yaml:2:17: a key must be a text
            """),
        Mistake(
            "a merge of what is no mapping",
            """
            name: t
            nodes: { a: { <<: [ 1 ] } }
            """,
            """
            lab.yaml:2:21: '<<' merges mappings, not '1'
            """),
        Mistake(
            "aliases that stand for billions",
            """
            name: t
            x-1: &a [ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 ]
            x-2: &b [ *a, *a, *a, *a, *a, *a, *a, *a, *a, *a ]
            x-3: &c [ *b, *b, *b, *b, *b, *b, *b, *b, *b, *b ]
            x-4: &d [ *c, *c, *c, *c, *c, *c, *c, *c, *c, *c ]
            x-5: &e [ *d, *d, *d, *d, *d, *d, *d, *d, *d, *d ]
            x-6: &f [ *e, *e, *e, *e, *e, *e, *e, *e, *e, *e ]
            nodes: { a: *f }
            """,
            """
            lab.yaml:2:11: more than 200000 values, aliases resolved
            """),
        Mistake(
            "an alias of nothing",
            """
            name: t
            nodes: { a: *nothing }
            """,
            """
            lab.yaml:2:13: no valid YAML: found undefined alias
            """),
    ]

    /// Keys and the types of their values.
    static let keys = [
        Mistake(
            "an unknown key at the top, with what it should be",
            """
            name: t
            netwroks: { lan: { subnet: 10.0.0.0/24 } }
            nodes: { a: { interfaces: { eth0: { network: lan } } } }
            """,
            """
            lab.yaml:2:1: unknown key 'netwroks' in the lab; did you mean 'networks'?
            """),
        Mistake(
            "an unknown key that resembles nothing",
            """
            name: t
            nodes: { a: { image: debian } }
            """,
            """
            lab.yaml:2:15: unknown key 'image' in node a; known are count, interfaces, sysctls, routes, \
            gateway, environment, files, services
            """),
        Mistake(
            "unknown keys everywhere, all in one run",
            """
            name: t
            networks: { lan: { subnt: 10.0.0.0/24 } }
            nodes:
              a:
                interfaces: { eth0: { netwrok: lan } }
                routes: [ { to: default, gateway: 10.0.0.9 } ]
                files: { /etc/a: { fom: a.conf } }
                services: { web: { knd: http } }
            links: [ { endpoint: [ "a:eth1", "a:eth2" ] } ]
            scenarios:
              s:
                probes: { p: { form: a } }
                steps:
                  - stpo: a
                  - expect: { vipp: 10.0.0.100, on: a }
                  - expect: { vip: 10.0.0.100, onn: a }
                  - exec: { on: a, comand: "true" }
            """,
            """
            lab.yaml:2:20: unknown key 'subnt' in network lan; did you mean 'subnet'?
            lab.yaml:5:27: unknown key 'netwrok' in interface eth0 of node a; did you mean \
            'network'?
            lab.yaml:6:30: unknown key 'gateway' in route 1 of node a; known are to, via, dev
            lab.yaml:7:24: unknown key 'fom' in file /etc/a; did you mean 'from'?
            lab.yaml:8:24: unknown key 'knd' in service web of node a; did you mean 'kind'?
            lab.yaml:9:12: unknown key 'endpoint' in link 1; did you mean 'endpoints'?
            lab.yaml:12:20: unknown key 'form' in probe p of scenario s; did you mean 'from'?
            lab.yaml:14:9: unknown key 'stpo' in step 1 of scenario s; did you mean 'stop'?
            lab.yaml:15:19: unknown key 'vipp' in step 2 of scenario s; did you mean 'vip'?
            lab.yaml:16:36: unknown key 'onn' in step 3 of scenario s; did you mean 'on'?
            lab.yaml:17:24: unknown key 'comand' in step 4 of scenario s; did you mean 'command'?
            """),
        Mistake(
            "a duplicate key, and a mistake after it",
            """
            name: t
            nodes:
              a: {}
              b: {}
              a: { sysctls: {} }
              c: { intrefaces: {} }
            """,
            """
            lab.yaml:5:3: duplicate key 'a', first given on line 3
            lab.yaml:6:8: unknown key 'intrefaces' in node c; did you mean 'interfaces'?
            """),
        Mistake(
            "duplicate keys in one line, quoted and plain",
            """
            name: t
            nodes: { a: { environment: { X: 1, "X": 2, Y: 3, X: 4 } } }
            """,
            """
            lab.yaml:2:36: duplicate key 'X', first given on line 2
            lab.yaml:2:50: duplicate key 'X', first given on line 2
            """),
        Mistake(
            "keys that are missing",
            """
            nodes: { a: { services: { web: {} } } }
            links: [ {} ]
            scenarios: { s: {} }
            """,
            """
            lab.yaml:1:1: the lab has no 'name'
            lab.yaml:1:27: service web of node a has no 'kind'
            lab.yaml:2:10: link 1 has no 'endpoints'
            lab.yaml:3:14: scenario s has no 'steps'
            """),
        Mistake(
            "a lab without nodes",
            """
            name: t
            nodes: {}
            """,
            """
            lab.yaml:2:1: a lab needs at least one node
            """),
        Mistake(
            "sections of the wrong type",
            """
            name: [t]
            networks: [lan]
            nodes:
              a: [eth0]
              b: { interfaces: eth0, sysctls: 1, routes: x, files: x, services: [x], \
            environment: [x] }
            links: x
            scenarios: 1
            """,
            """
            lab.yaml:1:7: 'name' of the lab must be a text, not a list
            lab.yaml:2:11: networks must be a mapping from names, not a list
            lab.yaml:4:6: node a must be a mapping, not a list
            lab.yaml:5:20: interfaces of node b must be a mapping from names, not 'eth0'
            lab.yaml:5:35: sysctls of node b must be a mapping from names, not '1'
            lab.yaml:5:46: routes of node b must be a list, not 'x'
            lab.yaml:5:56: files of node b must be a mapping from names, not 'x'
            lab.yaml:5:69: services of node b must be a mapping from names, not a list
            lab.yaml:5:87: environment of node b must be a mapping from names, not a list
            lab.yaml:6:8: links must be a list, not 'x'
            lab.yaml:7:12: scenarios must be a mapping from names, not '1'
            """),
        Mistake(
            "values of the wrong type",
            """
            name: t
            networks: { lan: { subnet: [10.0.0.0/24], mtu: big } }
            nodes:
              a:
                interfaces: { eth0: { network: lan, address: { x: y } } }
                sysctls: { net.ipv4.ip_forward: [1] }
                services: { web: { kind: http, autostart: maybe, restart: [no] } }
            scenarios: { s: { steps: [ wait: 5, wait: -1s, stop: [a], expect: on a, stop ] } }
            """,
            """
            lab.yaml:2:28: 'subnet' of network lan must be a text, not a list
            lab.yaml:2:48: 'mtu' of network lan must be a number from 68 to 65535, not 'big'
            lab.yaml:5:50: 'address' of interface eth0 of node a must be a text, not a mapping
            lab.yaml:6:37: 'net.ipv4.ip_forward' of node a must be a text or a number, not a list
            lab.yaml:7:47: 'autostart' of service web of node a must be true or false, not 'maybe'
            lab.yaml:7:63: 'restart' of service web of node a must be a text, not a list
            lab.yaml:8:34: 'wait' of step 1 of scenario s must be a duration such as 10ms, 5s or \
            1m, not '5'
            lab.yaml:8:43: 'wait' of step 2 of scenario s must be a duration such as 10ms, 5s or \
            1m, not '-1s'
            lab.yaml:8:54: 'stop' of step 3 of scenario s must be a text, not a list
            lab.yaml:8:67: 'expect' of step 4 of scenario s must be a mapping, not 'on a'
            lab.yaml:8:73: step 5 of scenario s must be one of stop, start, restart, reboot, kill, \
            reload, freeze, thaw, link, plug, unplug, impair, partition, cut, limit, imposter, \
            heal, exec, edit, parallel, wait, expect with its object
            """),
    ]
}
