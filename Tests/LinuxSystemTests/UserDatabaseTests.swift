import LinuxSystem
import Testing

@Suite("Users and groups, from /etc/passwd and /etc/group")
struct UserDatabaseTests {
    private let database = UserDatabase(
        passwd: """
            root:x:0:0:root:/root:/bin/bash
            # a comment, and a line that is none of the format
            daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
            keepalived_script:x:997:996::/var/lib/keepalived:/bin/sh
            7:x:70:70::/:/bin/sh
            """,
        group: """
            root:x:0:
            daemon:x:1:
            adm:x:4:daemon,keepalived_script
            tty:x:5:
            broken
            """)

    @Test("a name, a number, and a name that looks like a number")
    func lookUp() {
        #expect(database.user("daemon")?.userID == 1)
        #expect(database.user("daemon")?.home == "/usr/sbin")
        #expect(database.user("997")?.name == "keepalived_script")
        #expect(database.user("7")?.userID == 70, "names go before numbers")
    }

    @Test("an unknown number is a user all the same, an unknown name is none")
    func unknown() {
        #expect(
            database.user("4711")
                == UserDatabase.User(name: "4711", userID: 4711, groupID: 4711, home: "/"))
        #expect(database.user("nobody-knows") == nil)
        #expect(database.groupID("4711") == 4711)
        #expect(database.groupID("nobody-knows") == nil)
        #expect(database.groupID("tty") == 5)
    }

    @Test("a user is in its own group and in those that list it")
    func groups() throws {
        #expect(
            database.groupIDs(of: try #require(database.user("keepalived_script"))) == [996, 4])
        #expect(database.groupIDs(of: try #require(database.user("root"))) == [0])
    }
}
