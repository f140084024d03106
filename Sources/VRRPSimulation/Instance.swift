import NetworkTypes
import VRRP

/// A virtual router on a machine, and what the simulation knows of it without asking it.
struct Instance {
    /// Whether the machine has such a virtual router now.
    var isConfigured = false
    let address: IPAddress
    let clock: Quartz
    /// Whether a `SyncGroup` decides with it.
    let isInGroup: Bool
    /// Told, changed and asked through `handle` alone, which keeps what is asked often beside it.
    private(set) var router: VirtualRouter
    /// The router's state, less its deadlines.
    private(set) var phase = Phase.initialize
    /// The router's deadline, on the machine's clock.
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
    /// What it last told the group, over IPv6, where one packet is like the other; empty when it
    /// would say something else now.
    var lastOctets: (priority: UInt8, octets: [UInt8]) = (0, [])
    /// The authentication header's numbers.
    var sequence = AuthenticationSequence()
    /// What it is set to, of what others must share.
    var dialect = 0
    /// What its scripts make of its priority.
    var tracking: EffectivePriority
    /// How it stood when its group was last told; nil when it was not told yet.
    var toldStanding: VirtualRouter.Standing?
    /// Whether something of its own is broken that it tracks without weight.
    var isHindered = false
    /// Whether its scripts have answered since its start.
    var hasAnswers = false
    /// What it should do now.
    var expected: Expected

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

    init(_ configuration: VirtualRouter.Configuration, address: IPAddress, clock: Quartz) {
        self.address = address
        self.clock = clock
        isInGroup = configuration.isInGroup
        router = VirtualRouter(configuration, sourceAddress: address)
        expected = Expected(configuration)
        tracking = EffectivePriority(base: configuration.priority)
    }

    // MARK: The router

    /// - Parameter now: on the machine's clock.
    mutating func handle(
        _ event: VirtualRouter.Event, now: MonotonicInstant
    ) -> [VirtualRouter.Action] {
        let actions = router.handle(event, now: now)
        if case .reconfigured = event { lastOctets.octets = [] }
        phase = Phase(router.state)
        deadline = router.deadline
        return actions
    }

    /// Another process takes over the machine's part; it knows nothing of this one.
    ///
    /// - Parameter planted: the configuration as a planted bug has it.
    mutating func restart(
        _ configuration: VirtualRouter.Configuration, planted: VirtualRouter.Configuration
    ) {
        router = VirtualRouter(planted, sourceAddress: address)
        phase = .initialize
        deadline = nil
        wake = nil
        lastOctets.octets = []
        sequence = AuthenticationSequence()
        toldStanding = nil
        isHindered = false
        hasAnswers = false
        expected = Expected(configuration)
    }

    var isMaster: Bool { phase == .master }

    /// Whether an advertisement of that priority from there beats this router's own (RFC 9568
    /// §6.4.3).
    func isBeaten(by heard: UInt8, from source: IPAddress) -> Bool {
        heard > expected.priority || heard == expected.priority && source > address
    }
}
