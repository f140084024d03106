import Glibc
import LinuxSystem
import Testing

@Suite("A reload under traffic", .enabled(if: buildsLabs, "needs root"))
struct InteropReloadTests {
    private static let http = "http://10.10.10.10/"

    /// Only the master serves: a request that reaches the backup is lost. (More of them than this,
    /// in three labs side by side, are more than programs with debug checks answer in time on two
    /// processors: then some are lost without any reload.)
    private static let yaml = """
        networks:
          lan: { subnet: 10.10.10.0/24 }
        nodes:
          master:
            interfaces: { eth0: { network: lan, address: 10.10.10.1 } }
            files:
              /etc/keepalived/keepalived.conf: { text: "include /etc/keepalived/one.conf" }
              /etc/keepalived/one.conf: one-200.conf
              /etc/keepalived/two.conf: two-200.conf
              /var/www/html/index.html: { text: "this is master" }
            services: { vrrp: { kind: vrrp-agent }, httpd: { kind: http } }
          backup:
            interfaces: { eth0: { network: lan, address: 10.10.10.2 } }
            files:
              /etc/keepalived/keepalived.conf: { text: "include /etc/keepalived/one.conf" }
              /etc/keepalived/one.conf: one-100.conf
              /etc/keepalived/two.conf: two-100.conf
            services: { vrrp: { kind: vrrp-agent } }
          client:
            interfaces: { eth0: { network: lan } }
        scenarios:
          reload:
            probes: { web: { from: client, http: "\(http)", every: 25ms } }
            steps:
              - expect: { vip: 10.10.10.10, on: master }
              - expect: { http: "\(http)", from: client, body: this is master }
              - exec: { on: backup, command: [sh, -c, "\(reload)"] }
              - exec: { on: master, command: [sh, -c, "\(reload)"] }
              - expect: { vip: 10.10.10.20, on: master }
              - expect: { http: "http://10.10.10.20/", from: client, body: this is master }
              - expect: { vip: 10.10.10.10, on: master, for: 4s }
              - expect: { outage: web, at-most: 0s }
        """

    private static let reload =
        "cd /etc/keepalived && echo include /etc/keepalived/two.conf >keepalived.conf "
        + "&& kill -HUP $(cat /run/keepalived.pid)"

    private static func configuration(_ priority: Int, _ addresses: [String]) -> String {
        """
        vrrp_instance VI_1 {
            state BACKUP
            interface eth0
            virtual_router_id 51
            priority \(priority)
            virtual_ipaddress {
                \(addresses.joined(separator: "\n        "))
            }
        }

        """
    }

    @Test("that adds an address loses no request, and the master stays master")
    func addedAddress() throws {
        var files: [String: String] = [:]
        for priority in [200, 100] {
            files["one-\(priority).conf"] = Self.configuration(priority, ["10.10.10.10"])
            files["two-\(priority).conf"] =
                Self.configuration(priority, ["10.10.10.10", "10.10.10.20"])
        }
        let lab = try LabUnderTest("interop-reload", Self.yaml, files: files)
        let options =
            hasKeepalived
            ? ["vrrp-agent", "backup=keepalived", "master=keepalived"] : ["vrrp-agent"]
        let runs = try options.enumerated().map { index, option in
            (
                option, "\(labPrefix)interop-reload-\(index)",
                try Labctl.start([
                    "test", lab.folder, "--name", "\(labPrefix)interop-reload-\(index)", "--vrrp",
                    option,
                ])
            )
        }
        for (option, name, program) in runs {
            let result = try program.finish()
            #expect(result.status == 0, "\(option):\n\(result.output)\(result.errors)")
            try expectNothingLeft(of: name)
        }
    }
}
