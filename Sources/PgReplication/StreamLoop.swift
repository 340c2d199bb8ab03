import PgConnection
import PgOutput

/// The loop that a stream consists of. Runs on the connection's thread.
struct StreamLoop<Sink: ReplicationSink> {
    enum Outcome {
        case connectionUsable
        /// The server was too busy to end the stream in time.
        case connectionUnusable
    }

    /// How long the server may take to end the stream when asked to.
    static var stopLimit: Duration { .seconds(2) }

    private let connection: CopyBothConnection
    private let signal: WakeSignal
    private let statusInterval: Duration
    private let sink: Sink
    private var reported = LSN.invalid
    private var nextStatus = ContinuousClock.now
    private var mustReport = true
    private var mustAsk = false
    private var silence: Silence

    init(
        connection: CopyBothConnection, signal: WakeSignal, statusInterval: Duration, silence: Silence, sink: Sink
    ) {
        self.connection = connection
        self.signal = signal
        self.statusInterval = statusInterval
        self.silence = silence
        self.sink = sink
    }

    mutating func run() throws -> Outcome {
        while true {
            if signal.isStopping { return try stop() }
            var wantsMore = sink.wantsMore
            if wantsMore {
                try connection.consumeInput()
                wantsMore = try deliver()
            }
            if signal.isStopping { return try stop() }
            // Whoever does not listen hears nothing.
            if wantsMore { try listen() } else { silence.end(at: .now) }
            let hasOutput = try report()
            let ready = try connection.wait(
                input: wantsMore, output: hasOutput, wake: signal.readEnd,
                timeout: max(.zero, nextStatus - ContinuousClock.now))
            if ready.isWoken {
                signal.drain()
                if let confirmed = sink.confirmed, confirmed > reported { mustReport = true }
            }
            // While we do not read, the socket goes on saying that it is dead: without this the loop would spin. What was
            // on its way is not confirmed, so it comes again.
            if ready.isHungUp, !wantsMore { try discardToEnd() }
        }
    }

    private mutating func listen() throws {
        switch silence.step(at: .now) {
        case .wait: return
        case .ask:
            mustAsk = true
            mustReport = true
        case .giveUp:
            throw PgError(
                code: .connectionLost,
                message: "nothing has come from the server for \(silence.limit), though it was asked for a sign",
                statement: connection.command)
        }
    }

    /// Delivers what libpq has. Returns whether the sink wants more.
    private mutating func deliver() throws -> Bool {
        while sink.wantsMore {
            if signal.isStopping { return true }
            switch try connection.read() {
            case .nothing:
                return true
            case .end:
                throw connection.ending()
            case .message(let buffer):
                silence.end(at: .now)
                try deliver(buffer)
            }
            // A server that sends without a pause must not keep us from answering.
            if mustReport || ContinuousClock.now >= nextStatus { _ = try report() }
        }
        return false
    }

    private mutating func deliver(_ buffer: consuming CopyBuffer) throws {
        let frame = buffer.frame
        switch frame {
        case .data(let start, let end, let time)?:
            try sink.receive(XLogData(walStart: start, walEnd: end, sendTime: time, buffer: buffer))
        case .keepalive(let end, _, let wantsReply)?:
            try sink.receive(keepalive: end)
            if wantsReply { mustReport = true }
        case nil:
            throw PgError(
                code: .unexpectedResult,
                message: "the server sent a replication message of \(buffer.bytes.count) bytes of an unknown kind; "
                    + "the stream was ended, and nothing after the last confirmed position is lost",
                statement: connection.command)
        }
    }

    /// Sends a status update when one is due. Returns whether something is left to be sent.
    private mutating func report() throws -> Bool {
        let now = ContinuousClock.now
        if mustReport || now >= nextStatus {
            let confirmed = max(sink.confirmed ?? .invalid, reported)
            let update = StandbyStatusUpdate(
                confirmed: confirmed, sendTime: Clock.postgresTime, wantsReply: mustAsk)
            if try connection.send(update.bytes) {
                reported = confirmed
                mustReport = false
                mustAsk = false
                nextStatus = now + statusInterval
            }
        }
        return try connection.flush()
    }

    /// Takes in what the server has sent before it went, until that throws its last words.
    private func discardToEnd() throws {
        while !signal.isStopping {
            try connection.consumeInput()
            while case .message = try connection.read() {}
        }
    }
}

// MARK: - The orderly end

extension StreamLoop {
    /// Reports once more, ends our side of the COPY, and waits for the server to end its own. What comes meanwhile is not
    /// delivered: it is not confirmed either.
    private mutating func stop() throws -> Outcome {
        let deadline = ContinuousClock.now + Self.stopLimit
        mustReport = true
        _ = try report()
        guard try connection.sendEnd() else { return .connectionUnusable }
        while true {
            switch try connection.read() {
            case .message:
                continue
            case .end:
                return try connection.endedOrderly() ? .connectionUsable : .connectionUnusable
            case .nothing:
                let hasOutput = try connection.flush()
                let left = deadline - ContinuousClock.now
                guard left > .zero else { return .connectionUnusable }
                let ready = try connection.wait(input: true, output: hasOutput, wake: -1, timeout: left)
                if ready.hasInput || ready.isHungUp { try connection.consumeInput() }
            }
            guard ContinuousClock.now < deadline else { return .connectionUnusable }
        }
    }
}
