import Glibc
import LinuxSystem
import SystemPackage

/// The encryption of one connection of an `SSL_GET`, by OpenSSL on a socket that does not block.
///
/// Certificates are not verified, as keepalived's without an `SSL` block are not: the check asks
/// whether a machine serves its pages, not who it is.
final class TLSSession {
    /// What came of a call.
    enum Outcome {
        case done(Int)
        /// Nothing as yet: to be called again when the socket is that.
        case wants(EventLoop.Interest)
        /// The other side has closed the session.
        case closed
        case failed(Errno)
    }

    private let library: TLSLibrary
    private let session: OpaquePointer

    /// - Parameters:
    ///   - descriptor: of a connected socket, which stays the caller's.
    ///   - serverName: what the other side is asked to be (`enable_sni`); nil: nothing.
    /// - Returns: nil where there is no memory.
    init?(_ library: TLSLibrary, _ descriptor: CInt, serverName: String?) {
        guard let session = library.makeSession() else { return nil }
        self.library = library
        self.session = session
        _ = library.setDescriptor(session, descriptor)
        if let serverName { library.setServerName(session, serverName) }
    }

    deinit { library.freeSession(session) }

    func connect() -> Outcome {
        let result = library.connect(session)
        return result == 1 ? .done(0) : outcome(result)
    }

    func read(_ buffer: inout [UInt8]) -> Outcome {
        let result = buffer.withUnsafeMutableBytes {
            library.read(session, $0.baseAddress, CInt($0.count))
        }
        return result > 0 ? .done(Int(result)) : outcome(result)
    }

    func write(_ bytes: ArraySlice<UInt8>) -> Outcome {
        let result = bytes.withUnsafeBytes {
            library.write(session, $0.baseAddress, CInt($0.count))
        }
        return result > 0 ? .done(Int(result)) : outcome(result)
    }

    /// SSL_ERROR_... (ssl.h).
    private func outcome(_ result: CInt) -> Outcome {
        switch library.error(session, result) {
        case 2: return .wants(.readable)
        case 3: return .wants(.writable)
        case 6: return .closed
        // The other side has closed the connection without a word: many web servers do.
        case 5 where errno == 0: return .closed
        // OpenSSL 3 counts that among the protocol's errors.
        case 1 where library.lastReason == Self.unexpectedEnd: return .closed
        default: return .failed(.ioError)
        }
    }

    /// SSL_R_UNEXPECTED_EOF_WHILE_READING.
    private static let unexpectedEnd: UInt = 294
}

/// The functions of OpenSSL 3 that a session takes, found at run time: the daemon neither needs the
/// library to start, nor has it in its memory where nobody asks for an encrypted page.
final class TLSLibrary {
    typealias Session = OpaquePointer
    private typealias Make = @convention(c) (OpaquePointer?) -> OpaquePointer?
    private typealias Method = @convention(c) () -> OpaquePointer?
    private typealias Free = @convention(c) (OpaquePointer?) -> Void
    private typealias Call = @convention(c) (OpaquePointer?) -> CInt
    private typealias SetNumber = @convention(c) (OpaquePointer?, CInt) -> CInt
    private typealias Control =
        @convention(c) (
            OpaquePointer?, CInt, CLong, UnsafeMutableRawPointer?
        ) -> CLong
    private typealias Read =
        @convention(c) (
            OpaquePointer?, UnsafeMutableRawPointer?, CInt
        ) -> CInt
    private typealias Write = @convention(c) (OpaquePointer?, UnsafeRawPointer?, CInt) -> CInt
    private typealias PeekError = @convention(c) () -> CUnsignedLong
    private typealias ClearErrors = @convention(c) () -> Void

    private let context: OpaquePointer
    private let make: Make
    private let free: Free
    private let setNumber: SetNumber
    private let control: Control
    private let connectCall: Call
    private let readCall: Read
    private let writeCall: Write
    private let errorCall: SetNumber
    private let peekError: PeekError
    private let clearErrors: ClearErrors

    /// Nil where there is no OpenSSL.
    init?() {
        guard let library = dlopen("libssl.so.3", RTLD_NOW) else { return nil }
        func find<Function>(_ name: String, as: Function.Type = Function.self) -> Function? {
            dlsym(library, name).map { unsafeBitCast($0, to: Function.self) }
        }
        guard let method: Method = find("TLS_client_method"),
            let makeContext: Make = find("SSL_CTX_new"), let make: Make = find("SSL_new"),
            let free: Free = find("SSL_free"), let setNumber: SetNumber = find("SSL_set_fd"),
            let control: Control = find("SSL_ctrl"), let connect: Call = find("SSL_connect"),
            let read: Read = find("SSL_read"), let write: Write = find("SSL_write"),
            let error: SetNumber = find("SSL_get_error"),
            let peekError: PeekError = find("ERR_peek_error"),
            let clearErrors: ClearErrors = find("ERR_clear_error"),
            let context = makeContext(method())
        else { return nil }
        self.context = context
        self.make = make
        self.free = free
        self.setNumber = setNumber
        self.control = control
        connectCall = connect
        readCall = read
        writeCall = write
        errorCall = error
        self.peekError = peekError
        self.clearErrors = clearErrors
    }

    func makeSession() -> Session? { make(context) }
    func freeSession(_ session: Session) { free(session) }
    func setDescriptor(_ session: Session, _ descriptor: CInt) -> Bool {
        setNumber(session, descriptor) == 1
    }

    /// SSL_CTRL_SET_TLSEXT_HOSTNAME with TLSEXT_NAMETYPE_host_name.
    func setServerName(_ session: Session, _ name: String) {
        name.withCString {
            _ = control(session, 55, 0, UnsafeMutableRawPointer(mutating: $0))
        }
    }

    // Errors are a queue of the thread, in which what was before would be taken for what is now.

    func connect(_ session: Session) -> CInt {
        forgetErrors()
        return connectCall(session)
    }

    func read(_ session: Session, _ buffer: UnsafeMutableRawPointer?, _ size: CInt) -> CInt {
        forgetErrors()
        return readCall(session, buffer, size)
    }

    func write(_ session: Session, _ buffer: UnsafeRawPointer?, _ size: CInt) -> CInt {
        forgetErrors()
        return writeCall(session, buffer, size)
    }

    func error(_ session: Session, _ result: CInt) -> CInt { errorCall(session, result) }

    /// ERR_GET_REASON of the first error in the queue.
    var lastReason: UInt { UInt(peekError()) & 0x7f_ffff }

    private func forgetErrors() {
        clearErrors()
        errno = 0
    }
}
