"""Speed and size as ratios against the bare model in the same run: `make bench`."""
