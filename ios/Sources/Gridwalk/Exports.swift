/// The whole face of the core comes with this module: `import Gridwalk` is enough.
@_exported import GridwalkCore
