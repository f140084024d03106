/// The media type a file is served with, by the extension of its name.
enum MediaType {
    /// The Content-Type of the file at `path`.
    static func of(_ path: SitePath) -> String {
        guard let name = path.segments.last, let dot = name.lastIndex(of: UInt8(ascii: ".")) else {
            return unknown
        }
        let ending = String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased()
        return types[ending] ?? unknown
    }

    /// Bytes of which nothing is known: a browser offers to save them.
    static let unknown = "application/octet-stream"

    /// The type of the short explanations that go with a refusal.
    static let plainText = "text/plain; charset=utf-8"

    private static let types = [
        "html": "text/html; charset=utf-8", "htm": "text/html; charset=utf-8",
        "txt": plainText, "md": plainText, "log": plainText, "conf": plainText,
        "css": "text/css; charset=utf-8", "csv": "text/csv; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "mjs": "text/javascript; charset=utf-8",
        "json": "application/json", "xml": "application/xml", "pdf": "application/pdf",
        "wasm": "application/wasm", "zip": "application/zip", "gz": "application/gzip",
        "tar": "application/x-tar", "pcap": "application/vnd.tcpdump.pcap",
        "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg",
        "gif": "image/gif", "webp": "image/webp", "avif": "image/avif", "ico": "image/x-icon",
        "woff": "font/woff", "woff2": "font/woff2",
        "mp3": "audio/mpeg", "mp4": "video/mp4", "webm": "video/webm",
    ]
}
