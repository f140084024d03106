import LabModel

/// A page that leads to the pages of several runs, with what their repetitions measured.
public struct HTMLIndex {
    private let results: [TestResult]
    private let pages: [String?]

    /// - Parameters:
    ///   - results: in the order in which they are to stand.
    ///   - pages: the file of each result's page beside this one; nil where there is none.
    public init(_ results: [TestResult], pages: [String?]) {
        precondition(results.count == pages.count, "a page or nil for each result")
        self.results = results
        self.pages = pages
    }

    /// The page.
    public var text: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>labctl test</title>
        <style>
        \(String(decoding: PackageResources.report_css, as: UTF8.self))</style>
        </head>
        <body>
        <main>
        <h1>\(summary)</h1>
        \(runs)
        \(statistics)
        </main>
        </body>
        </html>

        """
    }

    private var summary: String {
        TestResult.Outcome.words.compactMap { word in
            let count = results.count { $0.outcome.word == word }
            return count == 0 ? nil : "\(count) \(word)"
        }.joined(separator: ", ")
    }

    private var runs: String {
        let rows = zip(results, pages).map { result, page in
            let name = Markup.escaped(result.name)
            let link = page.map { "<a href=\"\(Markup.escaped(Self.encoded($0)))\">\(name)</a>" }
            let message = result.outcome.message ?? ""
            return """
                <tr><td><span class="\(result.outcome.word)">\(result.outcome.word)</span></td>\
                <td class="words">\(link ?? name)<div class="faint">\(Markup.escaped(message))\
                </div></td><td class="number">\(Markup.escaped(result.duration.text))</td></tr>
                """
        }
        return """
            <section><h2>Runs</h2><div class="scroll"><table><thead><tr><th>verdict</th>\
            <th>run</th><th class="number">took</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div></section>
            """
    }

    private var statistics: String {
        let rows = RunStatistics(results).rows
        guard let header = rows.first, rows.count > 1 else { return "" }
        func cells(_ row: [String], _ tag: String) -> String {
            row.enumerated().map { column, text in
                let kind = column < 2 ? "words" : "number"
                return "<\(tag) class=\"\(kind)\">\(Markup.escaped(text))</\(tag)>"
            }.joined()
        }
        let body = rows.dropFirst().map { "<tr>\(cells($0, "td"))</tr>" }
        return """
            <section><h2>What was measured</h2><div class="scroll"><table>
            <thead><tr>\(cells(header.map { $0.lowercased() }, "th"))</tr></thead>
            <tbody>\(body.joined(separator: "\n"))</tbody></table></div></section>
            """
    }

    /// A file's name as a reference: what means something in one is written in hexadecimal digits.
    private static func encoded(_ name: String) -> String {
        name.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                return String(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                return "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }.joined()
    }
}
