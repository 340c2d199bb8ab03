import Testing

@testable import ShadowAlter

@Suite struct DecodingMemoryTests {
    private static let megabyte = 1024

    @Test(arguments: [(64, 128, 64), (64, 1024, 256), (64, 512, 128), (64, 65_536, 256), (512, 1024, 512), (1, 16, 4)])
    func itIsAPartOfWhatTheServerHas(setting: Int, sharedBuffers: Int, usual: Int) {
        let memory = DecodingMemory(
            setting: setting * Self.megabyte, sharedBuffers: sharedBuffers * Self.megabyte)
        #expect(memory.usual == usual * Self.megabyte)
    }
}
