import Glibc
import LinuxSystem
import SystemPackage
import Testing

@Suite("Messages over a socket")
struct MessageChannelTests {
    @Test("messages arrive whole and in order, descriptors with theirs")
    func messages() throws {
        let (ours, theirs) = try MessageChannel.pair()
        let sender = try MessageChannel(ours)
        let receiver = try MessageChannel(theirs)
        let pipe = try Pipe.make()
        try sender.send([1, 2, 3])
        try sender.send([], descriptors: [pipe.readEnd, pipe.writeEnd])
        let received = try receiver.receive()
        #expect(received.messages.map(\.payload) == [[1, 2, 3], []])
        #expect(received.messages.map(\.descriptors.count) == [0, 2])
        #expect(!received.isAtEnd)
    }

    @Test("unix(7): an end that closes with something unread is an end, and what it sent arrives")
    func closedWithSomethingUnread() throws {
        let (ours, theirs) = try MessageChannel.pair()
        let channel = try MessageChannel(ours)
        try channel.send([7])
        try MessageChannel(theirs).send([8])
        theirs.close()
        let received = try channel.receive()
        #expect(received.messages.map(\.payload) == [[8]])
        #expect(received.isAtEnd)
    }

    @Test("sending to an end that has closed is an error")
    func sendingToNobody() throws {
        let (ours, theirs) = try MessageChannel.pair()
        let channel = try MessageChannel(ours)
        theirs.close()
        #expect {
            try channel.send([7])
        } throws: {
            ($0 as? SystemError)?.code == .brokenPipe
        }
    }
}
