import Testing
import VRRP

@Suite("Effective priority")
struct EffectivePriorityTests {
    private typealias Weight = EffectivePriority.Weight

    @Test(
        "keepalived: a positive weight counts while it is well, a negative one while it fails",
        arguments: [
            (20, false, UInt8(120), UInt8(100)), (-20, false, 100, 80),
            (20, true, 80, 100), (-20, true, 100, 120),
        ])
    func weight(_ weight: Int, isReversed: Bool, well: UInt8, failing: UInt8) {
        for tracked in [EffectivePriority.Tracked.script("x"), .interface("x"), .process("x")] {
            var priority = EffectivePriority(
                base: 100, weights: [tracked: Weight(weight, isReversed: isReversed)])
            #expect(priority.value == 100)
            _ = priority.update(tracked, .well)
            #expect(priority.value == well)
            _ = priority.update(tracked, .failing)
            #expect(priority.value == failing)
            _ = priority.update(tracked, .well)
            #expect(priority.value == well)
        }
    }

    @Test("the router is told of each change, once")
    func events() {
        var priority = EffectivePriority(
            base: 100, weights: [.script("chk"): Weight(-20), .script("boost"): Weight(5)])
        #expect(priority.update(.script("boost"), .well) == [.priorityChanged(105)])
        #expect(priority.update(.script("boost"), .well) == [])
        #expect(priority.update(.script("chk"), .well) == [])
        #expect(priority.update(.script("chk"), .failing) == [.priorityChanged(85)])
        #expect(priority.update(.script("not tracked"), .failing) == [])
    }

    @Test("it stays within 1 and 254, and comes back from beyond")
    func clamped() {
        var priority = EffectivePriority(
            base: 200, weights: [.script("up"): Weight(100), .script("down"): Weight(-253)])
        #expect(priority.update(.script("up"), .well) == [.priorityChanged(254)])
        // 200 + 100 − 253
        #expect(priority.update(.script("down"), .failing) == [.priorityChanged(47)])
        #expect(priority.update(.script("up"), .failing) == [.priorityChanged(1)])
        #expect(priority.update(.script("down"), .well) == [.priorityChanged(200)])
    }

