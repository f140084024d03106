import LinuxSystem
import Testing

@testable import LabKit

@Suite("Labs of ordinary users: what is decided before one is built")
struct PrivilegesTests {
    private func ids(
        name: String? = "alice", users: String = "alice:100000:65536\n",
        groups: String = "alice:100000:65536\n", hasPrograms: Bool = true
    ) -> SubordinateIDs {
        SubordinateIDs(
            user: 1000, group: 1000, name: name, users: users, groups: groups,
            hasPrograms: hasPrograms)
    }

    @Test("with newuidmap and ranges of users and groups, all of them are there")
    func full() {
        let ids = ids()
        #expect(ids.lack == nil)
        #expect(ids.map.hasRange && ids.map.userCount == 65536)
    }

    @Test("without, root is alone, and what is missing is told with how to get it")
    func lacks() throws {
        let alone = IDMap(user: 1000, group: 1000)
        let cases = [
            (ids(hasPrograms: false), "apt-get install uidmap"),
            (ids(name: nil), "user 1000 has no name in /etc/passwd"),
            (ids(users: ""), "usermod --add-subuids 100000-165535"),
            (ids(groups: "bob:100000:65536"), "no range for alice"),
        ]
        for (ids, words) in cases {
            #expect(ids.map == alone)
            #expect(try #require(ids.lack).contains(words))
        }
    }

    @Test("settings that forbid user namespaces are named, with what lifts them")
    func settings() {
        #expect(UserNamespaceSettings().remedy == nil, "a kernel that has none of them")
        #expect(
            UserNamespaceSettings(maximum: 96365, isAllowed: 1, isRestrictedByAppArmor: 0).remedy
                == nil)
        #expect(
            UserNamespaceSettings(maximum: 0).remedy
                == "as root, sysctl user.max_user_namespaces=10000")
        #expect(
            UserNamespaceSettings(maximum: 96365, isAllowed: 0).remedy
                == "as root, sysctl kernel.unprivileged_userns_clone=1")
        let apparmor = UserNamespaceSettings(maximum: 96365, isRestrictedByAppArmor: 1).remedy
        #expect(apparmor?.contains("kernel.apparmor_restrict_unprivileged_userns=0") == true)
        #expect(apparmor?.contains("`userns,`") == true)
    }

    @Test("XDG Base Directory: only an absolute $XDG_RUNTIME_DIR counts; root has /run")
    func runFolder() {
        #expect(LabDirectory.root(user: 0, runtimeFolder: "/run/user/0") == "/run/labctl")
        #expect(
            LabDirectory.root(user: 1000, runtimeFolder: "/run/user/1000")
                == "/run/user/1000/labctl")
        #expect(LabDirectory.root(user: 1000, runtimeFolder: "here") == "/tmp/labctl-1000")
        #expect(LabDirectory.root(user: 1000, runtimeFolder: nil) == "/tmp/labctl-1000")
    }

    @Test("a supervisor is told where its lab is: inside it is root, who has another place")
    func supervisor() {
        let directory = LabDirectory("a", in: "/tmp/labctl-1000")
        #expect(directory.lockPath == "/tmp/labctl-1000/a/lock")
        #expect(
            SupervisorProgram.arguments(directory)
                == ["labctl", "supervise", "a", "/tmp/labctl-1000"])
    }

    @Test("the host's folders travel as lines, names with spaces in them included")
    func hostFolders() {
        let entries: [HostFolders.Entry] = [
            .init(kind: .folder, mode: 0o755, userID: 0, groupID: 0, path: "/var"),
            .init(kind: .folder, mode: 0o2775, userID: 33, groupID: 4, path: "/var/a b  c "),
            .init(kind: .closedFolder, mode: 0o700, userID: 0, groupID: 0, path: "/root"),
            .init(kind: .file, mode: 0o4755, userID: 0, groupID: 4_294_967_294, path: "/etc/é"),
            .init(kind: .link, mode: 0o777, userID: 0, groupID: 0, path: "/etc/l"),
        ]
        #expect(HostFolders(entries).entries == entries)
        #expect(HostFolders([]).entries.isEmpty)
    }

    @Test("of this machine: /etc with its files, /var with its folders, parents first")
    func ofMachine() throws {
        let entries = HostFolders.ofMachine(user: 1000).entries
        #expect(entries.contains { $0.path == "/etc/passwd" && $0.kind == .file })
        #expect(entries.contains { $0.path == "/var/lib" && $0.kind == .folder })
        // But for a web server's first page.
        #expect(
            !entries.contains { entry in
                entry.path.hasPrefix("/var/") && entry.kind == .file
                    && !entry.path.hasPrefix("/var/www/html/")
            })
        var seen: Set<String> = ["/"]
        for entry in entries {
            let parent = entry.path[..<(try #require(entry.path.lastIndex(of: "/")))]
            #expect(seen.contains(parent.isEmpty ? "/" : String(parent)), "\(entry.path)")
            seen.insert(entry.path)
        }
    }
}
