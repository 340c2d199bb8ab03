import ShadowAlter
import Synchronization
import TestSupport
import Testing

@testable import ControlPlane

/// The commands of the control socket over TCP.
@Suite(.timeLimit(.minutes(2))) struct ControlPortTests {
    private let notebook = Notebook()

    private func open(_ address: String = "0") async throws -> ControlPort {
        try await ControlPort.open(try #require(ListenAddress(address)), control: notebook) {}
    }

    private func ask(_ port: ControlPort, _ text: String) throws -> String {
        let client = try RawClient(port: port.address.port)
        client.send(text)
        return client.readAll()
    }

    @Test func answersLinesOnLoopback() async throws {
        let port = try await open()
        #expect(port.address.host == "127.0.0.1" && port.address.port != 0)
        #expect(try ask(port, "pause\nchunk-size=?\n") == SteeringCommand.pause.outcome + "\nchunk-size=512\n")
        #expect(try ask(port, "nonsense\nresume\n").hasPrefix("ERROR: there is no command 'nonsense'"))
        #expect(notebook.commands.withLock { $0 } == [.pause])
        await port.close()
        #expect(throws: RawClient.Failure.self) { try ask(port, "pause\n") }
    }

    @Test(arguments: ["0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.com:0", "128.0.0.1:0", "127.0.0.1.example.com:0"])
    func isNotOpenToOtherMachines(_ address: String) async throws {
        await #expect {
            _ = try await open(address)
        } throws: {
            "\($0)".contains("would be open to other machines at \(address)")
        }
    }

    @Test func aPortThatIsTakenIsSaid() async throws {
        let first = try await open()
        await #expect {
            _ = try await open("\(first.address)")
        } throws: {
            "\($0)".contains("no control port can be opened at \(first.address): ") && "\($0)".contains("in use")
        }
        await first.close()
    }

    /// A page that somebody visits can make the browser send this.
    @Test func aBrowserCannotSteer() async throws {
        let port = try await open()
        for request in [
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n\r\nabort\npause\n",
            "\u{16}\u{3}\u{1}\nabort\n", "\nabort\n", "GET /\nabort\n",
        ] {
            let answer = try ask(port, request)
            #expect(answer.hasPrefix("ERROR: ") && answer.split(separator: "\n").count == 1, "\(answer)")
        }
        #expect(notebook.commands.withLock { $0 }.isEmpty)
        await port.close()
    }

    @Test func moreLinesThanOneMaySendAreNotTaken() async throws {
        let port = try await open()
        #expect(try ask(port, String(repeating: "coordinates\n", count: 5000)).contains("lines wait for an answer"))
        await port.close()
    }
}
