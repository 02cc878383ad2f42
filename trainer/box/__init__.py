"""The way from the workstation to a box's console and back: samples come home, bundles go out."""
