import LabModel
import Testing

@testable import LabReport

@Suite("The report as a page")
struct HTMLReportTests {
    private let page = HTMLReport(
        Fixture.record(.failed(step: 1, message: "expected <b>; seen: \"&\"")),
        events: Fixture.events
    ).text

    @Test("it needs nothing from anywhere else")
    func selfContained() {
        for reference in ["src=", "href=", "@import", "url(", "fetch(", "import("] {
            #expect(!page.contains(reference), "\(reference)")
        }
    }

    @Test("texts of labs and servers are no markup, in tables as in the script's data")
    func escaping() {
        #expect(page.contains("expected &lt;b&gt;; seen: &quot;&amp;&quot;"))
        #expect(page.contains("the master&#39;s power is cut &lt;at once&gt;"))
        let scripts = page.split(separator: "</script>", omittingEmptySubsequences: false).count - 1
        #expect(scripts == 2)
    }

    @Test("verdict, message, topology, steps and outage are there without the script")
    func withoutScript() {
        #expect(page.contains(#"<span class="verdict failed">failed</span>"#))
        #expect(page.contains("10.10.10.1/24"))
        #expect(page.contains(#"<tr data-from="5000000" data-to="5010000">"#))
        #expect(page.contains(#"<td class="number">3.62 s</td>"#))
    }
}
