#!/usr/bin/env python3
"""Write train.csv and test.csv: sequences  ^ s1 s2 ... s6  of four symbols whose last symbol occurred exactly once
before; the label is the symbol that followed it there ("... a b ... a": b).

A token has six coordinates: its symbol as a corner of a square (0, 1), and four zeros, in which the layers can write:
(2, 3) and (4, 5). The start mark ^ is the zero vector. No sequence occurs twice, also not across the two tables.

Standard library only: Python keeps the numbers of random.Random(seed).random() the same from release to release.
"""
import random

SEED = 5
SYMBOLS = ((1, 0), (0, 1), (-1, 0), (0, -1))
LENGTH = 6
TRAIN, TEST = 32, 48


def admissible(word):
    """The last symbol has one earlier occurrence, and not just before it (what follows that one is itself)."""
    return word[:-2].count(word[-1]) == 1 and word[-2] != word[-1]


def words(draw, count):
    seen = []
    while len(seen) < count:
        word = tuple(int(len(SYMBOLS) * draw()) for _ in range(LENGTH))
        if admissible(word) and word not in seen:
            seen.append(word)
    return seen


def write(path, chosen):
    with open(path, "w") as out:
        out.write("sequence,position,label,z0,z1,z2,z3,z4,z5\n")
        for s, word in enumerate(chosen):
            label = word[word.index(word[-1]) + 1]
            for p, symbol in enumerate(((0, 0), *(SYMBOLS[c] for c in word))):
                out.write(f"{s},{p},{label},{symbol[0]},{symbol[1]},0,0,0,0\n")


def main():
    chosen = words(random.Random(SEED).random, TRAIN + TEST)
    write("train.csv", chosen[:TRAIN])
    write("test.csv", chosen[TRAIN:])


if __name__ == "__main__":
    main()
