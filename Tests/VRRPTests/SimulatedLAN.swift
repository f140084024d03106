import NetworkTypes
import VRRP

/// A LAN of virtual routers in simulated time: every advertisement reaches the others after a
/// delay, or is lost, or does not cross a partition. Everything random comes from one seed.
struct SimulatedLAN {
    /// Share of deliveries that are lost, in percent.
    var lossPercent = 0
    private(set) var routers: [VirtualRouter]
    /// Whose interface carries the virtual addresses now.
    private(set) var holders: Set<Int> = []
    /// Which part of the LAN each router is in; packets stay within one.
    private(set) var part: [Int]
    private(set) var now: MonotonicInstant
    /// How many masters there were at the worst moment so far.
    private(set) var mostMasters = 0
    private var inFlight: [Delivery] = []
    private var generator: SeededGenerator

    private struct Delivery {
        var due: MonotonicInstant
        var receiver: Int
        var packet: [UInt8]
    }

    /// Routers with those priorities, none of them started; router n has the address 10.0.0.(n+1).
    init(priorities: [UInt8], preempts: Bool = true, seed: UInt64) {
        routers = priorities.enumerated().map { index, priority in
            VirtualRouter(
                .init(
                    name: "VI_\(index)", vrid: 51, priority: priority, preempts: preempts,
                    addresses: [.v4(IPv4Address(10, 0, 0, 100))],
                    authentication: .password(.init(truncating: "password"))),
                sourceAddress: .v4(IPv4Address(10, 0, 0, UInt8(index + 1))))
        }
        part = priorities.map { _ in 0 }
        generator = SeededGenerator(seed: seed)
        now = MonotonicInstant(nanoseconds: 1_000_000_000)
    }

    var masters: [Int] {
        routers.indices.filter {
            if case .master = routers[$0].state { true } else { false }
        }
    }

    /// The longest time until the election is over once nothing is lost any more: the slowest
    /// backup's wait, and one interval for the losers to hear it.
    var convergenceBound: Duration {
        (routers.map(\.masterDownInterval).max() ?? .zero) + .seconds(1) + .milliseconds(10)
    }

    mutating func divide(into parts: [Int]) {
        precondition(parts.count == routers.count, "every router is in one part")
        part = parts
        inFlight = []
    }

    mutating func heal() { divide(into: part.map { _ in 0 }) }

    mutating func deliver(_ event: VirtualRouter.Event, to router: Int) {
        for action in routers[router].handle(event, now: now) { perform(action, of: router) }
        mostMasters = max(mostMasters, masters.count)
    }

    /// Lets that much time pass.
    mutating func run(for duration: Duration) {
        let end = now + duration
        while true {
            let packet = inFlight.indices.min { inFlight[$0].due < inFlight[$1].due }
            let timer = routers.indices.filter { routers[$0].deadline != nil }.min {
                (routers[$0].deadline ?? end) < (routers[$1].deadline ?? end)
            }
            let packetDue = packet.map { inFlight[$0].due }
            let timerDue = timer.flatMap { routers[$0].deadline }
            guard let next = [packetDue, timerDue].compactMap(\.self).min(), next <= end else {
                break
            }
            now = max(now, next)
            if let packet, packetDue == next {
                receive(inFlight.remove(at: packet))
            } else if let timer {
                deliver(.timer, to: timer)
            }
        }
        now = end
    }

    private mutating func receive(_ delivery: Delivery) {
        let router = routers[delivery.receiver]
        let expected = router.configuration.advertisement(priority: router.priority)
        guard let received = try? ReceivedAdvertisement(parsing: delivery.packet),
            let advertisement = try? received.validated(against: .init(expected))
        else { preconditionFailure("a router refused its peer's advertisement") }
        deliver(.advertisement(advertisement, from: received.source), to: delivery.receiver)
    }

    private mutating func perform(_ action: VirtualRouter.Action, of sender: Int) {
        switch action {
        case .sendAdvertisement(let priority):
            guard case .v4(let source)? = routers[sender].sourceAddress,
                let packet = try? routers[sender].configuration.advertisement(priority: priority)
                    .ipv4Packet(from: source, identification: 1)
            else { preconditionFailure("an advertisement could not be encoded") }
            for receiver in routers.indices where receiver != sender {
                guard part[receiver] == part[sender],
                    Int.random(in: 0..<100, using: &generator) >= lossPercent
                else { continue }
                let delay = Duration.microseconds(Int.random(in: 50...1500, using: &generator))
                inFlight.append(Delivery(due: now + delay, receiver: receiver, packet: packet))
            }
        case .addAddresses, .restoreAddresses, .replaceAddresses: holders.insert(sender)
        case .removeAddresses: holders.remove(sender)
        case .announceAddresses, .transition, .log: break
        }
    }
}
