import Testing

@testable import LabKit

@Suite("the order in which nodes come up")
struct BringUpTests {
    /// All steps until somebody has to settle.
    private func steps(_ bringUp: inout BringUp) -> [BringUp.Step] {
        var steps: [BringUp.Step] = []
        while let step = bringUp.next() { steps.append(step) }
        return steps
    }

    @Test("a small lab's nodes are all started before the first link is made")
    func small() {
        var bringUp = BringUp(count: 2, maximumBooting: 8)
        #expect(
            steps(&bringUp) == [
                .startFirstProcess(0), .startFirstProcess(1), .plugIn(0), .plugIn(1),
            ])
        #expect(bringUp.pluggedIn == 2)
    }

    @Test("of a large lab so many build their file systems at once, and one more for each that has")
    func large() {
        var bringUp = BringUp(count: 5, maximumBooting: 2)
        #expect(
            steps(&bringUp) == [
                .startFirstProcess(0), .startFirstProcess(1), .plugIn(0), .plugIn(1),
            ])
        bringUp.settle(1)
        #expect(steps(&bringUp) == [.startFirstProcess(2), .plugIn(2)])
        bringUp.settle(0)
        bringUp.settle(2)
        #expect(
            steps(&bringUp) == [
                .startFirstProcess(3), .startFirstProcess(4), .plugIn(3), .plugIn(4),
            ])
        bringUp.settle(3)
        bringUp.settle(4)
        #expect(bringUp.next() == nil)
        #expect(bringUp.pluggedIn == 5)
    }

    @Test("a node that settles twice, or after all are up, lets nobody in")
    func settlesAgain() {
        var bringUp = BringUp(count: 4, maximumBooting: 1)
        #expect(steps(&bringUp) == [.startFirstProcess(0), .plugIn(0)])
        bringUp.settle(0)
        bringUp.settle(0)
        #expect(steps(&bringUp) == [.startFirstProcess(1), .plugIn(1)])
        #expect(bringUp.next() == nil)
    }

    @Test("a lab without nodes has nothing to do")
    func empty() {
        var bringUp = BringUp(count: 0, maximumBooting: 1)
        #expect(bringUp.next() == nil)
    }
}
