import FuzzTargets
import Glibc

/// The decoder that this process is to break: `LABCTL_FUZZING` names it.
private let target: FuzzTarget = {
    let name = getenv("LABCTL_FUZZING").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget.named(name) else {
        let names = FuzzTarget.all.map(\.name).joined(separator: ", ")
        fatalError("LABCTL_FUZZING=\(name): it is one of \(names)")
    }
    return target
}()

/// What libFuzzer calls with every input (llvm.org/docs/LibFuzzer.html).
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target.run(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError("\(target.name): \(error)")
    }
    return 0
}
