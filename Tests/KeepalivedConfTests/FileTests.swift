import KeepalivedConf
import NetworkTypes
import Testing

@Suite("global_defs and the tutorials' files")
struct FileTests {
    @Test("global_defs in full")
    func globalDefinitions() {
        let parsed = parse(
            """
            global_defs {
                notification_email {
                    a@example.org
                    b@example.org c@example.org
                }
                notification_email_from k@example.org
                smtp_server 127.0.0.1 2525
                smtp_connect_timeout 7
                router_id lb01 and more
            }
            """)
        let global = parsed.configuration.global
        #expect(
            global.notificationAddresses == ["a@example.org", "b@example.org", "c@example.org"])
        #expect(global.notificationSender == "k@example.org")
        #expect(global.smtpServer == "127.0.0.1" && global.smtpPort == 2525)
        #expect(global.smtpConnectTimeout == .seconds(7))
        #expect(global.routerID == "lb01")
        #expect(parsed.diagnostics.isEmpty)
    }

    @Test("an empty file is an empty configuration")
    func empty() {
        #expect(parse("").configuration == Configuration())
        #expect(parse("").diagnostics.isEmpty)
    }

    @Test("smtp_alert: the instance's word, then smtp_alert_vrrp, then smtp_alert")
    func smtpAlert() throws {
        let both = "global_defs {\nsmtp_alert\nsmtp_alert_vrrp false\n}\n"
        #expect(try parse(both + instance("")).only.smtpAlert == false)
        #expect(try parse(both + instance("smtp_alert")).only.smtpAlert)
        let general = "global_defs {\nsmtp_alert\n}\n"
        #expect(try parse(general + instance("")).only.smtpAlert)
        #expect(try parse(general + instance("smtp_alert off")).only.smtpAlert == false)
        #expect(try parse(instance("")).only.smtpAlert == false)
    }

    @Test("seed 1: the master preempts after all, the backup does not")
    func firstTutorial() throws {
        let master = try RecordedCaseTests.parse(RecordedCase("01-seed1-master")).only
        #expect(master.initialState == .master && master.priority == 100)
        #expect(master.nopreemptWritten && !master.nopreempt)
        let backup = try RecordedCaseTests.parse(RecordedCase("02-seed1-backup")).only
        #expect(backup.initialState == .backup && backup.priority == 99)
        #expect(backup.nopreempt)
        #expect(master.authentication == backup.authentication)
        #expect(master.virtualAddresses.map(\.address) == backup.virtualAddresses.map(\.address))
        #expect(!master.smtpAlert)
    }

    @Test("seed 2: an instance, a script, and a virtual server of two real ones")
    func secondTutorial() throws {
        let parsed = RecordedCaseTests.parse(RecordedCase("03-seed2-master-completed"))
        #expect(!parsed.hasErrors)
        #expect(
            parsed.complaints == [
                "03-seed2-master-completed:45:13: warning: Unknown keyword 'nb_get_retry'; it"
                    + " belongs in HTTP_GET",
                "03-seed2-master-completed:55:13: warning: Unknown keyword 'nb_get_retry'; it"
                    + " belongs in HTTP_GET",
            ])
        let configuration = parsed.configuration
        #expect(configuration.global.routerID == "lb01")
        #expect(configuration.scripts.map(\.weight) == [-20])
        #expect(try parsed.only.authentication == .password(Array("lll".utf8)))
        #expect(
            try parsed.only.notify.master?.arguments == [
                "/scripts/notify.sh", "master", "10.10.10.250",
            ])
        let server = try #require(configuration.virtualServers.first)
        #expect(
            server.target == .address(.v4(IPv4Address(10, 10, 10, 250)), port: 80))
        #expect(server.value(of: "lb_algo") == "rr" && server.value(of: "lb_kind") == "DR")
        #expect(server.value(of: "protocol") == "TCP" && server.value(of: "delay_loop") == "6")
        #expect(server.realServers.map { "\($0.address)" } == ["10.10.10.10", "10.10.10.20"])
        let checker = try #require(server.realServers.first?.checkers.first)
        #expect(checker.keyword == "TCP_CHECK")
        #expect(checker.value(of: "connect_timeout") == "3")
        #expect(checker.options.map(\.keyword).contains("nb_get_retry") == false)
    }

    @Test("other targets of a virtual server, and one without real servers")
    func virtualServers() {
        let parsed = parse(
            """
            virtual_server fwmark 7 {
                real_server 192.0.2.1 80 {
                }
            }
            virtual_server group web {
                sorry_server 192.0.2.2
            }
            virtual_server 192.0.2.3 80 {
            }
            """)
        #expect(
            parsed.configuration.virtualServers.map(\.target) == [
                .firewallMark(7), .group("web"),
            ])
        #expect(parsed.diagnostics.map(\.position.line) == [8])
    }
}
