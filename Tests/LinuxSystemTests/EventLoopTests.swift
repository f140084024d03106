import LinuxSystem
import NetworkTypes
import Testing

@Suite("the event loop's timers")
struct EventLoopTests {
    @Test("run in the order of their deadlines, those of one deadline in the order they were set")
    func order() throws {
        let loop = try EventLoop()
        let start = MonotonicClock.now
        var ran: [Int] = []
        for (name, milliseconds) in [(1, 4), (2, 2), (3, 4), (4, 0), (5, 2)] {
            loop.schedule(at: start + .milliseconds(milliseconds)) { ran.append(name) }
        }
        loop.schedule(at: start + .milliseconds(6)) { loop.stop() }
        try loop.run()
        #expect(ran == [4, 2, 5, 1, 3])
    }

    @Test("a timer that is cancelled does not run, and its neighbours do")
    func cancellation() throws {
        let loop = try EventLoop()
        let deadline = MonotonicClock.now + .milliseconds(2)
        var ran: [Int] = []
        let timers = (0..<500).map { number in
            loop.schedule(at: deadline) { ran.append(number) }
        }
        for number in stride(from: 0, to: 500, by: 2) { loop.cancel(timers[number]) }
        loop.cancel(timers[0])
        loop.schedule(at: deadline + .milliseconds(1)) { loop.stop() }
        try loop.run()
        #expect(ran == (0..<500).filter { !$0.isMultiple(of: 2) })
        // It has run, and is nobody's any more.
        loop.cancel(timers[1])
    }

    @Test("one that rings again and again does so at each of its deadlines, not before")
    func repetition() throws {
        let loop = try EventLoop()
        let start = MonotonicClock.now
        var late: [Duration] = []
        func ring(_ number: Int) {
            let deadline = start + .milliseconds(number)
            loop.schedule(at: deadline) {
                late.append(MonotonicClock.now - deadline)
                if number < 20 { ring(number + 1) } else { loop.stop() }
            }
        }
        ring(1)
        try loop.run()
        #expect(late.count == 20)
        #expect(late.allSatisfy { $0 >= .zero })
    }
}
