import Glibc
import Synchronization

/// A network between clients and a PostgreSQL server on loopback that stalls or breaks when it is told to, for all of its connections or for
/// those with one `application_name`.
package final class NetworkProxy: Sendable {
    package enum Weather: Sendable, Equatable {
        case calm
        /// Connections stay, and no byte gets through, in either direction. New connections are taken and led nowhere.
        case stalled
        /// What is open is closed, and what is opened is closed at once.
        case broken
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private struct State {
        var weather: Weather = .calm
        /// nil: everybody's.
        var applicationName: String?
        /// Whether a new connection has the same fate.
        var meetsNewOnes = true
        var isEnding = false
        var counts: [String: Int] = [:]
    }

    /// The port to connect to, on 127.0.0.1.
    package let port: Int
    private let server: Int
    private let listener: Int32
    private let state = Mutex(State())

    /// - Parameter server: the server's TCP port on 127.0.0.1.
    package init(to server: Int) throws {
        self.server = server
        (listener, port) = try Self.listen()
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<NetworkProxy>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw Failure(description: "no thread for the proxy: error \(status)")
        }
        pthread_detach(thread)
    }

    /// - Parameters:
    ///   - applicationName: whose connections; nil: everybody's.
    ///   - newOnes: whether connections that are made later have the same fate.
    package func set(_ weather: Weather, for applicationName: String? = nil, newOnes: Bool = true) {
        state.withLock {
            $0.weather = weather
            $0.applicationName = applicationName
            $0.meetsNewOnes = newOnes
        }
    }

    /// How many connections of this name there were.
    package func connections(of applicationName: String) -> Int {
        state.withLock { $0.counts[applicationName] ?? 0 }
    }

    /// Closes everything.
    package func end() { state.withLock { $0.isEnding = true } }

    // MARK: The proxy's thread

    private final class Link {
        let client: Int32
        let server: Int32
        var applicationName: String?
        /// What the client has said before its name was known.
        var opening: [UInt8] = []
        /// On the way to the server, and to the client.
        var outgoing: [UInt8] = []
        var incoming: [UInt8] = []
        var isEnded = false

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }

        func close() {
            Glibc.close(client)
            Glibc.close(server)
        }
    }

    private func run() {
        var links: [Link] = []
        var before = Weather.calm
        var generation: Set<ObjectIdentifier> = []
        while true {
            let now = state.withLock { ($0.weather, $0.applicationName, $0.meetsNewOnes, $0.isEnding) }
            if now.3 { break }
            if now.0 != before {
                before = now.0
                generation = Set(links.map { ObjectIdentifier($0) })
            }
            func isMeant(_ link: Link) -> Bool {
                guard now.0 != .calm, now.1 == nil || link.applicationName == now.1 else { return false }
                return now.2 || generation.contains(ObjectIdentifier(link))
            }
            for link in links where now.0 == .broken && isMeant(link) { link.isEnded = true }
            for link in links where link.isEnded { link.close() }
            links.removeAll { $0.isEnded }
            var polled = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
            for link in links {
                // poll() takes no notice of a negative descriptor.
                let stands = now.0 == .stalled && isMeant(link)
                polled.append(
                    Self.interest(link.client, reads: link.outgoing.isEmpty, writes: !link.incoming.isEmpty, stands))
                polled.append(
                    Self.interest(link.server, reads: link.incoming.isEmpty, writes: !link.outgoing.isEmpty, stands))
            }
            guard poll(&polled, nfds_t(polled.count), 5) >= 0 else { continue }
            for (index, link) in links.enumerated() {
                let (client, server) = (polled[1 + 2 * index].revents, polled[2 + 2 * index].revents)
                if client & Int16(POLLIN | POLLHUP | POLLERR) != 0, link.outgoing.isEmpty {
                    receive(link.client, link, into: \.outgoing)
                    name(link)
                }
                if server & Int16(POLLIN | POLLHUP | POLLERR) != 0, link.incoming.isEmpty {
                    receive(link.server, link, into: \.incoming)
                }
                if server & Int16(POLLOUT) != 0 { send(link.server, link, from: \.outgoing) }
                if client & Int16(POLLOUT) != 0 { send(link.client, link, from: \.incoming) }
            }
            if polled[0].revents & Int16(POLLIN) != 0, let link = accepted() { links.append(link) }
        }
        for link in links { link.close() }
        close(listener)
    }

    private static func interest(_ descriptor: Int32, reads: Bool, writes: Bool, _ stands: Bool) -> pollfd {
        guard !stands, reads || writes else { return pollfd(fd: -1, events: 0, revents: 0) }
        return pollfd(fd: descriptor, events: Int16((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), revents: 0)
    }

    private func accepted() -> Link? {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return nil }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(self.server)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(client)
            close(server)
            return nil
        }
        for descriptor in [client, server] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        return Link(client: client, server: server)
    }

    private func receive(_ descriptor: Int32, _ link: Link, into path: ReferenceWritableKeyPath<Link, [UInt8]>) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 {
            link[keyPath: path] += buffer[..<count]
        } else if count == 0 || errno != EAGAIN {
            link.isEnded = true
        }
    }

    private func send(_ descriptor: Int32, _ link: Link, from path: ReferenceWritableKeyPath<Link, [UInt8]>) {
        let bytes = link[keyPath: path]
        guard !bytes.isEmpty else { return }
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if count > 0 {
            link[keyPath: path].removeFirst(count)
        } else if errno != EAGAIN {
            link.isEnded = true
        }
    }

    /// Looks into the startup packet.
    private func name(_ link: Link) {
        guard link.applicationName == nil, link.opening.count < 4096 else { return }
        link.opening += link.outgoing
        let words = link.opening.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        guard let index = words.firstIndex(of: "application_name"), index + 1 < words.count else { return }
        link.applicationName = words[index + 1]
        state.withLock { $0.counts[words[index + 1], default: 0] += 1 }
    }

    private static func listen() throws -> (Int32, port: Int) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                let bound = bind(listener, pointer, size)
                return bound == 0 && Glibc.listen(listener, 128) == 0 ? getsockname(listener, pointer, &size) : -1
            }
        }
        guard listener >= 0, status == 0 else {
            throw Failure(description: "the proxy cannot listen: \(String(cString: strerror(errno)))")
        }
        return (listener, Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
