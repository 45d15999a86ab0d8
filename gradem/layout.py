"""Places for the vertices of a computational graph, in layers by depth.

An input has depth 0, any other vertex one more than the deepest of its arguments, so that all
edges lead upwards. An edge that skips layers gets a place in each of them, too, so that it
passes between the vertices. Each layer is ordered such that a vertex stands near the middle of
what leads to it (Sugiyama, Tagawa & Toda 1981).
"""

import numpy as np


def layers(count, edges):
    """Depths and places of the vertices 0 to count - 1.

    Parameters
    ----------
    count : int
    edges : list of `gradem.trace.Edge`
        Each from a vertex `start` to a later vertex `end`.

    Returns
    -------
    depths : list of int
    places : dict
        (across, up) of each vertex. Where the edge from a to b passes layer d, its place is
        under the key (a, b, d).
    """
    depths = [0] * count
    for edge in edges:
        depths[edge.end] = max(depths[edge.end], depths[edge.start] + 1)
    rows = [[] for _ in range(max(depths) + 1)]
    for k, depth in enumerate(depths):
        rows[depth].append(k)
    leads = {}
    for start, end in sorted({(edge.start, edge.end) for edge in edges}):
        before = start
        for depth in range(depths[start] + 1, depths[end]):
            passing = (start, end, depth)
            if passing not in leads:
                rows[depth].append(passing)
            leads.setdefault(passing, []).append(before)
            before = passing
        leads.setdefault(end, []).append(before)
    places = {}
    for depth, row in enumerate(rows):
        if depth:
            row.sort(key=lambda v: np.mean([places[before][0] for before in leads[v]]))
        for i, vertex in enumerate(row):
            places[vertex] = (i - (len(row) - 1) / 2, depth)
    return depths, places
