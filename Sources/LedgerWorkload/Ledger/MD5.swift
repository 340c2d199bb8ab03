/// RFC 1321: what PostgreSQL's `md5(text)` computes, so that a value or a row can be compared without being sent.
///
/// Chance changes are found; forgery is nobody's aim here.
struct MD5Digest: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

    /// floor(2³² · |sin(i + 1)|): RFC 1321, section 3.4.
    private static let sines: [UInt32] = [
        0xD76A_A478, 0xE8C7_B756, 0x2420_70DB, 0xC1BD_CEEE, 0xF57C_0FAF, 0x4787_C62A, 0xA830_4613, 0xFD46_9501,
        0x6980_98D8, 0x8B44_F7AF, 0xFFFF_5BB1, 0x895C_D7BE, 0x6B90_1122, 0xFD98_7193, 0xA679_438E, 0x49B4_0821,
        0xF61E_2562, 0xC040_B340, 0x265E_5A51, 0xE9B6_C7AA, 0xD62F_105D, 0x0244_1453, 0xD8A1_E681, 0xE7D3_FBC8,
        0x21E1_CDE6, 0xC337_07D6, 0xF4D5_0D87, 0x455A_14ED, 0xA9E3_E905, 0xFCEF_A3F8, 0x676F_02D9, 0x8D2A_4C8A,
        0xFFFA_3942, 0x8771_F681, 0x6D9D_6122, 0xFDE5_380C, 0xA4BE_EA44, 0x4BDE_CFA9, 0xF6BB_4B60, 0xBEBF_BC70,
        0x289B_7EC6, 0xEAA1_27FA, 0xD4EF_3085, 0x0488_1D05, 0xD9D4_D039, 0xE6DB_99E5, 0x1FA2_7CF8, 0xC4AC_5665,
        0xF429_2244, 0x432A_FF97, 0xAB94_23A7, 0xFC93_A039, 0x655B_59C3, 0x8F0C_CC92, 0xFFEF_F47D, 0x8584_5DD1,
        0x6FA8_7E4F, 0xFE2C_E6E0, 0xA301_4314, 0x4E08_11A1, 0xF753_7E82, 0xBD3A_F235, 0x2AD7_D2BB, 0xEB86_D391,
    ]

    init(of bytes: some Collection<UInt8>) {
        var padded = Array(bytes)
        let bits = UInt64(padded.count) &* 8
        padded.append(0x80)
        padded.append(contentsOf: repeatElement(0, count: (120 - padded.count % 64) % 64))
        for byte in 0..<8 { padded.append(UInt8(truncatingIfNeeded: bits >> (8 * UInt64(byte)))) }

        var state: (UInt32, UInt32, UInt32, UInt32) = (0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476)
        padded.withUnsafeBytes { bytes in
            Self.sines.withUnsafeBufferPointer { sines in
                Self.shifts.withUnsafeBufferPointer { shifts in
                    for block in stride(from: 0, to: bytes.count, by: 64) {
                        Self.absorb(bytes, at: block, sines, shifts, into: &state)
                    }
                }
            }
        }
        high = UInt64(state.0.byteSwapped) << 32 | UInt64(state.1.byteSwapped)
        low = UInt64(state.2.byteSwapped) << 32 | UInt64(state.3.byteSwapped)
    }

    private static func absorb(
        _ bytes: UnsafeRawBufferPointer, at block: Int, _ sines: UnsafeBufferPointer<UInt32>,
        _ shifts: UnsafeBufferPointer<UInt32>, into state: inout (UInt32, UInt32, UInt32, UInt32)
    ) {
        var (a, b, c, d) = state
        for step in 0..<64 {
            let mixed: UInt32
            let word: Int
            switch step >> 4 {
            case 0: (mixed, word) = (b & c | ~b & d, step)
            case 1: (mixed, word) = (d & b | ~d & c, (5 &* step &+ 1) & 15)
            case 2: (mixed, word) = (b ^ c ^ d, (3 &* step &+ 5) & 15)
            default: (mixed, word) = (c ^ (b | ~d), (7 &* step) & 15)
            }
            let input = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: block &+ word &* 4, as: UInt32.self))
            let sum = a &+ mixed &+ sines[step] &+ input
            let shift = shifts[(step >> 4) &* 4 &+ (step & 3)]
            (a, d, c, b) = (d, c, b, b &+ (sum << shift | sum >> (32 &- shift)))
        }
        state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d)
    }

    /// What `md5()` returns; nil for anything but 32 hexadecimal digits.
    init?(hex: String) {
        guard hex.utf8.count == 32 else { return nil }
        // By hand: this is done for every row of a table, and the standard library's way takes several times as long.
        var high: UInt64 = 0
        var low: UInt64 = 0
        for digit in hex.utf8 {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            high = high << 4 | low >> 60
            low = low << 4 | UInt64(value)
        }
        self.high = high
        self.low = low
    }

    /// As `md5()` writes it.
    var hex: String {
        [high, low].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }
}
