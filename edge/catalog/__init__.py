"""Product pictures: which are fit for the shop, and why; on the edge's runtime, without torch."""
