#!/usr/bin/env python3
"""Write train.csv and test.csv: tokens drawn uniformly in [-1, 1]^2, targets from a two-layer Transformer whose
matrices A, V, W1, W2 are all the identity and whose biases are 0 ([ASY26], the numerical example).

One teacher layer is z+ = sum_j k_j z_j / sum_j k_j + relu(z), k_j = exp(beta <z, z_j>). Attention averages and relu
does not enlarge, so that the largest |z_j| at most doubles in a layer: two layers stay in [-4, 4]^2, the box Z of the
problem, where the projection does nothing.

Standard library only: Python keeps the numbers of random.Random(seed).random() the same from release to release.
"""
import math
import random

SEED = 26
BETA = 0.5
LAYERS = 2
TOKENS = 4


def layer(tokens):
    moved = []
    for z in tokens:
        weights = [math.exp(BETA * (z[0] * x[0] + z[1] * x[1])) for x in tokens]
        total = sum(weights)
        moved.append([sum(w * x[j] for w, x in zip(weights, tokens)) / total + max(z[j], 0.0) for j in (0, 1)])
    return moved


def teacher(tokens):
    for _ in range(LAYERS):
        tokens = layer(tokens)
    return tokens


def write(path, sequences):
    with open(path, "w") as out:
        out.write("sequence,position,y0,y1,z0,z1\n")
        for s, tokens in enumerate(sequences):
            for p, (z, y) in enumerate(zip(tokens, teacher(tokens))):
                out.write(f"{s},{p}," + ",".join(f"{x:.17g}" for x in (*y, *z)) + "\n")


def main():
    draw = random.Random(SEED).random
    sequences = [[[2 * draw() - 1 for _ in range(2)] for _ in range(TOKENS)] for _ in range(50)]
    write("train.csv", sequences[:35])
    write("test.csv", sequences[35:])


if __name__ == "__main__":
    main()
