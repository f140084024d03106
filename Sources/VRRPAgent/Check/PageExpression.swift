import Glibc
import KeepalivedConf

/// The regular expressions of `HTTP_GET`, by PCRE2, which is loaded where somebody has written one:
/// see ``TLSLibrary``.
final class PageExpression: Sendable {
    private typealias Compile =
        @convention(c) (
            UnsafePointer<UInt8>?, Int, UInt32, UnsafeMutablePointer<CInt>?,
            UnsafeMutablePointer<Int>?, OpaquePointer?
        ) -> OpaquePointer?
    private typealias MakeData = @convention(c) (OpaquePointer?, OpaquePointer?) -> OpaquePointer?
    private typealias Match =
        @convention(c) (
            OpaquePointer?, UnsafePointer<UInt8>?, Int, Int, UInt32, OpaquePointer?, OpaquePointer?
        ) -> CInt
    private typealias Free = @convention(c) (OpaquePointer?) -> Void

    private let pattern: [UInt8]
    private let options: UInt32

    private init(_ pattern: String, _ options: [String]) {
        self.pattern = Array(pattern.utf8)
        self.options = options.reduce(0) { $0 | (Self.options[$1] ?? 0) }
    }

    /// Whether a body matches a page's expression; one that cannot be looked for matches nothing.
    static func matcher(_ page: HTTPCheck.Page) -> @Sendable ([UInt8]) -> Bool {
        guard let text = page.expression else { return { _ in true } }
        let expression = PageExpression(text, page.expressionOptions)
        return { expression.matches($0) }
    }

    private func matches(_ body: [UInt8]) -> Bool {
        guard let library = dlopen("libpcre2-8.so.0", RTLD_NOW) else { return false }
        defer { dlclose(library) }
        func find<Function>(_ name: String, as: Function.Type = Function.self) -> Function? {
            dlsym(library, name).map { unsafeBitCast($0, to: Function.self) }
        }
        guard let compile: Compile = find("pcre2_compile_8"),
            let makeData: MakeData = find("pcre2_match_data_create_from_pattern_8"),
            let match: Match = find("pcre2_match_8"),
            let freeCode: Free = find("pcre2_code_free_8"),
            let freeData: Free = find("pcre2_match_data_free_8")
        else { return false }
        var (code, offset): (CInt, Int) = (0, 0)
        guard let compiled = compile(pattern, pattern.count, options, &code, &offset, nil)
        else { return false }
        defer { freeCode(compiled) }
        let data = makeData(compiled, nil)
        defer { freeData(data) }
        return match(compiled, body, body.count, 0, 0, data, nil) >= 0
    }

    /// PCRE2_... (pcre2.h), by the words of `regex_options`.
    private static let options: [String: UInt32] = [
        "allow_empty_class": 0x1, "alt_bsux": 0x2, "caseless": 0x8, "dollar_endonly": 0x10,
        "dotall": 0x20, "extended": 0x80, "match_unset_backref": 0x200, "multiline": 0x400,
        "never_ucp": 0x800, "never_utf": 0x1000, "no_auto_capture": 0x2000,
        "no_auto_possess": 0x4000, "no_dotstar_anchor": 0x8000, "no_start_optimize": 0x1_0000,
        "ucp": 0x2_0000, "ungreedy": 0x4_0000, "utf": 0x8_0000, "never_backslash_c": 0x10_0000,
        "alt_circumflex": 0x20_0000, "alt_verbnames": 0x40_0000,
    ]
}
