import LabModel
import NetworkTypes
import Testing

@Suite("What daemons say of their virtual routers")
struct ClaimParserTests {
    @Test(
        "keepalived's lines, with and without its stamp, and our agent's",
        arguments: [
            ("(VI_1) Entering MASTER STATE", "VI_1", "MASTER"),
            ("(VI_1) Entering BACKUP STATE (init)", "VI_1", "BACKUP"),
            ("Sat Nov 21 17:22:43 2026: (VI_1) Entering BACKUP STATE", "VI_1", "BACKUP"),
            (
                "Nov 21 17:22:43 a Keepalived_vrrp[7]: (my lan) Entering FAULT STATE", "my lan",
                "FAULT"
            ),
            ("(VI_1) entering FAULT state", "VI_1", "FAULT"),
            ("(VI_1) entering FAULT state (interface eth0 down)", "VI_1", "FAULT"),
        ])
    func keepalived(_ line: String, _ instance: String, _ state: String) {
        for kind in [Service.Kind.keepalived, .vrrpAgent] {
            let claim = ClaimParser.claim(in: line, of: kind)
            #expect(claim?.instance == instance)
            #expect(claim?.state.rawValue == state)
        }
        #expect(ClaimParser.claim(in: line, of: .frr) == nil)
        #expect(ClaimParser.claim(in: line, of: .command) == nil)
    }

    @Test("our agent's JSON says when, too")
    func agentJSON() {
        let line =
            #"{"time":"2026-11-21T17:22:43.168068407Z","monotonic":25762.627789477,"#
            + #""level":"info","instance":"VI_1","message":"Entering MASTER STATE"}"#
        #expect(
            ClaimParser.claim(in: line, of: .vrrpAgent)
                == .init(
                    instance: "VI_1", state: .master, source: .message,
                    time: MonotonicInstant(nanoseconds: 25_762_627_789_477)))
        for other in [
            #"{"instance":"VI_1","message":"Receive advertisement timeout"}"#, "{",
            #"{"message":"Entering MASTER STATE"}"#, #"{"instance":"VI_1","message":"Ent"#,
            #"{"instance":"a\"b","message":"Entering MASTER STATE"}"#,
        ] {
            #expect(ClaimParser.claim(in: other, of: .vrrpAgent) == nil)
        }
    }

    @Test("our agent's messages to its manager say when, in its own words for states")
    func assignments() {
        func finding(_ state: RouterState, _ instance: String) -> ClaimParser.Finding {
            .init(
                instance: instance, state: state, source: .message,
                time: MonotonicInstant(nanoseconds: 12_000_000_345))
        }
        for (text, expected) in [
            ("X_VRRP=12000000345 MASTER VI_1", finding(.master, "VI_1")),
            ("X_VRRP=12000000345 FAULT my lan", finding(.fault, "my lan")),
            ("X_VRRP=12000000345 STOP VI_1", finding(.initialize, "VI_1")),
            ("X_VRRP=12000000345 DELETED VI_1", finding(.initialize, "VI_1")),
        ] {
            #expect(ClaimParser.claim(inAssignment: text) == expected)
        }
        for other in [
            "X_VRRP=12000000345 MASTER", "X_VRRP=12000000345 MASTER ", "X_VRRP=now MASTER VI_1",
            "X_VRRP=7 UNHEARD VI_1", "X_OTHER=12000000345 MASTER VI_1", "STATUS=1 MASTER",
        ] {
            #expect(ClaimParser.claim(inAssignment: other) == nil)
        }
    }

    @Test(
        "FRR's lines",
        arguments: [
            (
                "2026/11/21 20:28:18 VRRP: [ABCDE-12345] [CORE] [VRID 51] [IPv4] Backup -> Master",
                "VRID 51 IPv4", "MASTER"
            ),
            ("[CORE] [VRID 51] [IPv6] Initialize -> Backup", "VRID 51 IPv6", "BACKUP"),
            ("[CORE] [VRID 7] [IPv4] Master -> Initialize", "VRID 7 IPv4", "INITIALIZE"),
        ])
    func frr(_ line: String, _ instance: String, _ state: String) {
        let claim = ClaimParser.claim(in: line, of: .frr)
        #expect(claim?.instance == instance)
        #expect(claim?.state.rawValue == state)
        #expect(ClaimParser.claim(in: line, of: .keepalived) == nil)
    }

    @Test(
        "other lines say nothing",
        arguments: [
            "", "Entering MASTER STATE", "() Entering MASTER STATE",
            "(VI_1) Receive advertisement timeout", "VRRP_Group(G) Syncing to MASTER state",
            "[CORE] [VRID 51] [IPv4] Backup -> Nowhere", "Backup -> Master", "a -> b",
            "[CORE] [VRID 51] Backup -> Master", "->",
        ])
    func others(_ line: String) {
        for kind in [Service.Kind.keepalived, .vrrpAgent, .frr] {
            #expect(ClaimParser.claim(in: line, of: kind) == nil)
        }
    }
}
