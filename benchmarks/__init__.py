"""What ``make bench`` runs: each module measures our figure and, in the same run, the limit or the peer."""
