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
        #expect(server.scheduler == .roundRobin && server.forwarding == .directRouting)
        #expect(server.transportProtocol == .tcp && server.delayLoop == .seconds(6))
        #expect(server.realServers.map { "\($0.address)" } == ["10.10.10.10", "10.10.10.20"])
        let checker = try #require(server.realServers.first?.checkers.first)
        #expect(checker.kind == .tcp)
        #expect(checker.connection?.timeout == .seconds(3))
        #expect(checker.retries == 1)
    }

    @Test("other targets of a virtual server, and one without real servers")
    func virtualServers() throws {
        let parsed = parse(
            """
            virtual_server_group web {
                192.0.2.10-12 80
            }
            virtual_server fwmark 7 {
                lb_algo rr
                lb_kind DR
                real_server 192.0.2.1 {
                }
            }
            virtual_server group web {
                lb_algo rr
                lb_kind NAT
                protocol TCP
                real_server 192.0.2.1 80 {
                }
            }
            virtual_server 192.0.2.3 80 {
            }
            """)
        #expect(
            parsed.configuration.virtualServers.map(\.target) == [
                .firewallMark(7), .group("web"),
            ])
        let group = try #require(parsed.configuration.virtualServerGroups.first)
        #expect(
            group.entries == [
                .addresses(
                    first: .v4(IPv4Address(192, 0, 2, 10)), last: .v4(IPv4Address(192, 0, 2, 12)),
                    port: 80)
            ])
        #expect(parsed.diagnostics.map(\.position.line) == [17])
    }
}
