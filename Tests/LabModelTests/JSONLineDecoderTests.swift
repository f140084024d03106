import Foundation
import LabModel
import Testing

@Suite("Lines of JSON, read")
struct JSONLineDecoderTests {
    private struct Thing: Codable, Equatable {
        struct Part: Codable, Equatable { var flag: Bool }
        var text: String
        var number: Int64
        var small: UInt8?
        var parts: [Part] = []
        var names: [[String]] = []
    }

    private func read(_ text: String) throws -> Thing {
        try JSONLineDecoder().decode(Thing.self, from: text.utf8)
    }

    @Test(
        "what JSONDecoder reads is read alike",
        arguments: [
            #"{"text":"","number":0,"parts":[],"names":[]}"#,
            #" { "names" : [ [ ] , ["a","b"] ], "parts":[{"flag":true},{"flag":false}], "#
                + #""number" : -9223372036854775808,"text":"x","small":255 } "#,
            #"{"text":"\"\\\/\b\f\n\r\t\u00e9\u0041\ud83e\udd84","#
                + #""number":9223372036854775807,"parts":[],"names":[],"small":null}"#,
            #"{"other":{"deep":[1,2,{"x":null}]},"text":"Grüße","number":1,"names":[],"parts":[]}"#,
        ])
    func alike(_ text: String) throws {
        let expected = try JSONDecoder().decode(Thing.self, from: Data(text.utf8))
        #expect(try read(text) == expected)
    }

    @Test(
        "what is no JSON is refused, and what does not fit as well",
        arguments: [
            "", "{", "{}", "[]", "nul", #"{"text":"x","number":1,"parts":[],"names":[]}x"#,
            #"{"text":"x","number":1,"parts":[],"names":[]"#, #"{"text":"x" "number":1}"#,
            #"{"text":x,"number":1,"parts":[],"names":[]}"#,
            #"{"text":"x","number":1.5,"parts":[],"names":[]}"#,
            #"{"text":"x","number":9223372036854775808,"parts":[],"names":[]}"#,
            #"{"text":"x","number":1,"small":256,"parts":[],"names":[]}"#,
            #"{"text":"x","number":"1","parts":[],"names":[]}"#,
            #"{"text":1,"number":1,"parts":[],"names":[]}"#,
            #"{"text":"\x","number":1,"parts":[],"names":[]}"#,
            #"{"text":"\ud83e","number":1,"parts":[],"names":[]}"#,
            #"{"text":"\u12","number":1,"parts":[],"names":[]}"#,
            #"{"text":"x\"#, "{\"text\":\"\n\",\"number\":1,\"parts\":[],\"names\":[]}",
            #"{"text":"x","number":1,"parts":[1],"names":[]}"#,
            String(repeating: "[", count: 100_000),
        ])
    func refused(_ text: String) {
        #expect(throws: DecodingError.self) { try read(text) }
    }
}
