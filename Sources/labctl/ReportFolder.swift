import LabKit
import LabModel
import LabReport
import LinuxSystem

/// A folder with a page for each run, and one that leads to them.
struct ReportFolder {
    private let path: String

    init(_ path: String) { self.path = path }

    /// Writes the pages of all runs that are recorded.
    ///
    /// - Throws: ``LabError`` when a record cannot be read or a page not be written.
    func write(_ results: [TestResult]) throws {
        do {
            try FileSystem.makeFolders(path)
            var pages: [String?] = []
            for result in results {
                guard let folder = result.run else {
                    pages.append(nil)
                    continue
                }
                let run = RecordedRun(path: folder)
                let page = "\(result.lab)-\(run.folderName).html"
                try FileSystem.write(Array(try run.page().utf8), to: "\(path)/\(page)")
                pages.append(page)
            }
            try FileSystem.write(
                Array(HTMLIndex(results, pages: pages).text.utf8), to: "\(path)/index.html")
        } catch let error as SystemError {
            throw LabError.failed("\(error)")
        }
    }
}

extension RecordedRun {
    /// The run as a page.
    func page() throws -> String {
        let printed = lines().map {
            PrintedLine(time: $0.time, node: $0.node, service: $0.service, text: $0.text)
        }
        return HTMLReport(try record(), events: try events(), printed: printed).text
    }
}
