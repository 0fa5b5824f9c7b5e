#!/usr/bin/env python3
"""Write train.csv and test.csv from a table of Fisher's iris flowers.

usage: generate.py IRIS.csv      scikit-learn's datasets/data/iris.csv (Debian: apt-get download python3-sklearn;
                                 dpkg -x python3-sklearn*.deb .): four lengths in cm and the species 0, 1, 2 a line

Tokens are petal length and petal width, each minus its mean over the 150 flowers and divided by its standard
deviation. Every fifth flower of a species (the 5th, 10th, ... in the table's order) is held out: 30 of 150.
"""
import csv
import statistics
import sys

PETALS = (2, 3)  # columns: petal length, petal width


def main():
    with open(sys.argv[1]) as table:
        flowers = [row for row in csv.reader(table)][1:]
    species = [int(row[4]) for row in flowers]
    columns = []
    for j in PETALS:
        values = [float(row[j]) for row in flowers]
        mean, deviation = statistics.fmean(values), statistics.pstdev(values)
        columns.append([(value - mean) / deviation for value in values])
    seen = {}
    with open("train.csv", "w") as train, open("test.csv", "w") as test:
        for out in (train, test):
            out.write("sequence,position,label,z0,z1\n")
        for label, z0, z1 in zip(species, *columns):
            seen[label] = seen.get(label, 0) + 1
            (test if seen[label] % 5 == 0 else train).write(f"0,0,{label},{z0:.17g},{z1:.17g}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
