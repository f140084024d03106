import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite(
    "Debian's daemons in nodes, with Debian's configuration", .serialized,
    .enabled(if: buildsLabs, "needs root"))
struct LabDaemonTests {
    private static let lab =
        #"""
        networks: { lan: { subnet: 10.85.0.0/24 } }
        nodes:
          apache:
            interfaces: { eth0: { network: lan, address: 10.85.0.10 } }
            files: { /var/www/html/index.html: { text: "this is apache\n" } }
            services:
              apache2:
                kind: command
                command: [ apachectl, start ]
                ready: { pid-file: /var/run/apache2/apache2.pid }
          httpd:
            interfaces: { eth0: { network: lan, address: 10.85.0.11 } }
            files: { /var/www/html/index.html: { text: "this is httpd\n" } }
            services:
              httpd:
                kind: command
                command:
                  - bash
                  - -c
                  - . /etc/apache2/envvars; mkdir -p $APACHE_RUN_DIR; exec -a httpd apache2 -DFOREGROUND
                ready: { port: 80 }
          nginx:
            interfaces: { eth0: { network: lan, address: 10.85.0.12 } }
            files: { /var/www/html/index.html: { text: "this is nginx\n" } }
            services:
              nginx: { kind: command, command: [ nginx ], ready: { pid-file: /run/nginx.pid } }
          balancer:
            interfaces: { eth0: { network: lan, address: 10.85.0.13 } }
            files:
              /etc/haproxy/more.cfg:
                text: |
                  listen web
                    bind :80
                    mode http
                    timeout connect 5s
                    timeout client 5s
                    timeout server 5s
                    server one 10.85.0.12:80
            services:
              haproxy:
                kind: command
                command:
                  - sh
                  - -c
                  - mkdir -p /run/haproxy; exec haproxy -Ws -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/more.cfg
                ready: { port: 80 }

        """#

    @Test(
        "apache2, also as httpd, nginx and haproxy start, are ready, serve, and stop",
        .enabled(
            if: ["apache2", "nginx", "haproxy"].allSatisfy {
                FileSystem.isRegularFile("/usr/sbin/\($0)")
            }, "needs apache2, nginx and haproxy: scripts/setup test"))
    func daemons() throws {
        let lab = try LabUnderTest(
            "lb-daemons",
            Self.lab)
        try lab.up()
        for (node, address, page) in [
            ("apache", "10.85.0.10", "apache"), ("httpd", "10.85.0.11", "httpd"),
            ("nginx", "10.85.0.12", "nginx"), ("balancer", "10.85.0.13", "nginx"),
        ] {
            #expect(
                try lab.shell("nginx", "curl -s http://\(address)/") == "this is \(page)\n",
                "\(node)")
        }
        // The tutorial's check, what it stops and starts, and where it writes.
        let count = "ps -ef | grep -Ev \"grep|$0\" | grep '\\bhttpd\\b' | wc -l"
        #expect(try Int(lab.shell("httpd", count).dropLast()) ?? 0 >= 1)
        _ = try lab.shell("httpd", "systemctl stop httpd")
        #expect(try lab.shell("httpd", count) == "0\n")
        _ = try lab.shell("httpd", "systemctl start apache2 && curl -s http://10.85.0.11/")
        #expect(try lab.shell("apache", "wc -l < /var/log/apache2/access.log") == "1\n")
        _ = try lab.shell("apache", "systemctl restart httpd && systemctl reload apache2")
        _ = try lab.shell("nginx", "service nginx restart && systemctl is-active nginx")
        #expect(try lab.shell("nginx", "systemctl status nginx").contains("(nginx)"))
        _ = try lab.shell("balancer", "systemctl stop haproxy && ! pgrep haproxy")

        // What a person looks with.
        #expect(try lab.shell("nginx", "ss -antl").contains("0.0.0.0:80"))
        #expect(try lab.shell("nginx", "ip a").contains("inet 10.85.0.12/24 "))
        _ = try lab.shell("nginx", "ping -c 1 -W 2 10.85.0.10")
        #expect(
            try lab.shell(
                "nginx",
                "echo net.ipv4.ip_nonlocal_bind = 1 >> /etc/sysctl.conf; sysctl -p | tail -n 1; "
                    + "cat /proc/sys/net/ipv4/ip_nonlocal_bind")
                == "net.ipv4.ip_nonlocal_bind = 1\n1\n")
        try lab.down()
    }
}
