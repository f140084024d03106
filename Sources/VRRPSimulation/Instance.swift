import NetworkTypes
import VRRP

/// A virtual router on a machine, and what the simulation knows of it without asking it.
struct Instance {
    /// Whether the machine has such a virtual router.
    let exists: Bool
    let address: IPAddress
    let timing: Timing
    /// Told, changed and asked through `handle` alone, which keeps what is asked often beside it.
    private(set) var router: VirtualRouter
    /// The router's state, less its deadlines.
    private(set) var phase = Phase.initialize
    /// The router's deadline.
    private(set) var deadline: MonotonicInstant?
    /// Whether the virtual addresses are on the machine's interface.
    var holdsAddresses = false
    /// When its process will look at the clock next.
    var wake: MonotonicInstant?
    /// When it was last told something; its deadline may have become an earlier one then, even one
    /// that was past.
    var lastEvent = MonotonicInstant.zero
    /// When it last sent an advertisement.
    var lastSent = MonotonicInstant.zero
    /// Packets sent, which number the next.
    var identification: UInt16 = 0
    /// What it accepts.
    let expectation: ReceivedAdvertisement.Expectation
    /// The priority it should have now.
    var priority: UInt8
    /// Its own interval, nanoseconds.
    let intervalNanoseconds: Int
    private let mayPreempt: Bool
    private let claimsMastery: Bool
    let delaysPreemption: Bool
    let advertisesBeforeYielding: Bool
    var wait = Wait()

    /// A router's state, less its deadlines.
    enum Phase: String {
        case initialize = "INIT"
        case pending = "PENDING"
        case backup = "BACKUP"
        case master = "MASTER"
        case fault = "FAULT"

        init(_ state: VirtualRouter.State) {
            self =
                switch state {
                case .initialize: .initialize
                case .pending: .pending
                case .backup: .backup
                case .master: .master
                case .fault: .fault
                }
        }
    }

    /// A backup's wait, as the RFC has it.
    struct Wait {
        /// When it began.
        var start = MonotonicInstant.zero
        /// Whether a resignation began it.
        var isForSkew = false
        /// The master's interval, nanoseconds.
        var intervalNanoseconds = 0
    }

    init(_ configuration: VirtualRouter.Configuration?, address: IPAddress, timing: Timing) {
        exists = configuration != nil
        // Where there is none, one that never starts keeps the array regular.
        let some =
            configuration
            ?? VirtualRouter.Configuration(name: "none", vrid: 1, addresses: [address])
        self.address = address
        self.timing = timing
        router = VirtualRouter(some, sourceAddress: address)
        expectation = .init(some.advertisement(priority: 1))
        priority = some.priority
        intervalNanoseconds = Int(some.advertisementInterval.wholeNanoseconds)
        mayPreempt = some.preempts
        claimsMastery = some.startsAsMaster
        delaysPreemption = some.preemptionDelay != nil
        advertisesBeforeYielding = some.advertisesBeforeYielding
    }

    // MARK: The router

    mutating func handle(
        _ event: VirtualRouter.Event, now: MonotonicInstant
    ) -> [VirtualRouter.Action] {
        let actions = router.handle(event, now: now)
        phase = Phase(router.state)
        deadline = router.deadline
        lastEvent = now
        return actions
    }

    /// Another process takes over the machine's part; it knows nothing of this one.
    mutating func restart() {
        router = VirtualRouter(router.configuration, sourceAddress: address)
        phase = .initialize
        deadline = nil
        priority = router.configuration.priority
        wake = nil
        wait = Wait(intervalNanoseconds: intervalNanoseconds)
    }

    var isMaster: Bool { phase == .master }

    // MARK: What it should do

    var preempts: Bool { mayPreempt || priority == Advertisement.ownerPriority }

    /// Whether it becomes master without waiting for anybody.
    var startsAsMaster: Bool { claimsMastery || priority == Advertisement.ownerPriority }

    /// Whether an advertisement of that priority from there beats this router's own.
    func isBeaten(by heard: UInt8, from source: IPAddress) -> Bool {
        heard > priority || heard == priority && source > address
    }

    /// Its `wait` starts over.
    mutating func startWait(at now: MonotonicInstant, isForSkew: Bool, intervalNanoseconds: Int) {
        wait = Wait(
            start: now, isForSkew: isForSkew, intervalNanoseconds: intervalNanoseconds)
    }

    /// Hears a router that it may let be for a while, which then restarts the wait and has its
    /// interval learned. What is kept is the shorter wait and the shorter interval.
    mutating func startDelayedWait(at now: MonotonicInstant, intervalNanoseconds: Int) {
        let before = (wait: wait, end: earliestMastery)
        startWait(at: now, isForSkew: false, intervalNanoseconds: intervalNanoseconds)
        if earliestMastery > before.end { wait = before.wait }
        wait.intervalNanoseconds = min(intervalNanoseconds, before.wait.intervalNanoseconds)
    }

    /// Before this it has no reason to become master.
    var earliestMastery: MonotonicInstant {
        wait.start.advanced(
            byNanoseconds: wait.isForSkew
                ? timing.skew(priority: priority, intervalNanoseconds: wait.intervalNanoseconds)
                : timing.masterDown(
                    priority: priority, intervalNanoseconds: wait.intervalNanoseconds))
    }
}
