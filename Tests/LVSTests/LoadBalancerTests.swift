import KeepalivedConf
import LVS
import NetworkTypes
import Testing

/// Expected lines are keepalived 2.2.7's, but for those that begin with `ipvsadm`, which say what
/// the kernel was asked, `run`, `tell` (a line for the FIFOs) and `mail`.
@Suite("LVS: the machines behind a service")
struct LoadBalancerTests {
    static let tutorial = """
        virtual_server 192.0.2.100 80 {
            delay_loop 6
            lb_algo rr
            lb_kind DR
            persistence_timeout 50
            protocol TCP
            real_server 192.0.2.10 80 {
                weight 1
                TCP_CHECK { connect_timeout 3
                    retry 2
                    delay_before_retry 3
                }
            }
            real_server 192.0.2.20 80 {
                weight 1
                TCP_CHECK { connect_timeout 3
                    retry 2
                    delay_before_retry 3
                }
            }
        }

        """
        .replacing("TCP_CHECK { ", with: "TCP_CHECK {\n")

    private static let service = "-t 192.0.2.100:80"
    private static let title = "[192.0.2.100]:tcp:80"
    private static let first = "[192.0.2.10]:tcp:80"

    @Test("the start: service, machines, quorum, and a checker for each machine")
    func start() {
        var play = Play(Self.tutorial)
        #expect(
            play.start() == [
                "ipvsadm -A \(Self.service) -s rr -p 50",
                "ipvsadm -a \(Self.service) -r 192.0.2.10:80 -g -w 1",
                "ipvsadm -a \(Self.service) -r 192.0.2.20:80 -g -w 1",
                "Gained quorum 1+0=1 <= 2 for VS \(Self.title)",
                "tell VS \(Self.title) UP",
                "Activating healthchecker for service \(Self.first) for VS \(Self.title)",
                "Activating healthchecker for service [192.0.2.20]:tcp:80 for VS \(Self.title)",
            ])
        #expect(play.start().isEmpty, "a second start is none")
    }

    @Test("checks begin 1 s after the start and the warm-up, then once in each delay_loop")
    func schedule() {
        var play = Play(Self.tutorial)
        _ = play.start()
        #expect(play.tick() == .seconds(1))
        #expect(play.running.count == 2)
        #expect(play.balancer.deadline == nil, "what runs is not scheduled")
        #expect(
            play.end(.success()) == [
                "TCP connection to \(Self.first) success.",
                "TCP connection to [192.0.2.20]:tcp:80 success.",
            ])
        #expect(play.tick() == .seconds(6))
        #expect(play.end(.success()).isEmpty)
    }

    @Test("the first failure of all decides; later ones are forgiven `retry` times")
    func retries() {
        var play = Play(Self.tutorial)
        _ = play.start()
        play.tick()
        let down = [
            "TCP_CHECK on service \(Self.first) failed.",
            "Removing service \(Self.first) from VS \(Self.title)",
            "ipvsadm -d \(Self.service) -r 192.0.2.10:80",
            "tell RS \(Self.first) \(Self.title) DOWN",
            "mail Realserver \(Self.first) of virtual server \(Self.title) - DOWN:"
                + " => TCP CHECK failed on service <=",
        ]
        #expect(play.end(.failure("failed")).prefix(5) == down[...])
        play.tick()
        #expect(
            play.end(.success()) == [
                "TCP connection to \(Self.first) success.",
                "Adding service \(Self.first) to VS \(Self.title)",
                "ipvsadm -a \(Self.service) -r 192.0.2.10:80 -g -w 1",
                "tell RS \(Self.first) \(Self.title) UP",
                "mail Realserver \(Self.first) of virtual server \(Self.title) - UP:"
                    + " => TCP CHECK succeed on service <=",
            ])
        play.tick()
        #expect(play.end(.failure("failed")).isEmpty)
        #expect(play.tick() == .seconds(3), "delay_before_retry")
        #expect(play.end(.failure("timeout")).isEmpty)
        #expect(play.tick() == .seconds(3))
        #expect(
            play.end(.failure("failed"))
                == ["TCP_CHECK on service \(Self.first) failed after 2 retries."]
                + down.dropFirst())
        #expect(play.tick() == .seconds(6), "delay_loop again")
    }

    @Test("without any machine the quorum is lost; it comes back with the first")
    func quorum() {
        var play = Play(
            Self.tutorial.replacing(
                "delay_loop 6",
                with: "delay_loop 6\n    quorum_up \"/bin/up a\"\n    quorum_down /bin/down"))
        #expect(play.start().contains("run /bin/up a"))
        play.tick()
        _ = play.end(server: 0, .failure("failed"))
        play.tick()
        let lines = play.end(server: 1, .failure("failed"))
        #expect(lines.contains("Adding service \(Self.first) to VS \(Self.title)"))
    }

    @Test("hysteresis: more is needed to gain the quorum than to keep it")
    func hysteresis() {
        let text = Self.tutorial.replacing(
            "delay_loop 6", with: "delay_loop 6\n    alpha\n    quorum 2\n    hysteresis 1"
        ).replacing("weight 1", with: "weight 2")
        var play = Play(text)
        #expect(!play.start().contains { $0.hasPrefix("Gained") }, "alpha: nobody lives yet")
        play.tick()
        let lines = play.end(.success())
        // 2 of weight are the quorum, and not enough to gain it.
        #expect(
            lines.filter { $0.hasPrefix("Gained") } == [
                "Gained quorum 2+1=3 <= 4 for VS \(Self.title)"
            ])
        play.tick()
        _ = play.end(.failure("failed"))
        play.tick()
        _ = play.end(.failure("failed"))
        play.tick()
        let lost = play.end(.failure("failed"))
        #expect(lost.contains("Removing service \(Self.first) from VS \(Self.title)"))
        #expect(!lost.contains { $0.hasPrefix("Lost") }, "2 are still above 2 - 1")
    }

    @Test("the sorry server stands in while the quorum is lost")
    func sorryServer() {
        let text = Self.tutorial.replacing(
            "protocol TCP", with: "protocol TCP\n    quorum 2\n    sorry_server 192.0.2.30 80")
        var play = Play(text)
        _ = play.start()
        play.tick()
        #expect(
            Array(play.end(.failure("failed")).dropFirst().prefix(9)) == [
                "Removing service \(Self.first) from VS \(Self.title)",
                "ipvsadm -d \(Self.service) -r 192.0.2.10:80",
                "tell RS \(Self.first) \(Self.title) DOWN",
                "Lost quorum 2-0=2 > 1 for VS \(Self.title)",
                "Adding sorry server [192.0.2.30]:tcp:80 to VS \(Self.title)",
                "Removing alive servers from the pool for VS \(Self.title)",
                "ipvsadm -d \(Self.service) -r 192.0.2.20:80",
                "ipvsadm -a \(Self.service) -r 192.0.2.30:80 -g -w 1",
                "tell VS \(Self.title) DOWN",
            ])
        play.tick()
        #expect(
            Array(play.end(.success()).dropFirst().prefix(9)) == [
                "Adding service \(Self.first) to VS \(Self.title)",
                "tell RS \(Self.first) \(Self.title) UP",
                "Gained quorum 2+0=2 <= 2 for VS \(Self.title)",
                "Removing sorry server [192.0.2.30]:tcp:80 from VS \(Self.title)",
                "ipvsadm -d \(Self.service) -r 192.0.2.30:80",
                "Adding alive servers to the pool for VS \(Self.title)",
                "ipvsadm -a \(Self.service) -r 192.0.2.10:80 -g -w 1",
                "ipvsadm -a \(Self.service) -r 192.0.2.20:80 -g -w 1",
                "tell VS \(Self.title) UP",
            ])
    }

    @Test("inhibit_on_failure: a machine that fails keeps its place, with weight 0")
    func inhibition() {
        var play = Play(
            Self.tutorial.replacing("weight 1", with: "weight 3\n        inhibit_on_failure"))
        _ = play.start()
        play.tick()
        #expect(
            Array(play.end(.failure("failed")).dropFirst().prefix(2)) == [
                "Disabling service \(Self.first) of VS \(Self.title)",
                "ipvsadm -e \(Self.service) -r 192.0.2.10:80 -g -w 0",
            ])
        play.tick()
        #expect(
            Array(play.end(.success()).dropFirst().prefix(2)) == [
                "Enabling service \(Self.first) of VS \(Self.title)",
                "ipvsadm -e \(Self.service) -r 192.0.2.10:80 -g -w 3",
            ])
    }

    @Test("the end: all is taken out of the table, and with omega it is told")
    func stop() {
        var play = Play(Self.tutorial)
        _ = play.start()
        #expect(
            play.event(.stop) == [
                "Shutting down service \(Self.first) from VS \(Self.title)",
                "ipvsadm -d \(Self.service) -r 192.0.2.10:80",
                "Shutting down service [192.0.2.20]:tcp:80 from VS \(Self.title)",
                "ipvsadm -d \(Self.service) -r 192.0.2.20:80",
                "ipvsadm -D \(Self.service)",
            ])
        var loud = Play(Self.tutorial.replacing("lb_algo rr", with: "lb_algo rr\n    omega"))
        _ = loud.start()
        let lines = loud.event(.stop)
        #expect(lines.contains("tell RS \(Self.first) \(Self.title) DOWN"))
        #expect(lines.contains("tell VS \(Self.title) DOWN"))
    }

    @Test("what nobody waits for changes nothing: early timers, results of a check that is over")
    func strayEvents() {
        var play = Play(Self.tutorial)
        _ = play.start()
        #expect(play.event(.timer).isEmpty && play.running.isEmpty)
        play.tick()
        let id = play.running[0]
        _ = play.end(.success())
        #expect(play.event(.result(id, .failure("failed"))).isEmpty)
        #expect(
            play.event(
                .result(.init(generation: 7, service: 9, server: 9, checker: 9), .success())
            ).isEmpty)
    }
}
