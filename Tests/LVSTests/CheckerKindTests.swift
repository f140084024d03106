import KeepalivedConf
import LVS
import Testing

@Suite("LVS: what the kinds of checkers say and count")
struct CheckerKindTests {
    private static let server = "[192.0.2.10]:tcp:80"
    private static let title = "[192.0.2.100]:tcp:80"

    /// A service with one machine that is checked in that way, started.
    private func play(_ checker: String) -> Play {
        var play = Play(
            """
            virtual_server 192.0.2.100 80 {
                delay_loop 10
                lb_algo rr
                lb_kind NAT
                protocol TCP
                real_server 192.0.2.10 80 {
                    weight 4
            \(checker)
                }
            }

            """)
        _ = play.start()
        return play
    }

    private static let pages = """
        HTTP_GET {
            retry 1
            delay_before_retry 2
            url {
                path /a
            }
            url {
                path /b
            }
        }
        """

    @Test("HTTP_GET: one page after the other, a delay_loop apart; all must be right")
    func pages() {
        var play = play(Self.pages)
        play.tick()
        #expect(play.end(.success(basis: "HTTP status code")).isEmpty)
        #expect(play.tick() == .seconds(10))
        #expect(
            play.end(.success(basis: "HTTP status code"))
                == ["Remote Web server \(Self.server) succeed on service."])
        #expect(play.pages == [0, 1])
    }

    @Test("HTTP_GET: the page that failed is asked for until it is right, then all are")
    func failedPage() {
        var play = play(Self.pages)
        play.tick()
        _ = play.end(.success(basis: "HTTP status code"))
        play.tick()
        let lines = play.end(.failure("HTTP status code error to"))
        #expect(
            lines.prefix(3) == [
                "HTTP_CHECK on service \(Self.server) failed after 1 retries.",
                "Removing service \(Self.server) from VS \(Self.title)",
                "ipvsadm -d -t 192.0.2.100:80 -r 192.0.2.10:80",
            ])
        #expect(play.tick() == .seconds(10))
        #expect(play.end(.failure("Connection failed")).isEmpty)
        play.tick()
        #expect(
            play.end(.success(basis: "MD5 digest"))
                == ["MD5 digest success to \(Self.server) url(/b)"])
        play.tick()
        _ = play.end(.success(basis: "HTTP status code"))
        play.tick()
        #expect(
            play.end(.success(basis: "HTTP status code")).prefix(3) == [
                "HTTP status code success to \(Self.server) url(/b)",
                "Remote Web server \(Self.server) succeed on service.",
                "Adding service \(Self.server) to VS \(Self.title)",
            ])
        #expect(play.pages == [0, 1, 1, 1, 0, 1])
    }

    @Test("MISC_CHECK: the status is life or death; misc_dynamic: or a weight")
    func misc() {
        let checker = """
            MISC_CHECK {
                misc_path "/bin/check all"
                misc_dynamic
            }
            """
        var play = play(checker)
        play.tick()
        #expect(
            play.end(.exited(12)) == [
                "Changing weight from 4 to 10 for active service \(Self.server) of VS"
                    + " \(Self.title)",
                "ipvsadm -e -t 192.0.2.100:80 -r 192.0.2.10:80 -m -w 10",
                "Misc check for [\(Self.server) VS \(Self.title)] by [/bin/check] succeeded.",
            ])
        play.tick()
        #expect(
            play.end(.exited(1)).prefix(2) == [
                "Misc check for [\(Self.server) VS \(Self.title)] by [/bin/check] failed with"
                    + " retry disabled (exited with status 1).",
                "Removing service \(Self.server) from VS \(Self.title)",
            ])
        play.tick()
        #expect(
            play.end(.exited(0)).contains(
                "ipvsadm -a -t 192.0.2.100:80 -r 192.0.2.10:80 -m -w 4"))
        play.tick()
        #expect(
            play.end(.signalled(15, isTimeout: true)).first
                == "Misc check for [\(Self.server) VS \(Self.title)] by [/bin/check] timed out with"
                + " retry disabled.")
    }

    @Test("a machine lives when none of its checkers has failed")
    func severalCheckers() {
        let checkers = """
            TCP_CHECK {
            }
            PING_CHECK {
            }
            """
        var play = play(checkers)
        play.tick()
        let (tcp, ping) = (play.running[0], play.running[1])
        #expect(
            play.event(.result(ping, .failure("x"))).prefix(2) == [
                "ICMP CHECK on service \(Self.server) failed.",
                "Removing service \(Self.server) from VS \(Self.title)",
            ])
        #expect(
            play.event(.result(tcp, .failure("failed"))) == [
                "TCP_CHECK on service \(Self.server) failed.",
                "mail Realserver \(Self.server) of virtual server \(Self.title) - DOWN:"
                    + " => TCP CHECK failed on service <=",
            ], "it is dead already, though that is told")
    }

    @Test("SMTP_CHECK and DNS_CHECK give the reason in their line")
    func reasons() {
        var mail = play("SMTP_CHECK {\n}")
        mail.tick()
        #expect(
            mail.end(.failure("Could not connect to server [192.0.2.10]:80")).first
                == "SMTP_CHECK Could not connect to server [192.0.2.10]:80")
        var names = play("DNS_CHECK {\n}")
        names.tick()
        #expect(
            names.end(.failure("read timeout from socket")).first
                == "DNS_CHECK (\(Self.server)) read timeout from socket")
    }

    @Test("what could not be tried says so, and changes nothing")
    func notTried() {
        var play = play("TCP_CHECK {\n}")
        play.tick()
        #expect(play.end(.notTried("no socket")) == ["no socket"])
        #expect(play.tick() == .seconds(10))
    }

    @Test("SMTP_CHECK with hosts: one checker each, and one failure takes the machine down")
    func hosts() {
        let checker = "SMTP_CHECK {\nhost {\n}\nhost {\nconnect_ip 192.0.2.11\n}\n}"
        var play = play(checker)
        play.tick()
        #expect(play.running.count == 2)
        let second = play.running[1]
        #expect(
            play.event(.result(second, .failure("Read timeout from server [192.0.2.11]:80")))
                .prefix(2) == [
                    "SMTP_CHECK Read timeout from server [192.0.2.11]:80",
                    "Removing service \(Self.server) from VS \(Self.title)",
                ])
    }

    /// What a `UDP_CHECK` with that line sends.
    private func payload(_ line: String) throws -> [CheckStep] {
        let text = """
            virtual_server 192.0.2.100 53 {
                protocol UDP
                real_server 192.0.2.10 53 {
                    UDP_CHECK {
                        \(line)
                    }
                }
            }

            """
        let server = Play.configuration(text).virtualServers.first?.realServers.first
        guard case .udp(let check) = try #require(server?.checkers.first).kind else { return [] }
        var dialogue = UDPDialogue(check)
        return dialogue.begin()
    }

    @Test("UDP_CHECK without a payload sends keepalived's 32 bytes, with one that")
    func payload() throws {
        #expect(try payload("") == [.send(Array("keepalived check - keepalived ch".utf8))])
        #expect(try payload("payload 0011") == [.send([0, 0x11])])
    }
}
