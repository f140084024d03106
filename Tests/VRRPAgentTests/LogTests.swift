import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("The log's lines")
struct LogRecordTests {
    @Test("a line about an instance names it apart from what it says")
    func instance() {
        let record = LogRecord("(VI_1) Entering MASTER STATE", .info)
        #expect(record.instance == "VI_1" && record.message == "Entering MASTER STATE")
        #expect(record.text == "(VI_1) Entering MASTER STATE")
    }

    @Test(
        "a line that begins otherwise is about none",
        arguments: [
            "Startup complete", "(k.conf: Line 20) Truncating auth_pass to 8 characters",
            "(Line 4) Unknown keyword 'x'", "(3 lines were dropped, nobody read them)", "() x",
        ])
    func plain(_ text: String) {
        let record = LogRecord(text, .detail)
        #expect(record.instance == nil && record.message == text)
    }

    @Test("JSON has both clocks to the nanosecond, and escapes what it must")
    func json() {
        let json = LogRecord("(a\"b) tab\there \u{1} /x \\", .detail).json(
            realtimeNanoseconds: 1_795_279_391_006_679_005,
            monotonic: MonotonicInstant(nanoseconds: 12_000_000_034))
        #expect(
            json
                == #"{"time":"2026-11-21T16:43:11.006679005Z","monotonic":12.000000034,"#
                + #""level":"detail","#
                + #""instance":"a\"b","message":"tab\there \u0001 /x \\"}"#)
    }

    @Test(
        "times are dates of the calendar, leap days included",
        arguments: [
            (0, "1970-01-01T00:00:00"), (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"), (951_868_800, "2000-03-01T00:00:00"),
            (1_798_761_599, "2026-12-31T23:59:59"), (4_107_542_400, "2100-03-01T00:00:00"),
        ] as [(Int64, String)])
    func dates(_ seconds: Int64, _ text: String) {
        let json = LogRecord("x", .info).json(
            realtimeNanoseconds: seconds * 1_000_000_000,
            monotonic: MonotonicInstant(nanoseconds: 1))
        #expect(json.hasPrefix("{\"time\":\"\(text).000000000Z\","))
    }
}

@Suite("A log that has to wait")
struct HeldLogTests {
    @Test("lines of an urgent matter are written when it is done, in their order and once")
    func order() throws {
        let path = "/tmp/vrrp-agent-log-\(getpid())"
        defer { try? FileSystem.remove(path) }
        var options = Options.LogOptions()
        options.file = path
        let log = try Log(options, isForeground: false)
        func written() throws -> [String] {
            try FileSystem.readText(path).split(separator: "\n").map {
                String($0.split(separator: " ").last ?? "")
            }
        }
        log.line("first")
        var meanwhile: [String]?
        log.withoutWriting {
            log.line("second")
            log.withoutWriting { log.line("third") }
            meanwhile = try? written()
        }
        #expect(meanwhile == ["first"])
        log.line("fourth")
        #expect(try written() == ["first", "second", "third", "fourth"])
    }
}
