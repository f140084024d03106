import Testing

@testable import HTTPBackend

@Suite("The target of a request")
struct SitePathTests {
    @Test(
        "names a path below the root, decoded, whatever way it is written",
        arguments: [
            ("/", "."), ("//", "."), ("/index.html", "index.html"), ("/a/b.txt", "a/b.txt"),
            ("/a/", "a/"), ("/a//b", "a/b"), ("//host/a", "host/a"), ("/a?b=/../c", "a"),
            ("/?q", "."), ("/%61%2Db", "a-b"), ("/a%20b", "a b"), ("/%C3%A9", "é"), ("/é", "é"),
            ("http://192.0.2.1/a/b", "a/b"), ("HTTP://host:80", "."), ("http://host?q", "."),
        ])
    func names(target: String, path: String) throws {
        #expect(try SitePath(target: target).relativePath == Array(path.utf8))
    }

    @Test(
        "never climbs above the root, and loses dot segments before (RFC 3986 §5.2.4)",
        arguments: [
            ("/a/../b", "b"), ("/a/./b", "a/b"), ("/a/..", "."), ("/a/b/..", "a/"),
            ("/a/.", "a/"), ("/a/%2e%2E/b", "b"), ("/a/%2e/b", "a/b"), ("/...", "..."),
            ("/..a", "..a"),
        ])
    func dotSegments(target: String, path: String) throws {
        #expect(try SitePath(target: target).relativePath == Array(path.utf8))
    }

    @Test(
        "is malformed when it climbs, holds a NUL or a broken escape, or is no path",
        arguments: [
            "/..", "/../../etc/passwd", "/%2e%2e/etc", "/a/../..", "/.%2e/", "/a%00", "/%00/../a",
            "/%", "/%4", "/%zz", "/%+1", "*", "", "a", "?q", "host:80", "/a#b", "ftp://host/",
        ])
    func malformed(target: String) {
        #expect(throws: SitePath.Problem.malformed) { try SitePath(target: target) }
    }

    @Test(
        "names nothing when a name in it holds a slash, which no file's can",
        arguments: ["/a%2fb", "/..%2f..%2fetc%2fpasswd", "/%2F"])
    func unnameable(target: String) {
        #expect(throws: SitePath.Problem.unnameable) { try SitePath(target: target) }
    }

    @Test(
        "of a folder is written again with one slash at each end, escaped, with its query",
        arguments: [
            ("/a", "/a/"), ("//evil.example/..//sub", "/sub/"),
            ("//evil.example", "/evil.example/"),
            ("/a%20%0d%0aX:%20y", "/a%20%0D%0AX%3A%20y/"), ("/a?q=1", "/a/?q=1"),
        ])
    func folderTarget(target: String, folder: String) throws {
        #expect(try SitePath(target: target).folderTarget == folder)
    }
}

@Suite("The media type")
struct MediaTypeTests {
    @Test(
        "comes from the extension",
        arguments: [
            ("/index.html", "text/html; charset=utf-8"), ("/A.HTML", "text/html; charset=utf-8"),
            ("/a.tar.gz", "application/gzip"), ("/a/b.d/c.png", "image/png"),
            ("/a.txt", "text/plain; charset=utf-8"), ("/html", "application/octet-stream"),
            ("/a.b/html", "application/octet-stream"), ("/a.", "application/octet-stream"),
            ("/", "application/octet-stream"),
        ])
    func byExtension(target: String, type: String) throws {
        #expect(MediaType.of(try SitePath(target: target)) == type)
    }
}
