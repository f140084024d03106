import CLinux
import Glibc
import SystemPackage

/// Where mail is kept on a machine: a file for each user.
public enum MailSpool {
    /// The usual folder.
    public static let folder = "/var/spool/mail"
    private static let mode: mode_t = 0o660

    /// The mailbox of a user.
    public static func path(of user: String, in folder: String = MailSpool.folder) -> String {
        "\(folder)/\(user)"
    }

    /// Appends to a user's mailbox, made if it is not there. It is locked meanwhile as mail readers
    /// lock it (fcntl(2)), so that what several programs append at once stands one after the other.
    ///
    /// - Throws: ``SystemError``. Of what does not fit on the disk nothing stays.
    public static func append(
        _ entry: [UInt8], to user: UserDatabase.User, group: UInt32,
        in folder: String = MailSpool.folder
    ) throws(SystemError) {
        try FileSystem.makeFolders(folder)
        let path = path(of: user.name, in: folder)
        let file = OwnedDescriptor(
            try systemCall("open \(path)") {
                clinux_open(
                    path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, Self.mode)
            })
        let number = file.rawValue
        try systemCall("lock \(path)") { lockf(number, F_LOCK, 0) }
        var information = stat()
        try systemCall("look at \(path)") { fstat(number, &information) }
        if information.st_size == 0 {
            try systemCall("set the mode of \(path)") { fchmod(number, Self.mode) }
            // Where root is alone it reads everybody's mail.
            if !IDMap.isRootAlone {
                try systemCall("set the owner of \(path)") { fchown(number, user.userID, group) }
            }
        }
        do {
            try FileSystem.writeAll(entry[...], to: number, name: path)
        } catch {
            // Half a message would be taken for a whole one.
            ftruncate(number, information.st_size)
            throw error
        }
    }
}
