/// Reads what is particular to `HTTP_GET` and `SSL_GET`.
struct HTTPCheckReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private var check: HTTPCheck

    init(usesTLS: Bool) { check = HTTPCheck(usesTLS: usesTLS) }

    /// The check; nil, and reported, when keepalived would leave it out.
    mutating func read(
        _ statements: [Statement], end: SourcePosition, options: inout CheckOptions
    ) -> HTTPCheck? {
        for inner in statements {
            let value = inner.value
            switch inner.name {
            case "nb_get_retry":
                adjusted(inner.position, "nb_get_retry is deprecated - please use 'retry'")
                let message = "Invalid nb_get_retry value '\(value.text)'"
                options.retries =
                    integer(value, in: 0...Int(UInt32.max), else: message) ?? options.retries
            case "virtualhost":
                if inner.arguments.isEmpty {
                    adjusted(inner.position, "HTTP_GET virtualhost name missing")
                } else {
                    check.virtualHost = value.text
                }
            case "http_protocol": readVersion(inner)
            case "fast_recovery":
                let message = "Invalid fast_recovery parameter \(value.text)"
                check.recoversFast = bool(inner, else: message) ?? check.recoversFast
            case "enable_sni":
                let message = "Invalid enable_sni parameter \(value.text)"
                check.sendsServerName = bool(inner, else: message) ?? check.sendsServerName
            case "url":
                if let page = readPage(inner) { check.pages.append(page) }
            default: break
            }
        }
        guard !check.pages.isEmpty else {
            adjusted(end, "HTTP/SSL_GET checker has no urls specified - ignoring")
            return nil
        }
        return check
    }

    private mutating func readVersion(_ inner: Statement) {
        guard let value = inner.arguments.first else {
            adjusted(inner.position, "Missing http_protocol version")
            return
        }
        let text = value.text == "1.0c" ? "1.0C" : value.text
        guard let version = HTTPCheck.Version(rawValue: text) else {
            adjusted(value.position, "Invalid http_protocol version \(value.text)")
            return
        }
        check.version = version
    }

    private mutating func readPage(_ block: Statement) -> HTTPCheck.Page? {
        var page = HTTPCheck.Page(path: "", position: block.position)
        var codes: [ClosedRange<Int>] = []
        for inner in block.body
        where !inner.rule.requiresParameter || !inner.arguments.isEmpty {
            switch inner.name {
            case "path": page.path = inner.value.text
            case "digest": page.digest = readDigest(inner.value, known: page.digest)
            case "status_code":
                for word in inner.arguments {
                    if let range = readStatusCodes(word) { codes.append(range) }
                }
            case "virtualhost":
                if inner.arguments.isEmpty {
                    adjusted(inner.position, "Missing HTTP_GET virtualhost name")
                } else {
                    page.virtualHost = inner.value.text
                }
            case "regex": page.expression = inner.arguments.first?.text
            case "regex_no_match": page.mustNotMatch = true
            case "regex_options": page.expressionOptions += inner.arguments.map(\.text)
            default: break
            }
        }
        guard !page.path.isEmpty else {
            adjusted(
                block.endPosition ?? block.position,
                "HTTP/SSL_GET checker url has no path - ignoring")
            return nil
        }
        if !codes.isEmpty { page.statusCodes = codes }
        return page
    }

    /// 32 hexadecimal digits.
    private mutating func readDigest(_ value: Word, known: [UInt8]?) -> [UInt8]? {
        let text = value.text
        guard known == nil else {
            adjusted(value.position, "Digest '\(text)' is a duplicate")
            return known
        }
        guard text.utf8.count == 32 else {
            adjusted(
                value.position,
                "digest '\(text)' character length should be 32 rather than \(text.utf8.count)")
            return nil
        }
        let digits = Array(text.utf8)
        var digest: [UInt8] = []
        for offset in stride(from: 0, to: 32, by: 2) {
            let pair = String(decoding: digits[offset..<offset + 2], as: UTF8.self)
            guard let octet = UInt8(pair, radix: 16) else {
                adjusted(
                    value.position,
                    "Unable to interpret hex digit in '\(text)' at offset \(offset)/\(offset + 1)")
                return nil
            }
            digest.append(octet)
        }
        return digest
    }

    private mutating func readStatusCodes(_ word: Word) -> ClosedRange<Int>? {
        let parts = word.text.split(
            separator: "-", maxSplits: 1, omittingEmptySubsequences: false
        ).map { Int($0) }
        guard let first = parts[0], let last = parts.count == 2 ? parts[1] : first,
            (100...599).contains(first), (100...599).contains(last), first <= last
        else {
            adjusted(word.position, "Invalid HTTP_GET status code '\(word.text)'")
            return nil
        }
        return first...last
    }
}
