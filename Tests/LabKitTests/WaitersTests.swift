import Testing

@testable import LabKit

@Suite("Waiting for a lab to get into a state")
struct WaitersTests {
    private final class Lab {
        let waiters = Waiters()
        var told: [String] = []
        var isReady = false
    }

    @Test("who waits is told once, when it is so")
    func once() {
        let lab = Lab()
        lab.waiters.add(check: { lab.isReady ? .success(()) : nil }) { _ in lab.told.append("ready")
        }
        lab.waiters.ask()
        #expect(lab.told.isEmpty)
        lab.isReady = true
        lab.waiters.ask()
        lab.waiters.ask()
        #expect(lab.told == ["ready"])
    }

    @Test("a look that brings about further waiting loses nobody")
    func further() {
        let lab = Lab()
        var hasLooked = false
        lab.waiters.add(
            check: {
                if !hasLooked {
                    hasLooked = true
                    lab.waiters.add(check: { lab.isReady ? .success(()) : nil }) { _ in
                        lab.told.append("later")
                    }
                }
                return lab.isReady ? .success(()) : nil
            }, completion: { _ in lab.told.append("first") })
        lab.waiters.ask()
        lab.isReady = true
        lab.waiters.ask()
        #expect(lab.told == ["first", "later"])
    }

    @Test("a look that changes what an earlier one saw has all asked again")
    func again() {
        let lab = Lab()
        lab.waiters.add(check: { lab.isReady ? .success(()) : nil }) { _ in lab.told.append("ready")
        }
        lab.waiters.add(
            check: {
                guard !lab.isReady else { return nil }
                lab.isReady = true
                lab.waiters.ask()
                return nil
            }, completion: { _ in })
        lab.waiters.ask()
        #expect(lab.told == ["ready"])
    }

    @Test("who is told may ask again at once")
    func whenTold() {
        let lab = Lab()
        lab.waiters.add(check: { .success(()) }) { _ in
            lab.told.append("first")
            lab.waiters.add(check: { .success(()) }) { _ in lab.told.append("second") }
            lab.waiters.ask()
        }
        lab.waiters.ask()
        #expect(lab.told == ["first", "second"])
    }
}
