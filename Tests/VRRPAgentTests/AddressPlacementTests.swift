import KeepalivedConf
import NetworkTypes
import Testing

@testable import VRRPAgent

/// Each expectation is what keepalived 2.2.7 was seen to do with the same configuration.
@Suite("use_vmac: which interface an address goes on, and which are made for it")
struct AddressPlacementTests {
    @Test("without use_vmac, every address goes where it was written for")
    func plain() throws {
        let configuration = try configuration()
        let placement = AddressPlacement(configuration)
        let instance = configuration.instances[0]
        #expect(names(placement, instance) == ["eth0", "eth1", "eth0"])
        #expect(placement.plans(for: instance).isEmpty)
    }

    @Test("use_vmac takes those of its family on its own interface, dev written or not")
    func ownInterface() throws {
        var configuration = try configuration()
        configuration.instances[0].virtualInterface = try vmac()
        let placement = AddressPlacement(configuration)
        let instance = configuration.instances[0]
        #expect(names(placement, instance) == ["vrrp.51", "eth1", "eth0"])
        let plan = try #require(placement.plans(for: instance).first)
        #expect(placement.plans(for: instance).count == 1)
        #expect(plan.base == InterfaceName("eth0"))
        #expect(plan.address == MACAddress("00:00:5e:00:01:33"))
        #expect(plan.hasOtherFamily)
        #expect(plan.transmits)
    }

    @Test("use_vmac_addr gives those on other interfaces and of the other family theirs")
    func otherInterfaces() throws {
        var configuration = try configuration()
        configuration.instances[0].usesVMACForOtherAddresses = true
        var own = try vmac()
        own.transmitsFromBase = true
        configuration.instances[0].virtualInterface = own
        let placement = AddressPlacement(configuration)
        let instance = configuration.instances[0]
        #expect(names(placement, instance) == ["vrrp.51", "vrrp1.51", "vrrp6.51"])
        let plans = placement.plans(for: instance)
        #expect(plans.map(\.base.text) == ["eth0", "eth1", "eth0"])
        #expect(plans.map(\.address?.octets[4]) == [1, 1, 2])
        #expect(plans.map(\.transmits) == [false, false, false])
    }

    @Test("use_vmac_addr alone leaves those on the instance's own interface there")
    func onlyOtherInterfaces() throws {
        var configuration = try configuration()
        configuration.instances[0].usesVMACForOtherAddresses = true
        configuration.global.vmacAddressPrefix = "extra"
        let placement = AddressPlacement(configuration)
        #expect(names(placement, configuration.instances[0]) == ["eth0", "extra.51", "extra6.51"])
    }

    @Test("use_vmac after an address gives it one, whatever the instance says")
    func singleAddress() throws {
        var configuration = try configuration()
        configuration.instances[0].virtualAddresses[1].usesVMAC = true
        let placement = AddressPlacement(configuration)
        #expect(names(placement, configuration.instances[0]) == ["eth0", "vrrp.51", "eth0"])
    }

    @Test("a name that somebody else's interface has is passed over")
    func takenName() throws {
        var configuration = try configuration()
        configuration.instances[0].virtualAddresses[1].usesVMAC = true
        let placement = AddressPlacement(configuration) { name, base, address in
            #expect(base.text == "eth1")
            #expect(address == MACAddress("00:00:5e:00:01:33"))
            return name.text == "vrrp.51"
        }
        #expect(names(placement, configuration.instances[0]) == ["eth0", "vrrp1.51", "eth0"])
    }

    // MARK: Values

    private func names(_ placement: AddressPlacement, _ instance: VRRPInstance) -> [String] {
        (instance.virtualAddresses + instance.excludedAddresses).map {
            placement.interface(of: $0, in: instance).text
        }
    }

    private func vmac() throws -> VRRPInstance.VirtualInterface {
        VRRPInstance.VirtualInterface(
            kind: .macvlan, name: try #require(InterfaceName("vrrp.51")))
    }

    private func configuration() throws -> Configuration {
        Configuration.parse(
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    192.0.2.100
                    192.0.2.101 dev eth1
                }
                virtual_ipaddress_excluded {
                    2001:db8::100
                }
            }
            """, file: "keepalived.conf"
        ).configuration
    }
}
