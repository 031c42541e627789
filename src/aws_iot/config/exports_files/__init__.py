"""Files that people already have with their pools: of Amplify, and of the npm tool. `reader` reads them all."""
