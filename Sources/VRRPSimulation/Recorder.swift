import NetworkTypes
import VRRP

/// Writes down what happens, for somebody who wants to know how it came to a violation. A run that
/// fails is run again with one: the same seed gives the same run.
struct Recorder {
    /// What is written down begins here, and is of these virtual routers alone: one, or the members
    /// of a sync group.
    let start: MonotonicInstant
    let virtualRouters: ClosedRange<Int>
    /// Every step of these nodes is of interest; of others only what changed something.
    let suspects: Set<Int>
    private(set) var lines: [Line] = []

    struct Line {
        var instant: MonotonicInstant
        /// nil for the network.
        var node: Int?
        var text: String
    }

    init(start: MonotonicInstant, virtualRouters: ClosedRange<Int>, suspects: [Int]) {
        self.start = start
        self.virtualRouters = virtualRouters
        self.suspects = Set(suspects)
    }

    mutating func write(_ text: String, node: Int?, at instant: MonotonicInstant) {
        lines.append(Line(instant: instant, node: node, text: text))
    }
}

extension Simulation {
    /// Writes down what happened to a machine or the network.
    mutating func note(
        _ text: String, node: Int? = nil, virtualRouter: Int? = nil
    ) {
        guard let recorder, now >= recorder.start, violation == nil,
            virtualRouter.map(recorder.virtualRouters.contains) ?? true
        else { return }
        self.recorder?.write("*** " + text, node: node, at: now)
    }

    /// Writes down an event and what it did to a router's state.
    mutating func record(_ step: Step, _ event: VirtualRouter.Event, at index: Int) {
        let node = node(of: index)
        guard let recorder, isOfInterest(index),
            recorder.suspects.contains(node) || step.before != step.after
        else { return }
        var text = "    " + step.before.rawValue
        if let heard = step.heard {
            let sender = heard.sender.map { "n\($0)" } ?? "a forger"
            text =
                "◄── advert of \(sender), priority \(heard.priority): " + step.before.rawValue
        } else {
            text += " on \(event.name)"
        }
        if step.before != step.after { text += " ──► \(step.after.rawValue)" }
        if let deadline = instances[index].deadline {
            let own = deadline.nanoseconds(since: step.now)
            text +=
                ", next at "
                + seconds(
                    now.advanced(byNanoseconds: instances[index].clock.nanoseconds(forOwn: own)))
        }
        write(text, at: index)
    }

    /// Writes down that a packet was refused.
    mutating func record(refusal error: AdvertisementError, of packet: Int, at index: Int) {
        let node = node(of: index)
        guard let recorder, isOfInterest(index), recorder.suspects.contains(node) else { return }
        let sender = packets[packet].sender.map { "n\($0)" } ?? "a forger"
        write("◄── refuses advert of \(sender): \(error)", at: index)
    }

    /// Writes down what a router does.
    mutating func record(_ action: VirtualRouter.Action, at index: Int) {
        guard isOfInterest(index) else { return }
        let text: String
        switch action {
        case .sendAdvertisement(let priority): text = "──► advert, priority \(priority)"
        case .addAddresses: text = "    has the addresses"
        case .removeAddresses: text = "    has no addresses"
        case .restoreAddresses: text = "    puts back what was taken"
        case .log(.duplicateOwner): text = "    reports another owner"
        case .replaceAddresses, .announceAddresses, .transition, .log: return
        }
        write(text, at: index)
    }

    /// In a sync group with the member's name.
    private mutating func write(_ text: String, at index: Int) {
        let label = instances[index].isInGroup ? name(of: index).padded(to: 7) : ""
        let node = node(of: index)
        recorder?.write(label + text, node: node, at: now)
    }

    private func isOfInterest(_ index: Int) -> Bool {
        guard let recorder, violation == nil else { return false }
        return now >= recorder.start && recorder.virtualRouters.contains(virtualRouter(of: index))
    }

