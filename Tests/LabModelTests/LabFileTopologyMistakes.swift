extension Mistake {
    /// Names, networks, addresses, links and routes.
    static let topology = [
        Mistake(
            "a lab's name",
            """
            name: My Lab
            nodes: { a: {} }
            """,
            """
            lab.yaml:1:7: lab name 'My Lab' must be 1 to 32 of a-z, 0-9 and '-', beginning with \
            a letter or digit
            """),
        Mistake(
            "nodes' names",
            """
            name: t
            nodes: { lo: {}, host: {}, localhost: {}, a_b: {}, -a: {}, "10": {}, \
            abcdefghijklmnopqrstuvwxyz-0123456: {}, R1: {}, r1: {} }
            """,
            """
            lab.yaml:2:10: a node cannot be called 'lo'
            lab.yaml:2:18: a node cannot be called 'host'
            lab.yaml:2:28: a node cannot be called 'localhost'
            lab.yaml:2:43: node name 'a_b' must be 1 to 32 letters, digits and inner '-', with a \
            letter among them
            lab.yaml:2:52: node name '-a' must be 1 to 32 letters, digits and inner '-', with a \
            letter among them
            lab.yaml:2:60: node name '10' must be 1 to 32 letters, digits and inner '-', with a \
            letter among them
            lab.yaml:2:70: node name 'abcdefghijklmnopqrstuvwxyz-0123456' must be 1 to 32 \
            letters, digits and inner '-', with a letter among them
            lab.yaml:2:118: node 'r1' has the name of node 'R1', line 2, but for its case
            """),
        Mistake(
            "an interface name of sixteen characters, also used by a link",
            """
            name: t
            nodes:
              a: { interfaces: { abcdefghijklmnop: { mtu: 1400 }, "eth:0": {}, lo: {} } }
              b: {}
            links: [ { endpoints: [ "a:abcdefghijklmnop", "b:eth1" ] } ]
            """,
            """
            lab.yaml:3:22: name 'abcdefghijklmnop' of an interface has 16 bytes; Linux allows 15
            lab.yaml:3:55: an interface cannot be called 'eth:0'; Linux allows no '/', ':', '%' \
            or white space in a device's name
            lab.yaml:3:68: an interface cannot be called 'lo'
            """),
        Mistake(
            "networks' names",
            """
            name: t
            networks: { a-very-long-network: {}, all: {} }
            nodes: { a: { interfaces: { eth0: { network: a-very-long-network } } } }
            """,
            """
            lab.yaml:2:13: name 'a-very-long-network' of a network has 19 bytes; Linux allows 15
            lab.yaml:2:38: a network cannot be called 'all'
            """),
        Mistake(
            "overlapping subnets",
            """
            name: t
            networks:
              lan: { subnet: 10.0.0.0/24 }
              wan: { subnet: 10.0.0.128/25 }
              six: { subnets: [ 2001:db8::/64, 2001:db8::/48 ] }
            nodes: { a: {} }
            """,
            """
            lab.yaml:4:18: subnet 10.0.0.128/25 of network wan overlaps 10.0.0.0/24 of network \
            lan, line 3
            lab.yaml:5:36: subnet 2001:db8::/48 of network six overlaps 2001:db8::/64 of network \
            six, line 5
            """),
        Mistake(
            "subnets that are none",
            """
            name: t
            networks:
              a: { subnet: 10.0.0.1/24 }
              b: { subnet: 10.0.0.0 }
              c: { subnet: lan }
              d: { subnet: 224.0.0.0/24 }
              e: { subnet: 127.0.0.0/8 }
              f: { subnet: "fe80::/64" }
              g: { subnet: 10.1.0.0/24, subnets: [ 10.2.0.0/24 ] }
              h: { subnet: 10.3.0.0/33 }
            nodes: { x: {} }
            """,
            """
            lab.yaml:3:16: subnet '10.0.0.1/24' has bits set after its prefix; the network is \
            '10.0.0.0/24'
            lab.yaml:4:16: subnet '10.0.0.0' has no prefix length, as in '10.0.0.0/24'
            lab.yaml:5:16: 'lan' is no subnet, as '192.0.2.0/24' or '2001:db8::/64' are
            lab.yaml:6:16: subnet 224.0.0.0/24 is multicast
            lab.yaml:7:16: subnet 127.0.0.0/8 belongs to the loopback device
            lab.yaml:8:16: subnet fe80::/64 is link-local, which every interface has
            lab.yaml:9:29: network g has both 'subnet' and 'subnets'; write one
            lab.yaml:10:16: '10.3.0.0/33' is no subnet, as '192.0.2.0/24' or '2001:db8::/64' are
            """),
        Mistake(
            "an MTU out of range, and one too small for IPv6",
            """
            name: t
            networks:
              lan: { subnet: 10.0.0.0/24, mtu: 67 }
              six: { subnet: "2001:db8::/64", mtu: 1000 }
              dual: { subnets: [ 10.0.1.0/24, "2001:db8:1::/64" ] }
            nodes:
              a: { interfaces: { eth0: { network: lan, mtu: 65536 } } }
              b: { interfaces: { eth0: { network: dual, mtu: 1279 } } }
            """,
            """
            lab.yaml:3:36: 'mtu' of network lan must be a number from 68 to 65535, not '67'
            lab.yaml:4:40: mtu 1000 of network six is too small for IPv6 (2001:db8::/64), which \
            needs 1280
            lab.yaml:7:49: 'mtu' of interface eth0 of node a must be a number from 68 to 65535, \
            not '65536'
            lab.yaml:8:50: mtu 1279 of b:eth0 is too small for IPv6 (2001:db8:1::/64), which \
            needs 1280
            """),
        Mistake(
            "an address outside its subnet, and one of no family the network has",
            """
            name: t
            networks: { lan: { subnet: 192.168.69.0/24 } }
            nodes:
              a: { interfaces: { eth0: { network: lan, address: 192.168.70.10 } } }
              b: { interfaces: { eth0: { network: lan, address: "2001:db8::1" } } }
            """,
            """
            lab.yaml:4:53: address 192.168.70.10 of a:eth0 is outside network lan, 192.168.69.0/24
            lab.yaml:5:53: address 2001:db8::1 of b:eth0 is outside network lan, 192.168.69.0/24
            """),
        Mistake(
            "an address used twice",
            """
            name: t
            networks: { lan: { subnet: 192.168.69.0/24 } }
            nodes:
              a: { interfaces: { eth0: { network: lan, address: 192.168.69.10 } } }
              b: { interfaces: { eth0: { network: lan, address: 192.168.69.10 } } }
            """,
            """
            lab.yaml:5:53: address 192.168.69.10 of b:eth0 is a:eth0's, line 4
            """),
        Mistake(
            "the network's and the broadcast address",
            """
            name: t
            networks: { lan: { subnets: [ 192.168.69.0/24, "2001:db8::/64" ] } }
            nodes:
              a: { interfaces: { eth0: { network: lan, address: 192.168.69.0 } } }
              b: { interfaces: { eth0: { network: lan, address: 192.168.69.255 } } }
              c: { interfaces: { eth0: { network: lan, address: "2001:db8::" } } }
            """,
            """
            lab.yaml:4:53: address 192.168.69.0 of a:eth0 is the network's own in 192.168.69.0/24
            lab.yaml:5:53: address 192.168.69.255 of b:eth0 is the broadcast address of \
            192.168.69.0/24
            lab.yaml:6:53: address 2001:db8:: of c:eth0 is the anycast address of \
            2001:db8::/64's routers (RFC 4291 §2.6.1)
            """),
        Mistake(
            "addresses that no interface can have",
            """
            name: t
            networks: { lan: { subnet: 192.168.69.0/24 } }
            nodes:
              a: { interfaces: { eth0: { network: lan, address: 192.168.69 } } }
              b: { interfaces: { eth0: { network: lan, address: 224.0.0.18 } } }
              c: { interfaces: { eth0: { network: lan, address: 127.0.0.1 } } }
              d: { interfaces: { eth0: { network: lan, address: 192.168.69.7/16 } } }
              e: { interfaces: { eth0: { network: lan, address: 192.168.69.8, addresses: [] } } }
            """,
            """
            lab.yaml:4:53: '192.168.69' is no address, as '192.0.2.1' or '2001:db8::1' are
            lab.yaml:5:53: '224.0.0.18' cannot be an interface's address; it is a multicast \
            address
            lab.yaml:6:53: '127.0.0.1' cannot be an interface's address; it is reserved
            lab.yaml:7:53: address 192.168.69.7/16 of d:eth0 has another prefix length than its \
            subnet 192.168.69.0/24; leave it out
            lab.yaml:8:67: interface eth0 of node e has both 'address' and 'addresses'; write one
            """),
        Mistake(
            "an address on a network without subnets",
            """
            name: t
            networks: { lan: {} }
            nodes: { a: { interfaces: { eth0: { network: lan, address: 10.0.0.1 } } } }
            """,
            """
            lab.yaml:3:60: network lan has no subnet, so address 10.0.0.1 of a:eth0 needs its \
            prefix length
            """),
        Mistake(
            "a subnet with too few addresses",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/30 } }
            nodes:
              a: { interfaces: { eth0: { network: lan } } }
              b: { interfaces: { eth0: { network: lan } } }
              c: { interfaces: { eth0: { network: lan } } }
              d: { interfaces: { eth0: { network: lan } } }
            """,
            """
            lab.yaml:2:28: subnet 10.0.0.0/30 of network lan is too small: it has no address \
            left for 2 of its interfaces
            """),
        Mistake(
            "MAC addresses",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes:
              a: { interfaces: { eth0: { network: lan, mac: "01:00:5e:00:00:12" } } }
              b: { interfaces: { eth0: { network: lan, mac: "00:00:00:00:00:00" } } }
              c: { interfaces: { eth0: { network: lan, mac: 02-00-00-00-00-01 } } }
              d: { interfaces: { eth0: { network: lan, mac: "02:00:00:00:00:01" } } }
              e: { interfaces: { eth0: { network: lan, mac: "02:00:00:00:00:01" } } }
            """,
            """
            lab.yaml:4:49: MAC address 01:00:5e:00:00:12 of interface eth0 of node a is a \
            multicast address; the first octet must be even
            lab.yaml:5:49: MAC address 00:00:00:00:00:00 of interface eth0 of node b is nobody's
            lab.yaml:6:49: '02-00-00-00-00-01' is no MAC address, as '02:00:00:00:00:01' is
            lab.yaml:8:49: MAC address 02:00:00:00:00:01 of e:eth0 is d:eth0's, line 7
            """),
        Mistake(
            "a network that is not defined, and an interface without any",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24 }, wan: { subnet: 10.0.1.0/24 } }
            nodes:
              a: { interfaces: { eth0: { network: lna }, eth1: { network: internet }, eth2: {} } }
            """,
            """
            lab.yaml:4:39: interface a:eth0 names network 'lna', which is not defined; did you \
            mean 'lan'?
            lab.yaml:4:63: interface a:eth1 names network 'internet', which is not defined; the \
            lab's networks are lan, wan
            lab.yaml:4:75: interface a:eth2 has no 'network' and is no end of a link
            """),
        Mistake(
            "links to what does not exist",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes:
              master: { interfaces: { eth0: { network: lan }, eth1: {} } }
              slave: {}
            links:
              - endpoints: [ "mastr:eth1", "slave:eth1" ]
              - endpoints: [ "master:eth0", "slave:eth2" ]
              - endpoints: [ "slave:eth1", "master:eth3" ]
              - endpoints: [ "slave:eth4" ]
              - endpoints: [ slave, "master:eth5" ]
            """,
            """
            lab.yaml:7:18: link mastr:eth1 names node 'mastr', which is not defined; did you \
            mean 'master'?
            lab.yaml:8:18: master:eth0 is plugged into network lan already, line 4
            lab.yaml:9:18: slave:eth1 is an end of link 1 already
            lab.yaml:10:16: 'endpoints' of link 4 must be two, as [ "a:eth1", "b:eth1" ]
            lab.yaml:11:18: endpoint 'slave' of link 5 must be NODE:INTERFACE
            """),
        Mistake(
            "addresses of links",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes: { a: { interfaces: { eth3: { address: 10.2.0.1/30 } } }, b: {} }
            links:
              - { endpoints: [ "a:eth1", "b:eth1" ], addresses: [ 10.1.0.1, 10.1.0.3/30 ] }
              - { endpoints: [ "a:eth2", "b:eth2" ], addresses: [ 10.0.0.1/30, 10.4.0.2/30 ] }
              - { endpoints: [ "a:eth3", "b:eth3" ], addresses: [ 10.2.0.1/30, 10.2.0.2/30 ] }
              - { endpoints: [ "a:eth4", "b:eth4" ], addresses: 10.3.0.1/30 }
            """,
            """
            lab.yaml:5:55: address 10.1.0.1 of a:eth1, the end of a link, needs its prefix \
            length, as '10.1.0.1/30'
            lab.yaml:5:65: address 10.1.0.3 of b:eth1 is the broadcast address of 10.1.0.0/30
            lab.yaml:6:55: address 10.0.0.1/30 of a:eth2, the end of a link, overlaps \
            10.0.0.0/24 of network lan, line 2
            lab.yaml:7:20: a:eth3 has addresses in the link and on line 3
            lab.yaml:8:53: 'addresses' of link 4 must be two, one for each endpoint, as [ \
            192.0.2.1/30, 192.0.2.2/30 ]
            """),
        Mistake(
            "routes and gateways",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes:
              a:
                interfaces: { eth0: { network: lan, address: 10.0.0.1 } }
                gateway: 10.0.0.3
                routes:
                  - { to: 10.1.0.0/16 }
                  - { to: 10.2.0.0/16, via: 10.0.0.1 }
                  - { to: 10.3.0.0/16, dev: eht0 }
                  - { to: "2001:db8::/32", via: 10.0.0.2 }
                  - { to: 10.4.0.0/16, via: "fe80::1" }
                  - { to: 10.5.0.1/16, via: 10.0.0.2 }
                  - { to: 10.6.0.0/16, via: nowhere }
                  - { to: default, via: 10.0.0.2 }
              b: { interfaces: { eth0: { network: lan } }, gateway: 10.0.9.1 }
            """,
            """
            lab.yaml:8:9: route 1 of node a has neither 'via' nor 'dev'
            lab.yaml:9:33: gateway 10.0.0.1 is node a's own address
            lab.yaml:10:33: route to 10.3.0.0/16 names interface 'eht0', which node a does not \
            have; did you mean 'eth0'?
            lab.yaml:11:37: gateway 10.0.0.2 is of another address family than 2001:db8::/32
            lab.yaml:12:33: gateway fe80::1 is of another address family than 10.4.0.0/16
            lab.yaml:13:15: destination '10.5.0.1/16' has bits set after its prefix; the network \
            is '10.5.0.0/16'
            lab.yaml:14:33: gateway 'nowhere' of route 7 of node a is no address of a router
            lab.yaml:15:9: node a has two routes to default
            lab.yaml:16:57: gateway 10.0.9.1 is on no network of node b
            """),
    ]
}
