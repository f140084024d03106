extension Mistake {
    /// The language of scenarios.
    static let language = [
        Mistake(
            "steps that cannot be",
            """
            name: t
            nodes: { a: { services: { web: { kind: http } } }, b: {} }
            scenarios:
              s:
                steps:
                  - reload: a
                  - link: { port: a:eth0, state: down }
                  - link: { port: a, state: of }
                  - link: { port: b:eth0, state: up, direction: in }
                  - partition: [ [ a, b ] ]
                  - partition: [ [ a ], [ b, b, c ] ]
                  - heal: everything
                  - exec: { on: a, command: "true", output: { matches: "[" } }
                  - exec: { on: a, command: "true", output: {} }
                  - edit: { c: { /etc/motd: a.conf } }
                  - edit: {}
                  - parallel: [ { wait: 1s }, { expect: { vip: 10.0.0.1, on: a } } ]
                  - parallel: []
                  - { wait: 1s, at: advert(a) }
                  - { kill: a, at: advrt(a) }
                  - { kill: a, at: state(a) }
                  - { kill: a, at: advert(c) + 1s }
                  - { kill: a, at: service(a/www) = ready }
                  - impair: a:eth0 dely 10ms
                  - impair: b:eth9 delay 10ms from c
                  - { heal: all, for: 1s }
                  - imposter: lam advrt
                  - { kill: a, at: advert(imposter@lam) }
                  - kill: imposter@lan
            """,
            """
            lab.yaml:6:17: 'a' of step 1 of scenario s must be NODE/SERVICE
            lab.yaml:7:23: scenario s names interface 'eth0', which node a does not have
            lab.yaml:8:23: 'a' of step 3 of scenario s must be NODE:INTERFACE
            lab.yaml:8:33: unknown state 'of' of step 3 of scenario s; known are down, up, \
            blackhole, flap
            lab.yaml:9:23: scenario s names interface 'eth0', which node b does not have
            lab.yaml:9:42: only a blackhole has a 'direction', and step 4 of scenario s is 'up'
            lab.yaml:10:20: 'partition' of step 5 of scenario s must be at least two groups, as \
            [[a], [b, c]] is
            lab.yaml:11:34: 'partition' of step 6 of scenario s has node 'b' twice in a group
            lab.yaml:11:37: scenario s names node 'c', which is not defined; the lab's nodes are a, b
            lab.yaml:12:15: 'everything' of step 7 of scenario s must be NODE:INTERFACE
            lab.yaml:13:60: '[' of 'output' of step 8 of scenario s is no regular expression
            lab.yaml:14:49: 'output' of step 9 of scenario s has neither 'contains' nor 'matches'
            lab.yaml:15:17: scenario s names node 'c', which is not defined; the lab's nodes are a, b
            lab.yaml:16:15: 'edit' of step 11 of scenario s names no file
            lab.yaml:17:37: part 2 of step 12 of scenario s cannot be 'expect': what is done in \
            parallel are acting steps
            lab.yaml:18:19: 'parallel' of step 13 of scenario s is empty
            lab.yaml:19:21: step 14 of scenario s is 'wait', which waits for no event: 'at' \
            belongs to acting steps
            lab.yaml:20:24: 'advrt(a)' of step 15 of scenario s is not EVENT [+ DURATION]; did \
            you mean 'advert'?
            lab.yaml:21:24: 'state(a)' of step 16 of scenario s is not EVENT [+ DURATION]; as in \
            state(NODE) = MASTER
            lab.yaml:22:24: scenario s names node 'c', which is not defined; the lab's nodes are a, b
            lab.yaml:23:24: scenario s names service 'www', which node a does not have; it \
            has web
            lab.yaml:24:17: 'impair' of step 19 of scenario s: unknown word 'dely'; did you mean \
            'delay'?
            lab.yaml:24:17: scenario s names interface 'eth0', which node a does not have
            lab.yaml:25:17: scenario s names interface 'eth9', which node b does not have
            lab.yaml:25:17: scenario s names node 'c', which is not defined; the lab's nodes are a, b
            lab.yaml:26:22: step 21 of scenario s is nothing that 'for' could take back: it belongs \
            to stop, kill, freeze, link down, blackhole and flap, plug, unplug, impair, partition, cut, \
            imposter and limit
            lab.yaml:27:19: 'imposter' of step 22 of scenario s: unknown word 'advrt'; did you mean \
            'advert'?
            lab.yaml:27:19: scenario s names network 'lam', which is not defined
            lab.yaml:28:24: scenario s names network 'lam', which is not defined
            lab.yaml:29:15: scenario s names node 'imposter@lan', which is not defined; the lab's \
            nodes are a, b
            """),
        Mistake(
            "faults of the network that cannot be",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24 }, dmz: { subnet: 10.0.1.0/24 } }
            nodes:
              a: { interfaces: { eth0: { network: lan } } }
              b: { interfaces: { eth0: { network: lan } } }
            scenarios:
              s:
                steps:
                  - link: { port: "a:eth0", state: down, duty: 50% }
                  - link: { port: "a:eth0", state: flap, duty: 50, period: 0s }
                  - link: { port: "a:eth0", state: flap, duty: 100% }
                  - link: { port: "a:eth0", state: flap, count: 0 }
                  - plug: { port: "a:eth0", network: dnz }
                  - plug: { port: "a:eth0" }
                  - plug: lan
                  - unplug: "a:eth1"
                  - partition: half
                  - partition: ring
                  - partition: { shape: halves, isolate: a }
                  - partition: { isolate: [ a, b ] }
                  - partition: { bridge: c }
                  - partition: { shape: halves, network: dmz }
                  - partition: { shape: halves, network: wan }
                  - cut: { from: a }
                  - cut: { from: a, to: [ b, a ] }
                  - cut: { from: [], to: c }
                  - { plug: "a:eth0", for: 1s }
                  - { cut: none, for: 1s }
            """,
            """
            lab.yaml:9:46: only a flapping cable has a 'duty', and step 1 of scenario s is 'down'
            lab.yaml:10:52: '50' of step 2 of scenario s is no share, as 50% is
            lab.yaml:10:64: 'period' of step 2 of scenario s must be a duration such as 10ms, 5s \
            or 1m, not '0s'
            lab.yaml:11:52: step 3 of scenario s: the duty is the share of a period in which the \
            cable is down, more than 0% and less than 100%
            lab.yaml:12:53: 'count' of step 4 of scenario s must be a number from 1 to 1000000, \
            not '0'
            lab.yaml:13:42: scenario s names network 'dnz', which is not defined; did you mean \
            'dmz'?
            lab.yaml:14:9: step 6 of scenario s has no 'network'
            lab.yaml:15:15: 'lan' of step 7 of scenario s must be NODE:INTERFACE
            lab.yaml:16:17: scenario s names interface 'eth1', which node a does not have; did \
            you mean 'eth0'?
            lab.yaml:17:20: 'half' of step 9 of scenario s is no shape of a partition; known \
            are halves, isolate, ring, bridge
            lab.yaml:18:20: 'partition' of step 10 of scenario s: a ring of majorities takes at \
            least 4 nodes, not a, b
            lab.yaml:19:20: 'partition' of step 11 of scenario s has one of 'shape' (halves or \
            ring), 'isolate' and 'bridge'
            lab.yaml:20:31: 'partition' of step 12 of scenario s: 'isolate' names every node: \
            nobody is left to be cut off from
            lab.yaml:21:30: scenario s names node 'c', which is not defined; the lab's nodes are a, b
            lab.yaml:22:29: 'partition' of step 14 of scenario s: halves takes at least 2 nodes, \
            not none
            lab.yaml:23:46: scenario s names network 'wan', which is not defined; did you mean \
            'lan'?
            lab.yaml:24:9: step 16 of scenario s has no 'to'
            lab.yaml:25:34: 'cut' of step 17 of scenario s has node 'a' on both sides
            lab.yaml:26:22: 'from' of step 18 of scenario s names no node
            lab.yaml:26:30: scenario s names node 'c', which is not defined; the lab's nodes are a, b
            lab.yaml:27:27: step 19 of scenario s is nothing that 'for' could take back: it belongs \
            to stop, kill, freeze, link down, blackhole and flap, plug, unplug, impair, partition, cut, \
            imposter and limit
            lab.yaml:28:22: step 20 of scenario s is nothing that 'for' could take back: it belongs \
            to stop, kill, freeze, link down, blackhole and flap, plug, unplug, impair, partition, cut, \
            imposter and limit
            """),
        Mistake(
            "expectations that cannot be",
            """
            name: t
            nodes: { a: { services: { web: { kind: http } } } }
            scenarios:
              s:
                probes: { web: { from: a, ping: 10.0.0.1 } }
                steps:
                  - expect: { state: Master, on: a }
                  - expect: { state: MASTER }
                  - expect: { tcp: 10.0.0.1, from: a, outcome: denied }
                  - expect: { http: "http://10.0.0.1/", from: a, body: x, status: 200 }
                  - expect: { ping: router, from: a }
                  - expect: { log: a, contains: x }
                  - expect: { log: a/web }
                  - expect: { log: a/web, contains: x, matches: y }
                  - expect: { sequence: [ vip on a, gard from a ] }
                  - expect: { sequence: [] }
                  - expect: { latency: web }
                  - expect: { latency: wbe, p99: 5 }
                  - expect: { neighbour: 10.0.0.1, of: a, is: c }
                  - expect: { adverts: { from: a, priority: 256 }, count: 1, at-least: 1 }
                  - expect: { adverts: { from: a } }
                  - expect: { adverts: { from: a }, at-least: 3, at-most: 2 }
                  - expect: { ip: addr, on: a, path: "a..b", equals: [] }
                  - expect: { mail: a/web, to: root }
                  - expect: { mail: a, contains: x }
            """,
            """
            lab.yaml:7:26: unknown state 'Master' of step 1 of scenario s; did you mean 'MASTER'?
            lab.yaml:8:17: step 2 of scenario s has no 'on'
            lab.yaml:9:24: 'tcp' of step 3 of scenario s must be an address with a port, as \
            '192.0.2.1:80' or '[2001:db8::1]:80' are, not '10.0.0.1'
            lab.yaml:9:52: unknown outcome 'denied' of step 3 of scenario s; known are ok, \
            refused, timed-out, unreachable
            lab.yaml:10:63: step 4 of scenario s has both 'body' and 'status'; write one
            lab.yaml:11:25: ping 'router' of step 5 of scenario s is no address, as '192.0.2.1' \
            is (without a prefix length)
            lab.yaml:12:24: 'a' of step 6 of scenario s must be NODE/SERVICE
            lab.yaml:13:17: step 7 of scenario s has neither 'contains' nor 'matches'
            lab.yaml:14:44: step 8 of scenario s has both 'contains' and 'matches'; write one
            lab.yaml:15:41: 'gard from a' of step 9 of scenario s is not an event; did you mean \
            'garp'?
            lab.yaml:16:29: 'sequence' of step 10 of scenario s is empty
            lab.yaml:17:19: step 11 of scenario s has none of 'p50', 'p90', 'p99', 'p999', 'max'
            lab.yaml:18:28: scenario s names probe 'wbe', which it does not have; did you mean \
            'web'?
            lab.yaml:18:38: 'p99' of step 12 of scenario s must be a duration such as 10ms, 5s or \
            1m, not '5'
            lab.yaml:19:51: scenario s names node 'c', which is not defined; the lab's nodes are a
            lab.yaml:20:49: 'priority' of 'adverts' of step 14 of scenario s must be a number from \
            0 to 255, not '256'
            lab.yaml:20:56: step 14 of scenario s has both 'count' and 'at-least'; write one
            lab.yaml:21:17: step 15 of scenario s has none of 'count', 'at-least', 'at-most'
            lab.yaml:22:41: 'at-least' of step 16 of scenario s is more than its 'at-most'
            lab.yaml:23:42: 'path' of step 17 of scenario s must be as in [0].addr_info[0].local, \
            not 'a..b'
            lab.yaml:23:58: 'equals' of step 17 of scenario s must be a text, not a list
            lab.yaml:24:25: step 18 of scenario s asks a/web for mail, which is of kind http; a \
            service of kind smtp takes mail
            lab.yaml:25:25: 'a' of step 19 of scenario s must be NODE/SERVICE
            """),
        Mistake(
            "probes, checks, needs and sweeps that cannot be",
            """
            name: t
            nodes: { a: {} }
            scenarios:
              s:
                needs: [ cgroup, netem ]
                probes:
                  one: { from: a }
                  two: { from: a, ping: 10.0.0.1, tcp: "10.0.0.1:1" }
                  three: { from: a, ping: 10.0.0.1, keep: open }
                  four: { from: a, tcp: "10.0.0.1:1", keep: shut }
                checks:
                  - one-owner: { vip: 10.0.0.1, overlap: long }
                  - owned: { vip: 10.0.0.1 }
                  - priority: { of: c, from: 100, to: 90 }
                  - dead-are-silent: false
                  - survives: five
                  - on-owner: 10.0.0.1
                  - { owned: 1, survives: one }
                steps: [ wait: 1s ]
                sweep: { over: 0ms..900ms, by: 100ms }
              t:
                steps: [ { kill: a, at: advert(a) } ]
                sweep: { over: 900ms..0ms, by: 100ms }
              u:
                steps: [ { kill: a, at: advert(a) } ]
                sweep: { over: 0ms..2s, by: 1ms }
            """,
            """
            lab.yaml:5:14: scenario s needs 'cgroup', which nobody knows; did you mean 'cgroup2'?
            lab.yaml:7:7: probe one of scenario s asks nothing: give it one of 'http', 'tcp', \
            'udp', 'ping', 'arp'
            lab.yaml:8:23: probe two of scenario s has both 'tcp' and 'ping'; write two probes
            lab.yaml:9:41: probe three of scenario s has no connection that could be kept open; \
            'http' and 'tcp' have one
            lab.yaml:10:49: 'keep' of probe four of scenario s can only be 'open', for one \
            connection of all requests; it is 'shut'
            lab.yaml:12:46: 'overlap' of check 1 of scenario s must be a duration such as 10ms, 5s \
            or 1m, not 'long'
            lab.yaml:13:9: check 2 of scenario s has no 'gap'
            lab.yaml:14:25: scenario s names node 'c', which is not defined; the lab's nodes are a
            lab.yaml:14:34: 'from' of check 3 of scenario s is more than its 'to'
            lab.yaml:15:26: 'dead-are-silent' of check 4 of scenario s can only be true; leave it \
            out otherwise
            lab.yaml:16:19: scenario s names probe 'five', which it does not have; it has one, \
            two, three, four
            lab.yaml:17:9: unknown key 'on-owner' in check 6 of scenario s; did you mean \
            'one-owner'?
            lab.yaml:18:9: check 7 of scenario s must be one of one-owner, owned, adverts, \
            dead-are-silent, priority, no-duplicate-address, survives, owners-agree, \
            able-take-over
            lab.yaml:20:5: scenario s has no 'at:' that a sweep could move
            lab.yaml:23:20: 'over' of sweep of scenario t must be two durations as in \
            0ms..900ms, not '900ms..0ms'
            lab.yaml:26:5: sweep of scenario u makes 2001 runs; 1000 is the most
            """),
    ]
}
