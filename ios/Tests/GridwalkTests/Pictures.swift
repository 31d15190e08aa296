import Foundation

/// A made-up photo, as a PNG file of our own making: coloured blocks, different for each seed.
func picture(_ seed: Int, width: Int = 640, height: Int = 480) -> Data {
    var pixels = Data(capacity: height * (width * 3 + 1))
    for row in 0..<height {
        pixels.append(0)
        for column in 0..<(width / 32) {
            let block = UInt32(truncatingIfNeeded: seed &* 7_919 &+ row / 32 &* 104_729 &+ column &* 15_485_863)
            let colour = block &* 2_654_435_761
            let pixel = [UInt8(colour >> 24), UInt8(colour >> 16 & 255), UInt8(colour >> 8 & 255)]
            pixels.append(contentsOf: (0..<32).flatMap { _ in pixel })
        }
    }
    let head = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + Data([8, 2, 0, 0, 0])
    let signature = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    return signature + chunk("IHDR", head) + chunk("IDAT", stored(pixels)) + chunk("IEND", Data())
}

private func bigEndian(_ number: UInt32) -> Data {
    Data([24, 16, 8, 0].map { UInt8(number >> $0 & 255) })
}

private func chunk(_ kind: String, _ body: Data) -> Data {
    let named = Data(kind.utf8) + body
    return bigEndian(UInt32(body.count)) + named + bigEndian(crc32(named))
}

/// zlib's format with blocks that are not compressed.
private func stored(_ bytes: Data) -> Data {
    var out = Data([0x78, 0x01])
    for start in stride(from: 0, to: bytes.count, by: 0xffff) {
        let block = bytes[start..<min(start + 0xffff, bytes.count)]
        let size = UInt16(block.count)
        let isLast: UInt8 = block.endIndex == bytes.count ? 1 : 0
        out.append(contentsOf: [isLast, UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8)])
        out.append(block)
    }
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
        a = (a + UInt32(byte)) % 65_521
        b = (b + a) % 65_521
    }
    return out + bigEndian(b << 16 | a)
}

private let crcTable: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 1 ? 0xedb8_8320 ^ rest >> 1 : rest >> 1 }
}

private func crc32(_ bytes: Data) -> UInt32 {
    var rest = UInt32.max
    bytes.withUnsafeBytes { all in
        for byte in all { rest = crcTable[Int((rest ^ UInt32(byte)) & 255)] ^ rest >> 8 }
    }
    return ~rest
}
