import CLinux
import Glibc

/// The memory of the calling process.
public enum ProcessMemory {
    /// Gives the memory back that only the start of a daemon needed: free memory of the heap, and
    /// the pages of code that were mapped to parse, resolve and set up.
    ///
    /// The kernel maps 16 pages of a file around each one that is used, and without pressure takes
    /// none of them back, so that a daemon that runs for months is as large as it was in its first
    /// millisecond. The page cache keeps the code: what is needed again is mapped again, in about
    /// a microsecond, without reading a disk.
    public static func releaseStartPages() {
        malloc_trim(0)
        guard let maps = try? FileSystem.readText("/proc/self/maps") else { return }
        for range in codeRanges(maps: maps) {
            // Refused for locked pages (mlockall), which are to stay.
            madvise(
                UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
        }
    }

    /// The ranges of /proc/PID/maps that hold code from files. Nothing was ever written to them:
    /// relocations are in segments of data, also where those are read-only afterwards.
    static func codeRanges(maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            // 55d0-55d8 r-xp 00001000 fe:00 123 /usr/lib/x.so
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 5, fields[1] == "r-xp", fields[4] != "0" else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, ends[0] < ends[1] else { return nil }
            return ends[0]..<ends[1]
        }
    }
}