    @Test("without weight a script holds the router in INIT until it answers, then means FAULT")
    func unweightedScript() {
        var priority = EffectivePriority(base: 100, weights: [.script("chk"): Weight(0)])
        #expect(priority.initialEvents == [.faultRaised(.awaitingScript("chk"))])
        #expect(
            priority.update(.script("chk"), .failing) == [
                .faultRaised(.trackedScript("chk")), .faultCleared(.awaitingScript("chk")),
            ])
        #expect(
            priority.update(.script("chk"), .well) == [
                .faultCleared(.trackedScript("chk")), .faultCleared(.awaitingScript("chk")),
            ])
        #expect(priority.value == 100)
    }

    @Test("without weight an interface or a process means FAULT, reversed while it is there")
    func unweighted() {
        var priority = EffectivePriority(
            base: 100,
            weights: [.interface("eth1"): Weight(0), .process("p"): Weight(0, isReversed: true)])
        #expect(priority.initialEvents == [])
        #expect(
            priority.update(.interface("eth1"), .failing) == [
                .faultRaised(.trackedInterface("eth1"))
            ])
        #expect(
            priority.update(.interface("eth1"), .well) == [.faultCleared(.trackedInterface("eth1"))]
        )
        #expect(priority.update(.process("p"), .well) == [.faultRaised(.trackedProcess("p"))])
        #expect(priority.update(.process("p"), .failing) == [.faultCleared(.trackedProcess("p"))])
    }

    @Test(
        "a file's value times its weight is added, and −254 or less is FAULT",
        arguments: [
            (1, 30, UInt8(130), false), (-2, 10, 80, false), (2, 1000, 254, false),
            (1, -253, 1, false), (1, -254, 100, true), (2, -127, 100, true),
            (-1, .min, 254, false), (-254, .max, 100, true),
        ])
    func file(_ weight: Int, value: Int, priority expected: UInt8, isFault: Bool) {
        var priority = EffectivePriority(base: 100, weights: [.file("f"): Weight(weight)])
        let events = priority.update(.file("f"), .value(value))
        #expect(priority.value == expected)
        #expect(events.contains(.faultRaised(.trackedFile("f"))) == isFault)
        let cleared = priority.update(.file("f"), .value(0))
        #expect(priority.value == 100)
        #expect(
            cleared.last == (isFault ? .faultCleared(.trackedFile("f")) : .priorityChanged(100)))
    }

    @Test("a file without weight is FAULT while its value is not 0, reversed while it is")
    func unweightedFile() {
        var priority = EffectivePriority(
            base: 100, weights: [.file("f"): Weight(0), .file("r"): Weight(0, isReversed: true)])
        #expect(priority.update(.file("f"), .value(0)) == [])
        #expect(priority.update(.file("f"), .value(3)) == [.faultRaised(.trackedFile("f"))])
        #expect(priority.update(.file("r"), .value(0)) == [.faultRaised(.trackedFile("r"))])
        #expect(priority.update(.file("r"), .value(3)) == [.faultCleared(.trackedFile("r"))])
    }

    // RFC-CHECKLIST: 9
    @Test("RFC 9568 §5.2.4: the owner's priority is 255, whatever is tracked by weight")
    func owner() {
        var priority = EffectivePriority(
            base: 255, weights: [.script("chk"): Weight(-20), .script("fault"): Weight(0)])
        #expect(priority.update(.script("chk"), .failing) == [])
        #expect(priority.value == 255)
        #expect(
            priority.update(.script("fault"), .failing).first
                == .faultRaised(.trackedScript("fault")))
    }

    @Test(
        "in a sync group only interfaces have weights of its own, unless the group tracks by weight"
    )
    func group() {
        let own: [EffectivePriority.Tracked: Weight] = [
            .interface("eth1"): Weight(-10), .script("chk"): Weight(-20), .file("f"): Weight(1),
            .file("g"): Weight(2),
        ]
        let bound = EffectivePriority(
            base: 100, weights: own, groupWeights: [.script("all"): Weight(-5)],
            isBoundToGroup: true)
        #expect(
            bound.weights == [
                .interface("eth1"): Weight(-10), .file("f"): Weight(0), .script("all"): Weight(-5),
            ])
        let shared = EffectivePriority(
            base: 100, weights: own, groupWeights: [.interface("eth1"): Weight(5)],
            isBoundToGroup: true)
        #expect(shared.weights[.interface("eth1")] == Weight(5))
        let free = EffectivePriority(base: 100, weights: own)
        #expect(free.weights == own)
        // Tracked by both: the group's weight, unless the instance's means FAULT.
        let both = EffectivePriority(
            base: 100, weights: [.script("a"): Weight(-1), .script("b"): Weight(0)],
            groupWeights: [.script("a"): Weight(-9), .script("b"): Weight(-9)])
        #expect(both.weights == [.script("a"): Weight(-9), .script("b"): Weight(0)])
    }

    @Test("a file's status is its value by its weight, as keepalived logs it")
    func fileStatus() {
        var priority = EffectivePriority(
            base: 100, weights: [.file("f"): Weight(0), .file("g"): Weight(-3)])
        _ = priority.update(.file("f"), .value(7))
        _ = priority.update(.file("g"), .value(100))
        #expect(["f", "g", "h"].map(priority.fileStatus) == [-254, -300, 0])
    }

    @Test("a reload keeps the condition of what is tracked still, and forgets the rest")
    func reload() {
        var priority = EffectivePriority(
            base: 100,
            weights: [
                .script("a"): Weight(-20), .script("b"): Weight(0), .interface("eth1"): Weight(0),
            ])
        _ = priority.update(.script("a"), .failing)
        _ = priority.update(.interface("eth1"), .failing)
        // b is not tracked any more, eth1 by weight; a is without weight now, and c is new.
        let events = priority.replace(
            with: EffectivePriority(
                base: 110,
                weights: [
                    .script("a"): Weight(0), .interface("eth1"): Weight(-5),
                    .script("c"): Weight(7),
                ]))
        #expect(priority.value == 105)
        #expect(events.first == .faultRaised(.trackedScript("a")))
        #expect(
            Set(events.dropFirst().map { "\($0)" })
                == Set(
                    [
                        VirtualRouter.Event.faultCleared(.awaitingScript("b")),
                        .faultCleared(.trackedInterface("eth1")),
                    ].map { "\($0)" }))
    }
}
