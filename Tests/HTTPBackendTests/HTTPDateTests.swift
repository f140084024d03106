import Testing

@testable import HTTPBackend

@Suite("RFC 9110 §5.6.7: dates")
struct HTTPDateTests {
    /// 1994-11-06 08:49:37, the RFC's own example.
    private let example = HTTPDate(seconds: 784_111_777)

    @Test(
        "are written in the fixed form",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ])
    func written(seconds: Int64, text: String) {
        #expect(HTTPDate(seconds: seconds).fieldValue == text)
        #expect(HTTPDate(fieldValue: text, now: example)?.seconds == seconds)
    }

    @Test(
        "are read in all three forms",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ])
    func read(text: String) {
        #expect(HTTPDate(fieldValue: text, now: example) == example)
    }

    @Test("with two digits of a year mean the last such year not over 50 years ahead")
    func shortYears() {
        func year(_ digits: String, in present: Int64) -> String? {
            HTTPDate(
                fieldValue: "Sunday, 06-Nov-\(digits) 08:49:37 GMT", now: HTTPDate(seconds: present)
            ).map { String($0.fieldValue.split(separator: " ")[3]) }
        }
        let in2026: Int64 = 1_780_000_000
        #expect(year("94", in: in2026) == "1994")
        #expect(year("25", in: in2026) == "2025")
        #expect(year("76", in: in2026) == "2076")
        #expect(year("77", in: in2026) == "1977")
    }

    @Test(
        "that cannot be are not read",
        arguments: [
            "", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 31 Nov 1994 08:49:37 GMT", "Tue, 29 Feb 2023 00:00:00 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "784111777",
        ])
    func unreadable(text: String) {
        #expect(HTTPDate(fieldValue: text, now: example) == nil)
    }

    @Test("survive being written and read anywhere in a calendar's whole round")
    func roundTrip() {
        for day in stride(from: Int64(-146_097), through: 146_097, by: 97) {
            let date = HTTPDate(seconds: day * 86400 + 12345)
            #expect(HTTPDate(fieldValue: date.fieldValue, now: example) == date)
        }
    }
}
