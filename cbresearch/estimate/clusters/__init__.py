"""One effect where there are few clusters, by every honest method."""
