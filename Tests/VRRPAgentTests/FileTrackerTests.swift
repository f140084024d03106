import Glibc
import KeepalivedConf
import LinuxSystem
import Testing

@testable import VRRPAgent

@Suite("track_file: a number in a file (KEEPALIVED.md §1.5)")
struct FileTrackerTests {
    private let bench: AgentBench
    private let tracker: FileTracker
    private let told: Told

    private final class Told { var values: [String] = [] }

    init() throws {
        let bench = try AgentBench()
        let told = Told()
        self.bench = bench
        self.told = told
        tracker = try FileTracker(loop: bench.loop, log: bench.log) {
            told.values.append("\($0) \($1)")
        }
    }

    private func definition(_ name: String, in folder: String? = nil) -> TrackFile {
        var definition = TrackFile(
            name: name, position: SourcePosition(file: "x", line: 1, column: 1))
        definition.path = "\(folder ?? bench.folder)/\(name)"
        return definition
    }

    private func write(_ text: String, _ name: String) throws {
        try FileSystem.write(Array(text.utf8), to: "\(bench.folder)/\(name)")
    }

    @Test(
        "as strtol(3) reads it",
        arguments: [
            ("5", 5), ("-7\n", -7), ("  +12 apples", 12), ("0x1F", 31), ("0X1f", 31), ("010", 8),
            ("", 0), ("\n", 0), ("apples", 0), ("-", 0), ("0x", 0), ("0xg", 0), ("08", 0),
            ("2147483648", 2_147_483_648), ("-2147483648", -2_147_483_648),
            ("2147483649", nil), ("-2147483649", nil), ("99999999999999999999999", nil),
            ("0xffffffffffffffffffffffff", nil),
        ] as [(String, Int?)])
    func parse(text: String, value: Int?) {
        #expect(TrackedFileValue.parse(Array(text.utf8)) == value)
    }

    @Test("writing, replacing and removing the file is told as it happens")
    func changes() throws {
        #expect(tracker.add(definition("a")) == 0, "a file that is not there")
        try write("5", "b")
        #expect(tracker.add(definition("b")) == 5)
        try write("-3", "a")
        try bench.run(until: { told.values == ["a -3"] })
        try write("-3\n", "a")
        try write("250", "new")
        #expect(rename("\(bench.folder)/new", "\(bench.folder)/b") == 0)
        try bench.run(until: { told.values == ["a -3", "b 250"] })
        try FileSystem.remove("\(bench.folder)/a")
        try bench.run(until: { told.values.last == "a 0" })
        #expect(told.values.count == 3, "the same value is not told twice")
        tracker.remove("b")
        try write("1", "b")
        try write("1", "a")
        try bench.run(until: { told.values.last == "a 1" })
        #expect(told.values.count == 4)
    }

    @Test("a number that is none leaves the old one in force, with keepalived's complaint")
    func invalid() throws {
        try write("5", "a")
        #expect(tracker.add(definition("a")) == 5)
        try write("99999999999999\n", "a")
        try bench.run(until: { !bench.lines.isEmpty })
        #expect(
            bench.lines == [
                "Invalid number 99999999999999 read from \(bench.folder)/a - ignoring"
            ])
        #expect(told.values == [])
    }

    @Test("links: the file behind one, and a link turned round")
    func links() throws {
        try FileSystem.makeFolders("\(bench.folder)/one")
        try FileSystem.makeFolders("\(bench.folder)/two")
        try write("1", "one/v")
        try write("2", "two/v")
        try FileSystem.link("\(bench.folder)/a", to: "\(bench.folder)/one/v")
        #expect(tracker.add(definition("a")) == 1)
        try write("11", "one/v")
        try bench.run(until: { told.values == ["a 11"] })
        try FileSystem.link("\(bench.folder)/a.new", to: "\(bench.folder)/two/v")
        #expect(rename("\(bench.folder)/a.new", "\(bench.folder)/a") == 0)
        try bench.run(until: { told.values == ["a 11", "a 2"] })
        try write("22", "two/v")
        try bench.run(until: { told.values == ["a 11", "a 2", "a 22"] })
    }

    @Test("without a folder it is not tracked; a folder that goes takes its files' values along")
    func folders() throws {
        #expect(tracker.add(definition("a", in: "\(bench.folder)/none")) == nil)
        #expect(bench.lines == ["Track file directory for a does not exist - removing"])
        try FileSystem.makeFolders("\(bench.folder)/here")
        try write("9", "here/b")
        #expect(tracker.add(definition("b", in: "\(bench.folder)/here")) == 9)
        try FileSystem.removeTree("\(bench.folder)/here")
        try bench.run(until: { told.values == ["b 0"] })
        try FileSystem.makeFolders("\(bench.folder)/here")
        try write("8", "here/b")
        try bench.run(until: { told.values == ["b 0", "b 8"] })
    }

    @Test("init_file makes the file, and overwrites it where that is asked for, but on reload")
    func initialization() throws {
        var definition = definition("a")
        func value() -> String { bench.text("a") }
        #expect(FileTracker.initialize(definition, isReload: false, log: bench.log))
        #expect(!FileSystem.exists(definition.path))
        definition.initialization = .init(value: 7, overwrites: false)
        #expect(FileTracker.initialize(definition, isReload: false, log: bench.log))
        #expect(value() == "7\n")
        #expect(try FileSystem.attributes(definition.path).mode == 0o600)
        definition.initialization = .init(value: 8, overwrites: false)
        #expect(FileTracker.initialize(definition, isReload: false, log: bench.log))
        #expect(value() == "7\n")
        definition.initialization = .init(value: 9, overwrites: true)
        #expect(FileTracker.initialize(definition, isReload: true, log: bench.log))
        #expect(value() == "7\n")
        #expect(FileTracker.initialize(definition, isReload: false, log: bench.log))
        #expect(value() == "9\n")
        definition.path = bench.folder
        #expect(!FileTracker.initialize(definition, isReload: false, log: bench.log))
        #expect(
            bench.lines == ["Cannot initialise track file a - it is not a regular file"])
    }
}
