import NetworkTypes
import Testing
import VRRP

/// Every event in every state, in both versions.
@Suite("Virtual router, every state and event")
struct VirtualRouterTableTests {
    private typealias Table = VirtualRouterTable

    // RFC-CHECKLIST: 46, 47, 51, 52, 53, 54, 55, 59, 60, 61, 62, 63
    @Test(
        "RFC 9568 §6.4, RFC 3768 §6.4: actions, next state and deadline",
        arguments: Table.rows.indices, [2, 3])
    func row(_ index: Int, version: Int) {
        let row = Table.rows[index]
        let configuration = Table.configuration(version: version)
        let before = Table.router(row.begin, configuration)
        let now = before.deadline ?? Table.start
        let event = row.event(configuration)
        var after = before
        let name = "version \(version), \(row.begin), \(event)"
        #expect(after.handle(event, now: now) == row.actions, "\(name)")
        func due(_ wait: Table.Wait) -> MonotonicInstant {
            now + .microseconds(wait.milliseconds(version: version) * 1000)
        }
        switch (row.end, after.state) {
        case (.initialize, .initialize), (.fault, .fault), (.pending, .pending):
            #expect(after.deadline == nil, "\(name)")
        case (.backup(let wait), .backup(let masterDown, _, _)):
            #expect(masterDown == due(wait), "\(name)")
            #expect(after.deadline == masterDown, "\(name)")
        case (.master(let wait), .master(let nextAdvertisement, _, _)):
            #expect(nextAdvertisement == due(wait), "\(name)")
            #expect(after.deadline == nextAdvertisement, "\(name)")
        case (.same, _):
            #expect(after == before, "\(name)")
        case (.sameState, _):
            #expect(after.state.kind == before.state.kind, "\(name)")
            #expect(after.deadline == before.deadline, "\(name)")
        case (.initialize, _), (.fault, _), (.pending, _), (.backup, _), (.master, _):
            Issue.record("\(name): ended in \(after.state), expected \(row.end)")
        }
    }

    @Test("an early or repeated timer does nothing", arguments: Table.Begin.allCases, [2, 3])
    func timerIsIdempotent(_ begin: VirtualRouterTable.Begin, version: Int) {
        var router = Table.router(begin, Table.configuration(version: version))
        let before = router
        let early = (router.deadline ?? Table.start) - .nanoseconds(1)
        #expect(router.handle(.timer, now: early) == [])
        #expect(router == before)
        guard let deadline = router.deadline else { return }
        #expect(router.handle(.timer, now: deadline) != [])
        let acted = router
        #expect(router.handle(.timer, now: deadline) == [])
        #expect(router == acted)
    }

    @Test("every kind of event is in the table for every state")
    func tableIsComplete() {
        for begin in Table.Begin.allCases {
            let kinds = Table.rows.filter { $0.begin == begin }.map {
                $0.event(Table.configuration).kind
            }
            #expect(Set(kinds) == Set(0...14), "\(begin)")
        }
    }
}

extension VirtualRouter.State {
    fileprivate var kind: Int {
        switch self {
        case .initialize: 0
        case .pending: 1
        case .backup: 2
        case .master: 3
        case .fault: 4
        }
    }
}

extension VirtualRouter.Event {
    /// A number for each case, so that a new one fails to compile here.
    fileprivate var kind: Int {
        switch self {
        case .startup: 0
        case .shutdown: 1
        case .deletion: 2
        case .timer: 3
        case .advertisement: 4
        case .faultRaised: 5
        case .faultCleared: 6
        case .sourceAddressAssigned: 7
        case .sourceAddressLost: 8
        case .addressRemoved: 9
        case .priorityChanged: 10
        case .reconfigured: 11
        case .promoted: 12
        case .demoted: 13
        case .groupHeardLowerPriority: 14
        }
    }
}
