#!/usr/bin/env python3
"""Write moons.csv and moons-test.csv: two interleaved half circles of radius 1 with Gaussian noise, one a label.

Label 0 is the upper half circle about (-1/2, -1/4), label 1 the lower one about (1/2, 1/4): the two moons, centred.
Angles are equally spaced in the training table and drawn uniformly in the test table.

Standard library only: Python keeps the numbers of random.Random(seed).random() the same from release to release.
"""
import math
import random

SEED = 2
NOISE = 0.08


def normal(draw):
    """Box and Muller; 1 - draw() lies in (0, 1]."""
    return math.sqrt(-2 * math.log(1 - draw())) * math.cos(2 * math.pi * draw())


def moon(label, angle, draw):
    sign = 1 - 2 * label
    x = sign * (math.cos(angle) - 0.5)
    y = sign * (math.sin(angle) - 0.25)
    return x + NOISE * normal(draw), y + NOISE * normal(draw)


def write(path, tokens):
    with open(path, "w") as out:
        out.write("sequence,position,label,z0,z1\n")
        for label, (x, y) in tokens:
            out.write(f"0,0,{label},{x:.17g},{y:.17g}\n")


def main():
    draw = random.Random(SEED).random
    count = 60
    write("moons.csv", [(c, moon(c, math.pi * k / (count - 1), draw)) for c in (0, 1) for k in range(count)])
    write("moons-test.csv", [(c, moon(c, math.pi * draw(), draw)) for c in (0, 1) for _ in range(count)])


if __name__ == "__main__":
    main()
