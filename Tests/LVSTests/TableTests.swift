import LVS
import Testing

@Suite("LVS: what a configuration is in the kernel's table")
struct TableTests {
    /// What the kernel is asked at the start.
    private func table(_ text: String) -> [String] {
        var play = Play(text)
        return play.start().filter { $0.hasPrefix("ipvsadm") }.map { String($0.dropFirst(8)) }
    }

    @Test("address translation may change the port, and IPv6 masks are lengths")
    func translation() {
        #expect(
            table(
                """
                virtual_server 2001:db8::100 80 {
                    lb_algo wlc
                    lb_kind NAT
                    protocol TCP
                    persistence_timeout 60
                    persistence_granularity 64
                    real_server 2001:db8::10 8080 {
                        weight 3
                        uthreshold 100
                        lthreshold 20
                    }
                }

                """) == [
                    "-A -t [2001:db8::100]:80 -s wlc -p 60 -M 64",
                    "-a -t [2001:db8::100]:80 -r [2001:db8::10]:8080 -m -w 3 -x 100 -y 20",
                ])
    }

    @Test("a firewall mark has no protocol and no port, unless addresses are translated")
    func mark() {
        #expect(
            table(
                """
                virtual_server fwmark 7 {
                    lb_algo wrr
                    lb_kind DR
                    real_server 192.0.2.10 { }
                    real_server 192.0.2.20 8080 {
                        lvs_method NAT
                    }
                }

                """.replacing("{ }", with: "{\n }")) == [
                    "-A -f 7 -s wrr", "-a -f 7 -r 192.0.2.10:0 -g -w 1",
                    "-a -f 7 -r 192.0.2.20:8080 -m -w 1",
                ])
    }

    @Test("a group is an entry for each of its addresses, and then for each of its marks")
    func group() {
        #expect(
            table(
                """
                virtual_server_group WEB {
                    fwmark 3
                    192.0.2.100-101 80
                    192.0.2.200 443
                }
                virtual_server group WEB {
                    lb_algo sh
                    sh-port
                    lb_kind TUN
                    protocol TCP
                    real_server 192.0.2.10 80 {
                    }
                }

                """
            ).filter { $0.hasPrefix("-A") || $0.contains("443") } == [
                "-A -t 192.0.2.100:80 -s sh -b flag-2", "-A -t 192.0.2.101:80 -s sh -b flag-2",
                "-A -t 192.0.2.200:443 -s sh -b flag-2", "-A -f 3 -s sh -b flag-2",
                "-a -t 192.0.2.200:443 -r 192.0.2.10:443 -i -w 1",
            ])
    }

    @Test("one-packet scheduling, and tunnels that are not IP in IP")
    func onePacket() {
        #expect(
            table(
                """
                virtual_server 192.0.2.100 53 {
                    lb_algo rr
                    ops
                    lb_kind TUN type gue port 5555 csum
                    protocol UDP
                    real_server 192.0.2.10 53 {
                    }
                }

                """) == [
                    "-A -u 192.0.2.100:53 -s rr -o",
                    "-a -u 192.0.2.100:53 -r 192.0.2.10:53 -i --tun-type gue --tun-port 5555"
                        + " --tun-csum -w 1",
                ])
    }
}
