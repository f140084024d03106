extension Mistake {
    /// What joins a lab to its host.
    static let outside = [
        Mistake(
            "published ports",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24 }, bare: {} }
            nodes:
              web: { interfaces: { eth0: { network: lan } } }
              lone: { interfaces: { eth0: { network: bare } } }
            publish:
              - 8080 -> web:80
              - "8080:80"
              - 53:web:53/udp
              - "8000-8010:web:80"
              - 8080:10.0.1.1:80
              - 8080:wep:80
              - 8080:lone:80
              - 8080:web:80
              - 0.0.0.0:8080:web:81
              - 1:2:3:4:5
              - "8080:2001:db8::1:80"
              - "[::1:8080:web:80"
              - 80x:web:80
              - 80:web:0
              - there:80:web:80
              - 80::80
            """,
            """
            lab.yaml:7:5: '8080 -> web:80' is written '8080:web:80'
            lab.yaml:8:5: '8080:80' names no address in the lab: write '8080:ADDRESS:80', \
            HOST_PORT:ADDRESS:PORT, as '8080:192.168.69.100:80'
            lab.yaml:9:5: '53:web:53/udp' cannot be published: only TCP is, as \
            '8080:192.168.69.100:80'
            lab.yaml:10:5: '8000-8010' in '8000-8010:web:80' is no port from 0 to 65535; ports \
            are published one by one
            lab.yaml:11:5: address 10.0.1.1 is on no network of the lab: there is lan, 10.0.0.0/24
            lab.yaml:12:5: 'wep' is neither an address nor a node; did you mean 'web'?
            lab.yaml:13:5: node lone has no address on a network of the lab with a subnet
            lab.yaml:15:5: 0.0.0.0:8080 is published already, for 10.0.0.1:80
            lab.yaml:16:5: '1:2:3:4:5' is no [HOST_ADDRESS:]HOST_PORT:ADDRESS:PORT, as \
            '8080:192.168.69.100:80'; an IPv6 address stands in brackets
            lab.yaml:17:5: '8080:2001:db8::1:80' is no [HOST_ADDRESS:]HOST_PORT:ADDRESS:PORT, as \
            '8080:192.168.69.100:80'; an IPv6 address stands in brackets
            lab.yaml:18:5: '[::1:8080:web:80' is no [HOST_ADDRESS:]HOST_PORT:ADDRESS:PORT, as \
            '8080:192.168.69.100:80'
            lab.yaml:19:5: '80x' in '80x:web:80' is no port from 0 to 65535
            lab.yaml:20:5: '0' in '80:web:0' is no port from 1 to 65535
            lab.yaml:21:5: 'there' in 'there:80:web:80' is no address of this machine, as \
            '127.0.0.1' or '0.0.0.0' are
            lab.yaml:22:5: '80::80' names no address in the lab, as '8080:192.168.69.100:80'
            """),
        Mistake(
            "gateways of networks",
            """
            name: t
            networks:
              a: { subnet: 10.0.0.0/24, gateway: 10.0.1.1 }
              b: { subnet: 10.2.0.0/24, gateway: 10.2.0.255 }
              c: { gateway: 10.3.0.1 }
              d: { subnet: 10.4.0.0/24, gateway: there }
              e: { subnet: 10.5.0.0/24, gateway: 10.5.0.1 }
              f: { subnet: 10.6.0.0/24, gateway: 10.6.0.9 }
            nodes:
              x: { interfaces: { eth0: { network: e, address: 10.5.0.1 } } }
            publish: [ "80:10.6.0.9:80" ]
            """,
            """
            lab.yaml:3:38: gateway 10.0.1.1 of network a is outside 10.0.0.0/24
            lab.yaml:4:38: gateway 10.2.0.255 of network b is no host's address in 10.2.0.0/24
            lab.yaml:5:17: gateway 10.3.0.1 of network c is outside it: it has no subnet
            lab.yaml:6:38: 'there' is no address for the gateway of network d, as '192.0.2.254' is
            lab.yaml:7:38: gateway 10.5.0.1 of network e is x:eth0's, line 10
            lab.yaml:8:38: gateway 10.6.0.9 of network f is published, but nothing of the lab \
            listens there
            """),
        Mistake(
            "a gateway that is nobody's",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24, gateway: 10.0.0.1 } }
            nodes: { x: { interfaces: { eth0: { network: lan, address: 10.0.0.2 } } } }
            """,
            """
            lab.yaml:2:50: gateway 10.0.0.1 of network lan would be nobody's: it is for networks \
            on which something is published; nodes have a 'gateway' of their own
            """),
        Mistake(
            "a network without room for its gateway",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/30 } }
            nodes:
              x: { interfaces: { eth0: { network: lan } } }
              y: { interfaces: { eth0: { network: lan } } }
            publish: 8080:x:80
            """,
            """
            lab.yaml:2:13: subnet 10.0.0.0/30 of network lan is too small: it has no address left \
            for the network's gateway
            """),
        Mistake(
            "networks that are to get out",
            """
            name: t
            networks:
              a: { subnet: "2001:db8::/64", external: nat }
              b: { subnet: 10.1.0.0/24, external: bridge }
              c: { subnet: 10.2.0.0/24, external: { type: nat, ip-forward: maybe } }
              d: { subnet: 10.3.0.0/24, external: { type: nat, dns: [ 127.0.0.53, there ] } }
              e: { subnet: 10.4.0.0/24, external: { dns: 10.0.0.1 } }
              f: { subnet: 10.5.0.0/24, external: [ nat ] }
              g: { subnet: 10.6.0.0/24, external: { type: nat, parent: eth0 } }
            nodes: { x: {} }
            """,
            """
            lab.yaml:3:43: network a is to be NATed, which takes an IPv4 subnet
            lab.yaml:4:39: 'external' of network b is 'nat' or 'macvlan', not 'bridge'
            lab.yaml:5:64: 'ip-forward' of 'external' of network c is 'enable' or 'keep', not \
            'maybe'
            lab.yaml:6:59: '127.0.0.53' is no IPv4 address of a name server that a lab can reach
            lab.yaml:6:71: 'there' is no IPv4 address of a name server that a lab can reach
            lab.yaml:7:29: 'external' of network e has no 'type'
            lab.yaml:8:39: 'external' of network f must be a text, not a list
            lab.yaml:9:52: 'parent' of 'external' of network g is for type 'macvlan'
            """),
        Mistake(
            "networks of the host's",
            """
            name: t
            networks:
              a: { subnet: 10.0.0.0/24, external: macvlan }
              b: { subnet: 10.1.0.0/24, external: "macvlan:eth0" }
              c: { subnet: 10.2.0.0/24, external: { type: macvlan, parent: lo } }
              d: { subnet: 10.3.0.0/24, external: { type: macvlan, parent: eth0, dns: 10.0.0.1 } }
              e: { subnet: 10.4.0.0/24, external: { type: macvlan, interface: eth0 } }
            nodes: { x: {} }
            """,
            """
            lab.yaml:3:39: 'external' of network a lacks the host's interface, as in \
            '{ type: macvlan, parent: eth0 }'
            lab.yaml:4:39: 'external' of network b is written '{ type: macvlan, parent: eth0 }'
            lab.yaml:5:64: 'lo' of 'external' of network c is no interface of the host that leads \
            outside, as 'eth0' is
            lab.yaml:6:70: 'dns' of 'external' of network d is for type 'nat'
            lab.yaml:7:56: unknown key 'interface' in 'external' of network e; known are type, \
            parent, dns, ip-forward
            """),
        Mistake(
            "addresses and published ports on the host's network",
            """
            name: t
            networks: { out: { subnet: 10.0.0.0/24, external: { type: macvlan, parent: eth0 } } }
            nodes:
              x: { interfaces: { eth0: { network: out } } }
              y: { count: 3, interfaces: { eth0: { network: out } } }
              z: { interfaces: { eth0: { network: out, addresses: [] } } }
            """,
            """
            lab.yaml:4:22: x:eth0 is on network out, that of the host's eth0, where others have \
            addresses, too: write its 'address', or 'addresses: []' for none
            lab.yaml:5:32: y1:eth0 is on network out, that of the host's eth0, where others have \
            addresses, too: write its 'address', or 'addresses: []' for none
            """),
        Mistake(
            "the lab's own station on the host's network",
            """
            name: t
            networks: { out: { subnet: 10.0.0.0/24, external: { type: macvlan, parent: eth0 } } }
            nodes: { x: { interfaces: { eth0: { network: out, address: 10.0.0.9 } } } }
            publish: [ "80:x:80" ]
            """,
            """
            lab.yaml:4:12: 10.0.0.9 is on network out, that of the host's eth0, where it is \
            reached without being published
            """),
        Mistake(
            "what needs a switch of the lab's",
            """
            name: t
            networks:
              lan: { subnet: 10.1.0.0/24 }
              out: { subnet: 10.0.0.0/24, external: { type: macvlan, parent: eth0 } }
            nodes:
              x: { interfaces: { eth0: { network: out, address: 10.0.0.8 }, eth1: { network: lan } } }
              y: { interfaces: { eth0: { network: out, address: 10.0.0.9 }, eth1: { network: lan } } }
              z: { interfaces: { eth1: { network: lan } } }
            scenarios:
              s:
                steps:
                  - link: { port: "x:eth0", state: down }
                  - link: { port: "x:eth0", state: blackhole }
                  - unplug: x:eth0
                  - plug: { port: "x:eth1", network: out }
                  - impair: x:eth0 loss 10%
                  - partition: [ [ x ], [ y ] ]
                  - partition: [ [ x ], [ z ] ]
                  - cut: { from: y, to: x }
                  - imposter: out arp 10.0.0.1
                  - heal: x:eth0
            """,
            """
            lab.yaml:13:15: step 2 of scenario s: x:eth0 is a macvlan of the host's eth0, and no \
            switch of the lab's is there to lose, delay or lead away its frames: 'down' and \
            'flap' are what a link there can do
            lab.yaml:14:17: step 3 of scenario s: x:eth0 is a macvlan of the host's eth0, and no \
            switch of the lab's is there to lose, delay or lead away its frames: 'down' and \
            'flap' are what a link there can do
            lab.yaml:15:15: step 4 of scenario s: network out is that of the host's eth0 and has \
            no switch to plug a cable into
            lab.yaml:16:17: step 5 of scenario s: x:eth0 is a macvlan of the host's eth0, and no \
            switch of the lab's is there to lose, delay or lead away its frames: 'down' and \
            'flap' are what a link there can do
            lab.yaml:17:20: step 6 of scenario s: nodes x and y are both on network out, that of \
            the host's eth0, which no switch of the lab's can part
            lab.yaml:19:14: step 8 of scenario s: nodes y and x are both on network out, that of \
            the host's eth0, which no switch of the lab's can part
            lab.yaml:20:19: step 9 of scenario s: network out is that of the host's eth0, where \
            no imposter stands
            """),
    ]
}
