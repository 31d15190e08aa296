import Foundation
import Gridwalk

// A process that works on a phone's store, says what it did, and is then killed by its test in the middle of the work.
// Arguments: the store's folder, the record of a grid.

let folder = CommandLine.arguments[1]
let area = CommandLine.arguments[2]
let device = try await Device.open(options: OpenOptions(folder: folder), platform: Platform())
try await device.setNetwork(online: false, wifi: false)
for number in 1... {
    let home = try await device.createRecord(
        kind: "dwelling",
        fields: [
            "area": .link(record: area),
            "estate": .text(value: "虚构小区"),
            "building": .text(value: "1号楼"),
            "room": .text(value: "\(number)室"),
        ]
    )
    FileHandle.standardOutput.write(Data("\(home)\n".utf8))
}
