#!/usr/bin/env python3
"""Write the tables that studies read into a folder (data/ beside this file): laws that are known, as many tokens of them.

usage: make.py [FOLDER]

moons.h5      two interleaved half circles of radius 1 with Gaussian noise 0.08, one a label, as in ../problems/moons, at uniform angles:
              5000 tokens a label. What `data.sample` draws from this table without replacement is a sample of that law.
moved-*.h5    the first 200 tokens a label of moons.h5 (moved-0.h5) and the same with each moon moved as a whole by 2^-k, in directions
              1 to 3 (of three pairs of angles): laws at a known distance, W1 = 2^-k where nothing leaves the box.
sentences.h5  sequences of three independent tokens in [-2, 2]^2: a label 0 or 1 with probability 1/2, tokens normal of deviation 0.8 around
              (0.5, -0.3) or its negative, clipped to the box. 16384 sequences.
pairs.h5      512 sequences of two tokens, uniform in [-1.6, 1.6]^2, with targets beside them, normal of deviation 0.1 in every coordinate: three
              of them are a random problem.
away-*.h5     the tokens of ../problems/heads/rate.yaml with targets that lie 2^(k-4), in the mean square of a token, from them (k of 0, 2, 4, 6), in
              directions 1 to 3.

Standard library, but for h5py: Python keeps the numbers of random.Random(seed).random() the same from release to release.
"""
import math
import os
import random
import sys

import h5py

MOONS, MOVED = 5000, 200
PAIRS, AWAY = 512, (0, 2, 4, 6)
APART = (((-1.6, -1.2), (0, 1.2)), ((-1.6, 0.8), (0.8, 1.2)), ((1.2, -1.2), (0, 1.2)))  # as in ../problems/heads/rate.csv
SCALES, DIRECTIONS = range(1, 9), ((0.3, 3.7), (2.0, 1.1), (5.2, 4.4))  # angles by which the two moons are moved


def normal(draw):
    """Box and Muller; 1 - draw() lies in (0, 1]."""
    return math.sqrt(-2 * math.log(1 - draw())) * math.cos(2 * math.pi * draw())


def moon(label, draw):
    sign, angle = 1 - 2 * label, math.pi * draw()
    return sign * (math.cos(angle) - 0.5) + 0.08 * normal(draw), sign * (math.sin(angle) - 0.25) + 0.08 * normal(draw)


def write(path, rows, names=("sequence", "position", "label", "z0", "z1")):
    with h5py.File(path, "w", track_order=False) as f:
        for name, column in zip(names, zip(*rows)):
            f.create_dataset(name, data=column, track_times=False)


def write_targets(path, tokens, away):
    """tokens and away [S][n][2], from which targets lie so far."""
    rows = [(s, p, z[0] + by[0], z[1] + by[1], *z) for s, (row, moved) in enumerate(zip(tokens, away)) for p, (z, by) in enumerate(zip(row, moved))]
    write(path, rows, ("sequence", "position", "y0", "y1", "z0", "z1"))


def moons(folder):
    draw = random.Random(1).random
    law = [[moon(c, draw) for _ in range(MOONS)] for c in (0, 1)]
    write(os.path.join(folder, "moons.h5"), [(0, 0, c, *z) for c in (0, 1) for z in law[c]])
    few = [(0, 0, c, *z) for c in (0, 1) for z in law[c][:MOVED]]
    write(os.path.join(folder, "moved-0.h5"), few)
    for k in SCALES:
        for j, angles in enumerate(DIRECTIONS):
            by = [(2.0**-k * math.cos(a), 2.0**-k * math.sin(a)) for a in angles]
            write(os.path.join(folder, "moved-%d-%d.h5" % (k, j + 1)), [(s, p, c, x + by[c][0], y + by[c][1]) for s, p, c, x, y in few])


def sentences(folder):
    draw, rows = random.Random(2).random, []
    for s in range(16384):
        label = int(draw() < 0.5)
        sign = 1 - 2 * label
        rows += [(s, p, label, *(max(-2.0, min(2.0, sign * m + 0.8 * normal(draw))) for m in (0.5, -0.3))) for p in range(3)]
    write(os.path.join(folder, "sentences.h5"), rows)


def pairs(folder):
    draw = random.Random(3).random
    tokens = [[(3.2 * draw() - 1.6, 3.2 * draw() - 1.6) for _ in range(2)] for _ in range(PAIRS)]
    write_targets(os.path.join(folder, "pairs.h5"), tokens, [[(0.1 * normal(draw), 0.1 * normal(draw)) for _ in row] for row in tokens])


def away(folder):
    draw = random.Random(4).random
    for j in range(3):
        direction = [[(normal(draw), normal(draw)) for _ in row] for row in APART]
        size = math.sqrt(sum(x * x + y * y for row in direction for x, y in row) / 6)
        for k in AWAY:
            by = [[(2.0**(k - 4) * x / size, 2.0**(k - 4) * y / size) for x, y in row] for row in direction]
            write_targets(os.path.join(folder, "away-%d-%d.h5" % (k, j + 1)), APART, by)


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
    os.makedirs(folder, exist_ok=True)
    moons(folder)
    sentences(folder)
    pairs(folder)
    away(folder)


if __name__ == "__main__":
    main()