    private func seconds(_ instant: MonotonicInstant) -> String { Trace.seconds(instant) }
}

/// A violation with what led to it, for a person.
public struct Trace: Sendable, CustomStringConvertible {
    /// What does not hold.
    public var violation: Violation
    /// The text.
    public var description: String

    /// Lines at most; the last ones are what matters.
    static let maximumLines = 120

    init(_ simulation: Simulation, _ violation: Violation, replay: String) {
        self.violation = violation
        let plan = simulation.plan
        let virtualRouter = plan.virtualRouters[violation.virtualRouter]
        let component = simulation.nodes.indices.filter {
            simulation.nodes[$0].part == violation.part
        }
        var text = """
            violated: \(violation.invariant.rawValue)
            at \(Self.seconds(violation.instant)) s: \
            \(violation.suspects.map { "n\($0)" }.joined(separator: ", ")): \(violation.details)
            replay:  \(replay)

            VRID \(virtualRouter.vrid), version \(virtualRouter.isVersion3 ? 3 : 2)\
            \(virtualRouter.isUnicast ? ", unicast" : "")\
            \(plan.units[virtualRouter.unit].isSyncGroup ? ", in a sync group" : ""), on the part \
            of the network with
            """
        for node in component {
            let instance = simulation.instances[
                simulation.index(node: node, virtualRouter: violation.virtualRouter)]
            guard instance.isConfigured else { continue }
            let configuration = instance.router.configuration
            text += "\n  n\(node)  \(instance.phase.rawValue), \(instance.address), "
            text += "priority \(instance.expected.priority)"
            text += ", every \(configuration.advertisementInterval)"
            if instance.dialect != 0 {
                text += ", with " + virtualRouter.dialects[instance.dialect].difference
            }
            if simulation.plan.nodes[node].startupDelayNanoseconds > 0 {
                text += ", vrrp_startup_delay \(configuration.startupDelay)"
            }
            if !configuration.preempts { text += ", nopreempt" }
            if let delay = configuration.preemptionDelay { text += ", preempt_delay \(delay)" }
            let machine = simulation.nodes[node]
            if !machine.isRunning { text += ", not running" }
            if machine.isFrozen { text += ", frozen" }
            if !machine.isLinkUp { text += ", no link" }
            if !machine.hasAddress { text += ", no address" }
        }
        let shown = Set(component)
        let lines =
            simulation.recorder?.lines.filter { $0.node.map(shown.contains) ?? true } ?? []
        text += "\n"
        if lines.count > Self.maximumLines {
            text += "\n  (\(lines.count - Self.maximumLines) lines before these are left out)"
        }
        for line in lines.suffix(Self.maximumLines) {
            text += "\n  \(Self.seconds(line.instant))  "
            text += (line.node.map { "n\($0)" } ?? "").padded(to: 4) + line.text
        }
        text += "\n  \(Self.seconds(violation.instant))  !!! \(violation.invariant.rawValue): "
        text += violation.details
        description = text
    }

    /// How long something took, in words.
    static func duration(_ nanoseconds: Int) -> String {
        let (number, unit) =
            abs(nanoseconds) >= 1_000_000_000
            ? (Double(nanoseconds) / 1e9, "s")
            : abs(nanoseconds) >= 1_000_000
                ? (Double(nanoseconds) / 1e6, "ms") : (Double(nanoseconds) / 1e3, "µs")
        return "\((number * 1000).rounded() / 1000) \(unit)"
    }

    /// Seconds with nine decimals, right-aligned, so that columns stand below each other.
    static func seconds(_ instant: MonotonicInstant) -> String {
        let fraction = String(instant.nanoseconds % 1_000_000_000)
        let seconds = String(instant.nanoseconds / 1_000_000_000)
        return String(repeating: " ", count: max(0, 5 - seconds.count)) + seconds + "."
            + String(repeating: "0", count: 9 - fraction.count) + fraction
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(0, count - self.count))
    }
}
