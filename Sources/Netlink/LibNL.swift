// Every object of libnl in its own owner, which frees it: `OpaquePointer` alone would let a route
// be put where a link belongs, and be freed by the wrong function or not at all.

import CLibNL
import CLinux
import Glibc
import SystemPackage

/// A refusal of libnl itself, before the kernel was asked: it ran out of memory, or a value does
/// not fit its attribute.
struct LibNLError: Error {
    /// The errno that says the same.
    let code: Errno

    /// - Parameter result: the negative NLE_ number that a function of libnl returned.
    init(_ result: CInt) {
        code =
            switch -result {
            case NLE_NOMEM: .noMemory
            case NLE_MSGSIZE: .messageTooLong
            case NLE_RANGE: .outOfRange
            case NLE_AF_NOSUPPORT: .addressFamilyNotSupported
            default: .invalidArgument
            }
    }

    static var outOfMemory: LibNLError { LibNLError(-NLE_NOMEM) }
}

/// Passes on what a function of libnl returned, unless it is an error.
@discardableResult
func checked(_ result: CInt) throws(LibNLError) -> CInt {
    if result < 0 { throw LibNLError(result) }
    return result
}

/// What an allocating function of libnl returned, unless it ran out of memory.
private func allocated(_ pointer: OpaquePointer?) throws(LibNLError) -> OpaquePointer {
    guard let pointer else { throw .outOfMemory }
    return pointer
}

/// `struct nl_sock`.
struct LibNLSocket: ~Copyable {
    let pointer: OpaquePointer

    init() throws(LibNLError) { pointer = try allocated(nl_socket_alloc()) }

    // Closes the descriptor too.
    deinit { nl_socket_free(pointer) }
}

/// `struct nl_msg`: one message under construction.
struct LibNLMessage: ~Copyable {
    let pointer: OpaquePointer

    /// A message of that type (RTM_...), without a family header as yet.
    init(type: CInt, flags: CInt = 0) throws(LibNLError) {
        pointer = try allocated(nlmsg_alloc_simple(type, flags))
    }

    /// The message that `build`, one of the `rtnl_*_build_*_request` functions, leaves in its last
    /// argument; it then belongs to the caller.
    init(_ build: (UnsafeMutablePointer<OpaquePointer?>) -> CInt) throws(LibNLError) {
        var built: OpaquePointer?
        try checked(build(&built))
        pointer = try allocated(built)
    }

    deinit { nlmsg_free(pointer) }

    /// The whole message, from its `nlmsghdr` on.
    var bytes: [UInt8] {
        let header = nlmsg_hdr(pointer)!
        return [UInt8](
            UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)))
    }

    /// Appends the family header (`ifinfomsg`, `rtgenmsg`...) that the message's type wants.
    func append<Header: BitwiseCopyable>(_ header: Header) throws(LibNLError) {
        var header = header
        try checked(
            nlmsg_append(pointer, &header, MemoryLayout<Header>.size, CInt(NLMSG_ALIGNTO)))
    }

    /// Appends bytes as they are, padded to the boundary that every attribute starts on.
    func append(_ bytes: [UInt8]) throws(LibNLError) {
        var bytes = bytes
        try checked(nlmsg_append(pointer, &bytes, bytes.count, CInt(NLMSG_ALIGNTO)))
    }

    /// Appends an attribute of one byte.
    func put(_ type: Int, _ value: UInt8) throws(LibNLError) {
        try checked(nla_put_u8(pointer, CInt(type), value))
    }

    /// Appends an attribute of two bytes in the machine's order.
    func put(_ type: Int, _ value: UInt16) throws(LibNLError) {
        try checked(nla_put_u16(pointer, CInt(type), value))
    }

    /// Appends an attribute of four bytes in the machine's order.
    func put(_ type: Int, _ value: UInt32) throws(LibNLError) {
        try checked(nla_put_u32(pointer, CInt(type), value))
    }

    /// Appends an attribute of four bytes in the machine's order.
    func put(_ type: Int, _ value: Int32) throws(LibNLError) {
        try checked(nla_put_s32(pointer, CInt(type), value))
    }

    /// Appends a text with its terminating NUL.
    func put(_ type: Int, _ text: String) throws(LibNLError) {
        try checked(nla_put_string(pointer, CInt(type), text))
    }

    /// Appends bytes as they are.
    func put(_ type: Int, _ bytes: [UInt8]) throws(LibNLError) {
        try checked(nla_put(pointer, CInt(type), CInt(bytes.count), bytes))
    }

    /// Appends an attribute that holds the attributes which `body` appends.
    func nest(_ type: Int, _ body: () throws(LibNLError) -> Void) throws(LibNLError) {
        guard let start = nla_nest_start(pointer, CInt(type)) else { throw .outOfMemory }
        try body()
        try checked(nla_nest_end_keep_empty(pointer, start))
    }
}

/// `struct nl_addr`: an address of any family. The setters that take one keep a reference of their
/// own.
struct LibNLAddress: ~Copyable {
    let pointer: OpaquePointer

    /// - Parameter prefixLength: nil for the whole width.
    init(family: CInt, _ octets: [UInt8], prefixLength: Int? = nil) throws(LibNLError) {
        pointer = try allocated(nl_addr_build(family, octets, octets.count))
        if let prefixLength { nl_addr_set_prefixlen(pointer, CInt(prefixLength)) }
    }

    deinit { nl_addr_put(pointer) }
}

/// `struct rtnl_link`.
struct LibNLLink: ~Copyable {
    let pointer: OpaquePointer

    init() throws(LibNLError) { pointer = try allocated(rtnl_link_alloc()) }

    private init(_ pointer: OpaquePointer) { self.pointer = pointer }

    /// A link of kind veth. Freeing it frees its other end.
    static func veth() throws(LibNLError) -> LibNLLink {
        LibNLLink(try allocated(rtnl_link_veth_alloc()))
    }

    /// A counted reference to the other end of a veth; it must not outlive this one.
    func vethPeer() throws(LibNLError) -> LibNLLink {
        LibNLLink(try allocated(rtnl_link_veth_get_peer(pointer)))
    }

    deinit { rtnl_link_put(pointer) }
}
