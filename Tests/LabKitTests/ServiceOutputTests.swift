import Glibc
import LabModel
import NetworkTypes
import Testing

@testable import LabKit
@testable import LinuxSystem

@Suite("what services print is read once and in order")
struct ServiceOutputTests {
    /// Output below a folder of its own, which goes with it.
    private final class Kept {
        private let folder: TemporaryFolder
        let loop: EventLoop
        let output: ServiceOutput
        var lines: [String] = []

        init() throws {
            folder = try TemporaryFolder()
            loop = try EventLoop()
            output = ServiceOutput(loop: loop, folder: folder.path)
        }

        /// Attaches a service that has printed `text` and ended.
        func attach(_ text: String) throws {
            let (reader, writer) = try Pipe.make()
            try FileSystem.writeAll(Array(text.utf8)[...], to: writer.rawValue, name: "pipe")
            output.attach(reader, node: "n", service: "s", isError: false, pid: 7)
        }
    }

    @Test("who is told of a line may ask for what else there is: it comes after that line")
    func reentrant() throws {
        let kept = try Kept()
        _ = kept.output.addListener { line in
            kept.lines.append(line.text)
            kept.output.catchUp(node: "n", service: "s")
        }
        try kept.attach("one\ntwo\nthree")
        // What is there, and the end.
        try kept.loop.runOnce()
        try kept.loop.runOnce()
        #expect(kept.lines == ["one", "two", "three"])
        let stored = kept.output.lines(node: "n", service: "s")
        #expect(stored.map(\.text) == kept.lines)
        #expect(stored.allSatisfy { $0.pid == 7 })
    }
}
