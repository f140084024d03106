import KeepalivedConf
import LVS
import NetworkTypes
import Testing

@Suite("LVS: a reload keeps what is in both configurations")
struct ReloadTests {
    private static let text = LoadBalancerTests.tutorial
    private static let service = "-t 192.0.2.100:80"
    private static let title = "[192.0.2.100]:tcp:80"

    /// After a start, with the first machine dead.
    private func play() -> Play {
        var play = Play(Self.text)
        _ = play.start()
        play.tick()
        _ = play.end(.failure("failed"))
        return play
    }

    private func reloaded(_ play: inout Play, _ text: String) -> [String] {
        play.event(.reload(Play.configuration(text))).filter { !$0.hasPrefix("Activating") }
    }

    @Test("the same again: nothing is touched, and the dead stays dead")
    func same() {
        var play = play()
        #expect(reloaded(&play, Self.text).isEmpty)
        play.tick()
        #expect(
            play.end(.success()).contains("Adding service [192.0.2.10]:tcp:80 to VS \(Self.title)"))
    }

    @Test("the result of a check that began before is not waited for")
    func staleResult() {
        var play = play()
        play.tick()
        let id = play.running[0]
        _ = reloaded(&play, Self.text)
        #expect(play.event(.result(id, .success())).isEmpty)
    }

    @Test("a machine that is gone leaves the table, one that is new comes")
    func machines() {
        var play = play()
        let lines = reloaded(&play, Self.text.replacing("192.0.2.20", with: "192.0.2.21"))
        #expect(
            lines == [
                "service [192.0.2.20]:tcp:80 no longer exist",
                "Removing service [192.0.2.20]:tcp:80 from VS \(Self.title)",
                "ipvsadm -d \(Self.service) -r 192.0.2.20:80",
                "tell RS [192.0.2.20]:tcp:80 \(Self.title) DOWN",
                "mail Realserver [192.0.2.20]:tcp:80 of virtual server \(Self.title) - DOWN:"
                    + " => Removing <=",
                "tell VS \(Self.title) DOWN",
                "ipvsadm -a \(Self.service) -r 192.0.2.21:80 -g -w 1",
            ])
    }

    @Test("another scheduler and another weight change what is there")
    func changes() {
        var play = play()
        let lines = reloaded(
            &play,
            Self.text.replacing("lb_algo rr", with: "lb_algo wlc").replacing(
                "weight 1", with: "weight 5"))
        #expect(lines.first == "ipvsadm -E \(Self.service) -s wlc -p 50")
        #expect(lines.contains("ipvsadm -e \(Self.service) -r 192.0.2.20:80 -g -w 5"))
        #expect(
            lines.contains(
                "Changing weight from 1 to 5 for active service [192.0.2.20]:tcp:80 of VS"
                    + " \(Self.title)"))
        #expect(!lines.contains { $0.contains("ipvsadm") && $0.contains("192.0.2.10:") })
    }

    @Test("a service that is gone is taken out whole")
    func services() {
        var play = play()
        let lines = reloaded(&play, Self.text.replacing("192.0.2.100", with: "192.0.2.101"))
        #expect(
            lines.prefix(7) == [
                "Removing Virtual Server \(Self.title)",
                "Removing service [192.0.2.20]:tcp:80 from VS \(Self.title)",
                "ipvsadm -d \(Self.service) -r 192.0.2.20:80",
                "tell RS [192.0.2.20]:tcp:80 \(Self.title) DOWN",
                "mail Realserver [192.0.2.20]:tcp:80 of virtual server \(Self.title) - DOWN:"
                    + " => Removing <=",
                "tell VS \(Self.title) DOWN",
                "ipvsadm -D \(Self.service)",
            ])
        #expect(lines.contains("ipvsadm -A -t 192.0.2.101:80 -s rr -p 50"))
    }

    private static func group(_ entries: String) -> String {
        """
        virtual_server_group G {
            \(entries)
        }

        """
            + text.replacing("virtual_server 192.0.2.100 80", with: "virtual_server group G")
            .replacing("persistence_timeout 50", with: "")
    }

    @Test("the lines of a group come and go by themselves; what stays within them is not touched")
    func groups() {
        var play = Play(
            Self.group("fwmark 7\n192.0.2.100-102 80\n192.0.2.103 8080\n192.0.2.110 80"))
        _ = play.start()
        let lines = reloaded(&play, Self.group("192.0.2.101-103 80\nfwmark 9\n192.0.2.110 80"))
        #expect(
            lines.filter { !$0.contains("-a ") } == [
                "VS [[192.0.2.100]:tcp:80-192.0.2.102] in group G no longer exists",
                "VS [[192.0.2.103]:tcp:8080] in group G no longer exists",
                "VS [7] in group G no longer exists",
                "ipvsadm -D -t 192.0.2.100:80", "ipvsadm -D -t 192.0.2.103:8080",
                "ipvsadm -D -f 7",
                "VS [[192.0.2.101]:tcp:80-192.0.2.103] added into group G",
                "VS [FWM 9] added into group G",
                "ipvsadm -A -t 192.0.2.103:80 -s rr", "ipvsadm -A -f 9 -s rr",
            ])
        #expect(
            lines.filter { $0.contains("-a ") } == [
                "ipvsadm -a -t 192.0.2.103:80 -r 192.0.2.10:80 -g -w 1",
                "ipvsadm -a -t 192.0.2.103:80 -r 192.0.2.20:80 -g -w 1",
                "ipvsadm -a -f 9 -r 192.0.2.10:0 -g -w 1",
                "ipvsadm -a -f 9 -r 192.0.2.20:0 -g -w 1",
            ])
    }
}
