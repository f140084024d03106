extension Mistake {
    /// What nodes have beside their interfaces.
    static let nodes = [
        Mistake(
            "sysctls that are none, or the host's",
            """
            name: t
            nodes:
              a:
                sysctls:
                  net/ipv4/ip_forward: 1
                  vm.swappiness: 0
                  net.ipv4: 1
                  net..ip_forward: 1
                  net.ipv4.//.//.vm: 1
                  kernel.hostname: x
            """,
            """
            lab.yaml:5:7: sysctl 'net/ipv4/ip_forward' is written with dots: 'net.ipv4.ip_forward'
            lab.yaml:6:7: sysctl 'vm.swappiness' cannot be set in a node, which has net.*, \
            fs.mqueue.* and the kernel.* of System V IPC for itself
            lab.yaml:7:7: 'net.ipv4' is no sysctl, as 'net.ipv4.ip_forward' is
            lab.yaml:8:7: 'net..ip_forward' is no sysctl, as 'net.ipv4.ip_forward' is
            lab.yaml:9:7: 'net.ipv4.//.//.vm' is no sysctl, as 'net.ipv4.ip_forward' is
            lab.yaml:10:7: sysctl 'kernel.hostname' cannot be set in a node, which has net.*, \
            fs.mqueue.* and the kernel.* of System V IPC for itself
            """),
        Mistake(
            "environment",
            """
            name: t
            nodes: { a: { environment: { 1X: a, PATH-X: b, Y: [c] } } }
            """,
            """
            lab.yaml:2:30: environment variable '1X' must be letters, digits and '_', not \
            beginning with a digit
            lab.yaml:2:37: environment variable 'PATH-X' must be letters, digits and '_', not \
            beginning with a digit
            lab.yaml:2:51: 'Y' of node a must be a text or a number, not a list
            """),
        Mistake(
            "files",
            """
            name: t
            nodes:
              a:
                files:
                  /etc/one: missing.conf
                  /etc/two: folder
                  /etc/three: { from: secret }
                  etc/four: a.conf
                  /etc/../five: a.conf
                  /usr/bin/six: a.conf
                  /etc/seven: { from: a.conf, text: x }
                  /etc/eight: {}
                  /etc/nine: { text: x, mode: 0999, owner: "a b" }
                  /etc/nine/ten: a.conf
                  /etc/eleven: [a.conf]
            """,
            """
            lab.yaml:5:17: there is no file 'missing.conf'
            lab.yaml:6:17: 'folder' is a folder; name its files one by one
            lab.yaml:7:27: 'secret' cannot be read: permission denied
            lab.yaml:8:7: 'etc/four' must be a whole path in the node, as '/etc/motd' is, \
            without '..'
            lab.yaml:9:7: '/etc/../five' must be a whole path in the node, as '/etc/motd' is, \
            without '..'
            lab.yaml:10:7: '/usr/bin/six' cannot be laid into a node; its /usr is the host's, \
            read-only
            lab.yaml:11:35: file /etc/seven has both 'from' and 'text'; write one
            lab.yaml:12:7: file /etc/eight has neither 'from' nor 'text'
            lab.yaml:13:35: 'mode' of file /etc/nine must be octal, as "0644" is, not '0999'
            lab.yaml:13:48: 'owner' of file /etc/nine must be a name or number, not 'a b'
            lab.yaml:14:7: '/etc/nine/ten' lies in '/etc/nine', which is a file as well
            lab.yaml:15:20: file /etc/eleven must be a mapping, not a list
            """),
        Mistake(
            "services",
            """
            name: t
            nodes:
              a:
                services:
                  one: { kind: htpp }
                  two: { kind: nginx }
                  three: { kind: command }
                  four: { kind: command, command: sleep 1, arguments: [x] }
                  five: { kind: http, command: httpd }
                  six: { kind: http, config: /etc/x }
                  seven: { kind: command, command: "sleep 1 | cat" }
                  eight: { kind: command, command: "sleep '1" }
                  nine: { kind: command, command: [] }
                  ten: { kind: http, restart: allways }
                  eleven: { kind: http, ready: soon }
                  twelve: { kind: http, ready: { prot: 80 } }
                  thirteen: { kind: http, ready: { port: 0 } }
                  "a/b": { kind: http }
            """,
            """
            lab.yaml:5:20: unknown kind 'htpp' of service one of node a; did you mean 'http'?
            lab.yaml:6:20: unknown kind 'nginx' of service two of node a; known are http, echo, \
            smtp, vrrp-agent, keepalived, frr, command
            lab.yaml:7:7: service three of node a is of kind command and has no 'command'
            lab.yaml:8:48: service four of node a is of kind command; its arguments belong into \
            'command'
            lab.yaml:9:27: service five of node a is of kind http, which brings its own command; \
            further ones are 'arguments'
            lab.yaml:10:26: service six of node a is of kind http, which reads no 'config'
            lab.yaml:11:40: '|' in 'command' of service seven of node a needs a shell; write \
            [sh, -c, '...'], or quote it
            lab.yaml:12:40: a quote in 'command' of service eight of node a is not closed
            lab.yaml:13:39: 'command' of service nine of node a is empty
            lab.yaml:14:35: unknown restart policy 'allways' of service ten of node a; did you \
            mean 'always'?
            lab.yaml:15:36: 'ready' of service eleven of node a must be started, notify, daemon, { \
            port: NUMBER }, { file: PATH }, { pid-file: PATH } or { command: [...] }, not 'soon'
            lab.yaml:16:38: unknown key 'prot' in 'ready' of service twelve of node a; did you \
            mean 'port'?
            lab.yaml:17:46: 'port' of 'ready' of service thirteen of node a must be a number \
            from 1 to 65535, not '0'
            lab.yaml:18:7: service name 'a/b' must be 1 to 64 letters, digits, '-', '_', '@' and \
            '.', not beginning with '-' or '.'
            """),
        Mistake(
            "a VRRP daemon without its configuration; a warning where it is started later",
            """
            name: t
            nodes:
              a: { services: { keepalived: { kind: vrrp-agent } } }
              b: { services: { keepalived: { kind: vrrp-agent, autostart: false } } }
              c: { services: { keepalived: { kind: vrrp-agent, config: /etc/c.conf } } }
              d: { services: { keepalived: { kind: vrrp-agent } } }
            scenarios:
              one:
                files:
                  c: { /etc/c.conf: a.conf }
                  d: { /etc/keepalived/keepalived.conf: a.conf }
                steps: [ wait: 1s ]
              two:
                files: { d: { /etc/keepalived/keepalived.conf: a.conf } }
                steps: [ wait: 1s ]
            """,
            """
            lab.yaml:3:20: service keepalived of node a reads /etc/keepalived/keepalived.conf, \
            which is not among the node's files
            lab.yaml:4:20: warning: service keepalived of node b reads \
            /etc/keepalived/keepalived.conf, which is not among the node's files
            lab.yaml:5:20: service keepalived of node c reads /etc/c.conf, which is not among \
            the node's files
            """),
    ]

    /// Scenarios, and mistakes that could lead to others.
    static let scenarios = [
        Mistake(
            "scenarios that name what is not there",
            """
            name: t
            nodes:
              master: { services: { httpd: { kind: http } } }
              slave: {}
            scenarios:
              s:
                files: { slvae: { /etc/a: a.conf } }
                probes: { web: { from: cleint, http: "http://10.0.0.100/" } }
                steps:
                  - stop: mastr
                  - stop: master/http
                  - kill: slave/httpd
                  - stop: master/
                  - exec: { on: salve, command: "true" }
                  - expect: { vip: 10.0.0.100, on: [ master, slvae ] }
                  - expect: { http: "http://10.0.0.100/", from: nobody }
                  - expect: { outage: wbe, at-most: 1s }
              t:
                steps:
                  - expect: { outage: web, at-most: 1s }
            """,
            """
            lab.yaml:7:14: scenario s names node 'slvae', which is not defined; did you mean \
            'slave'?
            lab.yaml:8:28: scenario s names node 'cleint', which is not defined; the lab's nodes \
            are master, slave
            lab.yaml:10:15: scenario s names node 'mastr', which is not defined; did you mean \
            'master'?
            lab.yaml:11:15: scenario s names service 'http', which node master does not have; \
            did you mean 'httpd'?
            lab.yaml:12:15: scenario s names service 'httpd', which node slave does not have
            lab.yaml:13:15: 'master/' of step 4 of scenario s must be NODE or NODE/SERVICE
            lab.yaml:14:21: scenario s names node 'salve', which is not defined; did you mean \
            'slave'?
            lab.yaml:15:50: scenario s names node 'slvae', which is not defined; did you mean \
            'slave'?
            lab.yaml:16:53: scenario s names node 'nobody', which is not defined; the lab's \
            nodes are master, slave
            lab.yaml:17:27: scenario s names probe 'wbe', which it does not have; did you mean \
            'web'?
            lab.yaml:20:27: scenario t names probe 'web', which it does not have; it has no probes
            """),
        Mistake(
            "expectations that say too much or too little",
            """
            name: t
            nodes: { a: {} }
            scenarios:
              s:
                steps:
                  - expect: { vip: 10.0.0.100 }
                  - expect: { vip: 10.0.0.100, on: a, absent: true }
                  - expect: { vip: 10.0.0.100, absent: false }
                  - expect: { vip: 10.0.0.100/24, on: a }
                  - expect: { vip: 10.0.0.100, on: a, body: x }
                  - expect: { vip: 10.0.0.100, on: a, http: "http://10.0.0.100/" }
                  - expect: { http: "http://www/", from: a }
                  - expect: { http: "http://10.0.0.100/" }
                  - expect: { outage: web }
                  - expect: {}
                  - { stop: a, wait: 1s }
                  - expect: { vip: 10.0.0.100, on: a, within: soon, for: 5 }
                  - expect: { vip: 10.0.0.100, on: a, one-of: [ a ] }
                  - expect: { vip: 10.0.0.100, on: a, for: 1s, settled: 1s }
            """,
            """
            lab.yaml:6:19: step 1 of scenario s says neither 'on: NODE' nor \
            'one-of: [NODE, NODE]' nor 'absent: true'
            lab.yaml:7:36: step 2 of scenario s has both 'on' and 'absent'; write one
            lab.yaml:8:19: step 3 of scenario s says neither 'on: NODE' nor \
            'one-of: [NODE, NODE]' nor 'absent: true'
            lab.yaml:9:24: vip '10.0.0.100/24' of step 4 of scenario s is no address, as \
            '192.0.2.1' is (without a prefix length)
            lab.yaml:10:43: unknown key 'body' in step 5 of scenario s; known are vip, on, \
            one-of, absent, within, for, settled
            lab.yaml:11:43: step 6 of scenario s has both 'vip' and 'http'; write two steps
            lab.yaml:12:25: 'http://www/' is no address to fetch; write \
            http://ADDRESS[:PORT][/PATH], names are not looked up
            lab.yaml:13:17: step 8 of scenario s has no 'from'
            lab.yaml:14:17: step 9 of scenario s has no 'at-most'
            lab.yaml:14:27: scenario s names probe 'web', which it does not have; it has no probes
            lab.yaml:15:17: 'expect' of step 10 of scenario s has none of 'vip', 'state', \
            'http', 'tcp', 'udp', 'ping', 'arp', 'log', 'mail', 'sequence', 'outage', \
            'latency', 'neighbour', 'adverts', 'ip'
            lab.yaml:16:9: step 11 of scenario s must be one of stop, start, restart, reboot, \
            kill, reload, freeze, thaw, link, plug, unplug, impair, partition, cut, limit, \
            imposter, heal, exec, edit, parallel, wait, expect with its object
            lab.yaml:17:51: 'within' of step 12 of scenario s must be a duration such as 10ms, \
            5s or 1m, not 'soon'
            lab.yaml:17:62: 'for' of step 12 of scenario s must be a duration such as 10ms, 5s \
            or 1m, not '5'
            lab.yaml:18:43: step 13 of scenario s has both 'one-of' and 'on'; write one
            lab.yaml:19:52: step 14 of scenario s has both 'for' and 'settled'; write one
            """),
        Mistake(
            "probes and the parts of a scenario",
            """
            name: t
            nodes: { a: {} }
            scenarios:
              s: { steps: [] }
              -t: { steps: [ wait: 1s ], summary: a, description: b }
              u:
                probes: { web: { from: a, http: ftp://x, every: 10us, timeout: 0s } }
                steps: [ exec: { on: a, command: "", status: 256 } ]
            """,
            """
            lab.yaml:4:15: scenario s has no steps
            lab.yaml:5:3: scenario name '-t' must be 1 to 64 letters, digits, '-', '_' and '.', \
            not beginning with '-' or '.'
            lab.yaml:5:42: scenario -t has both 'summary' and 'description'; write one
            lab.yaml:7:37: 'ftp://x' is no address to fetch; write http://ADDRESS[:PORT][/PATH], \
            names are not looked up
            lab.yaml:7:53: 'every' of probe web of scenario u must be at least 1ms
            lab.yaml:7:68: 'timeout' of probe web of scenario u must be a duration such as 10ms, \
            5s or 1m, not '0s'
            lab.yaml:8:38: 'command' of step 1 of scenario u must be a text, not an empty text
            lab.yaml:8:50: 'status' of step 1 of scenario u must be a number from 0 to 255, not \
            '256'
            """),
        Mistake(
            "one mistake is one error: what a mistaken part defines counts as defined",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/99 } }
            nodes:
              a: { interfaces: { eth0: { network: lan, address: 10.0.0.1 } }, gateway: 10.0.0.9, \
            services: { web: { kind: wbe } } }
              b: 7
            links: [ { endpoints: [ "a:eth1", "b:eth1" ] } ]
            scenarios:
              s:
                probes: { web: 1 }
                steps:
                  - stop: a/web
                  - stop: b/anything
                  - expect: { outage: web, at-most: 1s }
            """,
            """
            lab.yaml:2:28: '10.0.0.0/99' is no subnet, as '192.0.2.0/24' or '2001:db8::/64' are
            lab.yaml:4:111: unknown kind 'wbe' of service web of node a; known are http, echo, \
            smtp, vrrp-agent, keepalived, frr, command
            lab.yaml:5:6: node b must be a mapping, not '7'
            lab.yaml:9:20: probe web of scenario s must be a mapping, not '1'
            """),
    ]
}
