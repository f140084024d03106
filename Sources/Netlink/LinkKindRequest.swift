import CLibNL
import CLinux
import Glibc
public import NetworkTypes

extension Request {
    /// Makes a device of any kind that needs no settings.
    ///
    /// Like `ip link add NAME type KIND`. A kind that the kernel does not have is EOPNOTSUPP.
    public static func addLink(_ name: InterfaceName, kind: String) throws(NetlinkError) -> Request
    {
        try Request("ip link add \(name) type \(kind)") { () throws(LibNLError) in
            let message = try LibNLMessage(
                type: CInt(RTM_NEWLINK), flags: NLM_F_CREATE | NLM_F_EXCL)
            try message.append(ifinfomsg())
            try message.put(IFLA_IFNAME, name.text)
            try message.nest(IFLA_LINKINFO) { () throws(LibNLError) in
                try message.put(IFLA_INFO_KIND, kind)
            }
            return message
        }
    }
}
