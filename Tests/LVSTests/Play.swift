import KeepalivedConf
import LVS
import NetworkTypes
import Testing

/// A load balancer whose world is the test: what it does is read as lines, and checks have the
/// results that the test gives them.
struct Play {
    typealias CheckerID = LoadBalancer.CheckerID

    private(set) var balancer: LoadBalancer
    private(set) var now = MonotonicInstant.zero
    /// Checks that have begun and have no result yet.
    private(set) var running: [CheckerID] = []
    /// The pages that were asked for, in order.
    private(set) var pages: [Int] = []

    init(_ text: String) {
        balancer = LoadBalancer(Self.configuration(text)) { $0.lowerBound }
    }

    static func configuration(_ text: String) -> Configuration {
        Configuration.parse(text, file: "test.conf").configuration
    }

    /// Lets something happen.
    mutating func event(_ event: LoadBalancer.Event) -> [String] {
        balancer.handle(event, now: now).compactMap { line($0) }
    }

    mutating func start() -> [String] { event(.start) }

    /// Lets time pass up to the next deadline, and the checks begin that are due.
    ///
    /// - Returns: how much has passed.
    @discardableResult
    mutating func tick() -> Duration {
        guard let deadline = balancer.deadline else { return .zero }
        let passed = deadline - now
        now = deadline
        #expect(event(.timer).isEmpty, "a check that begins says nothing")
        return passed
    }

    /// Lets all checks of a machine that run end in that way, those of others succeed.
    mutating func end(server: Int = 0, _ result: CheckResult) -> [String] {
        let ended = running
        running = []
        return ended.flatMap { id in
            event(.result(id, id.server == server ? result : .success()))
        }
    }

    private mutating func line(_ action: LoadBalancer.Action) -> String? {
        switch action {
        case .ipvs(let command): return "\(command)"
        case .log(let text): return text
        case .run(let command): return "run \(command.arguments.joined(separator: " "))"
        case .tell(let text): return "tell \(text)"
        case .mail(let subject, let body): return "mail \(subject): \(body)"
        case .check(let id, let page):
            running.append(id)
            pages.append(page)
            return nil
        case .cancelChecks:
            running = []
            return nil
        }
    }
}
