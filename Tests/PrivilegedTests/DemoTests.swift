import Glibc
import LinuxSystem
import Testing

@Suite("demo: a scenario with a narrator", .serialized, .enabled(if: buildsLabs, "needs root"))
struct DemoTests {
    @Test("without a terminal it tells what is to come, what happened and how the lab stands")
    func story() throws {
        let run = try Labctl.run("demo", "Labs/fast-failover", "--name", labPrefix + "dm-demo")
        #expect(run.status == 0, "\(run.errors)")
        let expected = [
            "scenario every-100ms", "|-- master", "ok    expect VIP 10.10.10.10 on master",
            "VI_1 MASTER  10.10.10.10", "Next: kill master",
            "master has 10.10.10.10 and falls silent: backup takes over", "node master is killed",
            "kernel  10.10.10.10 is now on backup", "ok    expect VIP 10.10.10.10 on backup",
            "|-- master  eth0 10.10.10.1/24  killed", "It held",
        ]
        var rest = run.output[...]
        for text in expected {
            let found = rest.firstRange(of: text)
            #expect(found != nil, "\(text) in its place in \(run.output)")
            if let found { rest = rest[found.upperBound...] }
        }
    }

    @Test("--pause waits for Enter before anything is done")
    func pause() throws {
        let session = try TerminalSession(
            [
                "demo", "\(Labctl.repository)/Labs/fast-failover", "--pause", "--name",
                labPrefix + "dm-pause",
            ])
        for act in ["stop backup/vrrp", "start backup/vrrp", "kill master"] {
            let before = try session.read(until: "press Enter to go on")
            #expect(before.contains("Next: \(act)"), "\(before)")
            #expect(!before.contains("node master is killed"))
            session.forget()
            try session.type("\r")
        }
        let (status, text) = try session.end()
        #expect(status == 0, "\(text)")
        #expect(text.contains("ok\u{1b}[0m    expect VIP 10.10.10.10 on backup"))
        #expect(session.isCooked)
    }
}
