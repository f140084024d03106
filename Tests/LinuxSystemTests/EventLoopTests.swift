import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite("the event loop")
struct EventLoopTests {
    /// Timers wait for the alarm, or where they are near for the waiting's own end.
    private static func loop(_ onTime: Bool) throws -> EventLoop {
        let loop = try EventLoop()
        if onTime { loop.waitsOnTime() }
        return loop
    }

    @Test(
        "run in the order of their deadlines, those of one deadline in the order they were set",
        arguments: [false, true])
    func order(onTime: Bool) throws {
        let loop = try Self.loop(onTime)
        let start = MonotonicClock.now
        var ran: [Int] = []
        for (name, milliseconds) in [(1, 4), (2, 2), (3, 4), (4, 0), (5, 2)] {
            loop.schedule(at: start + .milliseconds(milliseconds)) { ran.append(name) }
        }
        loop.schedule(at: start + .milliseconds(6)) { loop.stop() }
        try loop.run()
        #expect(ran == [4, 2, 5, 1, 3])
    }

    @Test(
        "a timer that is cancelled does not run, and its neighbours do",
        arguments: [false, true])
    func cancellation(onTime: Bool) throws {
        let loop = try Self.loop(onTime)
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

    @Test(
        "one that rings again and again does so at each of its deadlines, not before",
        arguments: [false, true])
    func repetition(onTime: Bool) throws {
        let loop = try Self.loop(onTime)
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

    @Test(
        "one that is set for a moment that is over runs, also when the alarm is set already",
        arguments: [false, true])
    func overdue(onTime: Bool) throws {
        let loop = try Self.loop(onTime)
        var ran: [String] = []
        loop.schedule(after: .milliseconds(2)) {
            ran.append("first")
            loop.schedule(at: .zero) { ran.append("overdue") }
            loop.schedule(after: .milliseconds(1)) { loop.stop() }
        }
        loop.schedule(after: .seconds(600)) { ran.append("never") }
        try loop.run()
        #expect(ran == ["first", "overdue"])
    }

    @Test("one that stops the loop has the last word, whatever can be read")
    func stopsTheLoop() throws {
        let loop = try EventLoop()
        let pipe = try OwnedPipe()
        pipe.write()
        var isRead = false
        try loop.add(pipe.reader.rawValue, .readable) { _ in isRead = true }
        loop.schedule(at: .zero) { loop.stop() }
        try loop.run()
        #expect(!isRead)
    }

    @Test("one that is brought forward by a handler of a descriptor rings at its new time")
    func broughtForward() throws {
        let loop = try EventLoop()
        let (reader, writer) = try Pipe.make()
        let late = loop.schedule(after: .seconds(600)) { loop.stop() }
        var waited = Duration.zero
        try loop.add(reader.rawValue, .readable) { _ in
            loop.remove(reader.rawValue)
            loop.cancel(late)
            let start = MonotonicClock.now
            loop.schedule(at: start + .milliseconds(3)) {
                waited = MonotonicClock.now - start
                loop.stop()
            }
        }
        var octet: UInt8 = 1
        #expect(write(writer.rawValue, &octet, 1) == 1)
        try loop.run()
        #expect(waited >= .milliseconds(3))
    }

    @Test("the first of a round knows which descriptors were quiet, and the second does not")
    func quiet() throws {
        let loop = try EventLoop()
        let (reader, writer) = try Pipe.make()
        try loop.add(reader.rawValue, .readable) { _ in }
        var seen: [Bool] = []
        var moments: [MonotonicInstant] = []
        func look() {
            seen.append(loop.wasQuiet(reader.rawValue))
            moments.append(loop.now)
        }
        loop.schedule(at: MonotonicClock.now, handler: look)
        loop.schedule(at: MonotonicClock.now, handler: look)
        try loop.runOnce()
        #expect(seen == [true, false], "of the time that has passed since, nothing is known")
        #expect(moments[0] < moments[1])
        var octet: UInt8 = 1
        #expect(write(writer.rawValue, &octet, 1) == 1)
        loop.schedule(at: MonotonicClock.now, handler: look)
        try loop.runOnce()
        #expect(seen.last == false)
    }

    @Test("what was ready under a descriptor's number is not told to who got the number since")
    func reusedNumber() throws {
        let loop = try EventLoop()
        var told: [String] = []
        var kept: [OwnedPipe] = []
        // Both are ready in one round; whichever handler is first ends the other's watch.
        let pipes = try (0..<2).map { _ in try OwnedPipe() }
        for (index, pipe) in pipes.enumerated() {
            pipe.write()
            try loop.add(pipe.reader.rawValue, .readable) { _ in
                told.append("one of the two")
                loop.remove(pipe.reader.rawValue)
                let other = pipes[1 - index].reader
                loop.remove(other.rawValue)
                other.close()
                guard let next = try? OwnedPipe() else { return }
                kept.append(next)
                #expect(next.reader.rawValue == other.rawValue)
                try? loop.add(next.reader.rawValue, .readable) { _ in told.append("the next") }
            }
        }
        try loop.runOnce()
        #expect(told == ["one of the two"])
        kept[0].write()
        try loop.runOnce()
        #expect(told == ["one of the two", "the next"])
    }

    private final class OwnedPipe {
        let reader: SharedDescriptor
        private let writer: SharedDescriptor

        init() throws {
            let (reader, writer) = try Pipe.make()
            (self.reader, self.writer) = (reader, writer)
        }

        func write() {
            var octet: UInt8 = 1
            #expect(Glibc.write(writer.rawValue, &octet, 1) == 1)
        }
    }
}
