import Foundation
import Testing

@testable import LabReport

/// The page in a real browser: Chromium, which `scripts/setup` installs for the tests.
@Suite("The report in a browser", .enabled(if: Browser.path != nil, "needs chromium"), .serialized)
struct BrowserTests {
    private let page = HTMLReport(Fixture.record(), events: Fixture.events).text

    @Test("fits a phone and a desktop, and draws the master's lane", arguments: [390, 1280])
    func fits(width: Int) throws {
        let seen = try Browser.load(page, width: width)
        #expect(seen.errors.isEmpty)
        #expect(seen.contentWidth <= seen.windowWidth, "the page is wider than the window")
        #expect(seen.paintedPixels > 1000, "the timeline is empty")
        #expect(seen.masterPixels > 100, "no lane has the master's colour")
    }

    @Test("shows a real run, on a phone and on a desktop, in both schemes", arguments: [390, 1280])
    func showsRealRun(width: Int) throws {
        let run = try RecordedRun()
        let page = HTMLReport(run.record, events: run.events).text
        for isDark in [false, true] {
            let seen = try Browser.load(page, width: width, isDark: isDark)
            #expect(seen.errors.isEmpty)
            #expect(seen.contentWidth <= seen.windowWidth, "the page is wider than the window")
            // Over half of the run one of the two has the address.
            #expect(seen.masterPixels > width * 5)
            #expect(seen.range == "0 s to 15.151 s")
            #expect(seen.visibleLogLines.contains { $0.contains("stop master/keepalived") })
        }
    }

    @Test("follows the reader's scheme, light or dark")
    func schemes() throws {
        let light = try Browser.load(page, width: 800)
        let dark = try Browser.load(page, width: 800, isDark: true)
        #expect(light.background != dark.background)
        #expect(dark.masterPixels > 100)
        #expect(dark.errors.isEmpty)
    }

    @Test("a step's row leads to its moment: the timeline shows it")
    func leadsToMoment() throws {
        let seen = try Browser.load(
            page, width: 800, acting: "document.querySelector('tr[data-from=\"5000000\"]').click();"
        )
        #expect(seen.errors.isEmpty)
        #expect(seen.range == "4.95 s to 5.06 s")
    }

    @Test("the log's filter leaves the lines that contain it")
    func filters() throws {
        let seen = try Browser.load(
            page, width: 800,
            acting: """
                const filter = document.getElementById("filter");
                filter.value = "KILL"; filter.dispatchEvent(new Event("input"));
                """)
        #expect(seen.errors.isEmpty)
        #expect(seen.visibleLogLines == ["5 smasterkill master", "5.001 smasternode killed"])
    }
}

/// Chromium without a window.
private enum Browser {
    /// What it made of a page.
    struct Sight: Decodable {
        var errors: [String]
        var contentWidth: Int
        var windowWidth: Int
        var paintedPixels: Int
        var masterPixels: Int
        var background: String
        var range: String
        var visibleLogLines: [String]
    }

    static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Loads a page, does something on it, and says what it looks like then.
    static func load(
        _ page: String, width: Int, isDark: Bool = false, acting script: String = ""
    ) throws -> Sight {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "labctl-report-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("report.html")
        try observed(page, acting: script).write(to: file, atomically: true, encoding: .utf8)

        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(path))
        process.arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--user-data-dir=\(folder.path)/profile", "--window-size=\(width),1600",
            "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)", "--dump-dom", file.path,
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let document = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let marks = document.components(separatedBy: "@@@")
        try #require(marks.count == 3, "the page's script did not come to its end")
        let text = marks[1].replacingOccurrences(of: "&lt;", with: "<")
            .replacingOccurrences(of: "&amp;", with: "&")
        return try JSONDecoder().decode(Sight.self, from: Data(text.utf8))
    }

    /// The page with a script before its own that collects errors, and one behind that looks.
    private static func observed(_ page: String, acting script: String) -> String {
        let first =
            "<script>const errors = []; onerror = (text) => { errors.push(text); };</script>"
        let last = """
            <div id="sight" hidden></div>
            <script>
            \(script)
            const colours = getComputedStyle(document.documentElement);
            const hex = colours.getPropertyValue("--master").trim().slice(1);
            const wanted = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
            const canvas = document.querySelector("canvas");
            const bytes = canvas.getContext("2d")
              .getImageData(0, 0, canvas.width, canvas.height).data;
            let painted = 0, master = 0;
            for (let at = 0; at < bytes.length; at += 4) {
              if (bytes[at + 3] > 0) painted += 1;
              if (wanted.every((value, index) => bytes[at + index] === value)) master += 1;
            }
            document.getElementById("sight").textContent = "@" + "@@" + JSON.stringify({
              errors, contentWidth: document.documentElement.scrollWidth, windowWidth: innerWidth,
              paintedPixels: painted, masterPixels: master,
              background: getComputedStyle(document.body).backgroundColor,
              range: document.getElementById("range").textContent,
              visibleLogLines: [...document.querySelectorAll(".log tbody tr:not([hidden])")]
                .map((row) => row.textContent),
            }) + "@" + "@@";
            </script>
            </body>
            """
        return page.replacingOccurrences(of: "<head>", with: "<head>\(first)")
            .replacingOccurrences(of: "</body>", with: last)
    }
}
