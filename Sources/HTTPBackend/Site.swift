import Glibc
import LinuxSystem
import SystemPackage

/// The served folder on disk. Nothing is remembered: every request looks again.
struct Site: Sendable {
    /// The folder's path.
    let root: String

    /// What stands at `path`, opened when it is a file.
    func find(_ path: SitePath) -> Finding<SharedDescriptor> {
        do {
            // The root is opened anew too, so that a folder put in its place is served at once.
            let folder = try openRoot()
            // O_NONBLOCK: a FIFO would wait for its writer.
            let file = try OwnedDescriptor.open(
                beneath: folder, path: path.relativePath,
                flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
            var status = stat()
            let number = file.rawValue
            try systemCall("look at \(display(path))") { fstat(number, &status) }
            switch status.st_mode & S_IFMT {
            case S_IFREG:
                return .file(
                    SharedDescriptor(file), length: Int64(status.st_size),
                    modified: HTTPDate(seconds: Int64(status.st_mtim.tv_sec)))
            case S_IFDIR:
                return .folder
            default:
                return .forbidden
            }
        } catch {
            return finding(for: error, at: path)
        }
    }

    /// Checks at start what would otherwise fail on every request.
    func check() throws(SystemError) { _ = try openRoot() }

    private func openRoot() throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(
            try systemCall("serve \(root)") { open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }

    private func finding(
        for error: SystemError, at path: SitePath
    ) -> Finding<SharedDescriptor> {
        switch error.code {
        case .noSuchFileOrDirectory, .notDirectory, .fileNameTooLong:
            return .missing
        // EXDEV: a link leads out of the root. ENXIO: a socket, or a device without a driver.
        case .permissionDenied, .notPermitted, .improperLink, .tooManySymbolicLinkLevels,
            .noSuchAddressOrDevice:
            return .forbidden
        default:
            return .failed(reason: "\(display(path)): \(error)")
        }
    }

    private func display(_ path: SitePath) -> String {
        "\(root)/\(String(decoding: path.relativePath, as: UTF8.self))"
    }
}
