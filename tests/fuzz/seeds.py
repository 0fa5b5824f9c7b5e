"""Write the seeds that are made from other things: problems of share/problems without their comments, on the tables that
fuzz_problem.c holds; and tables in HDF5.  /usr/bin/python3 seeds.py; what is in corpus/ beside them was written by hand, or found."""
import os
import re

import h5py
import numpy

here = os.path.dirname(os.path.abspath(__file__))
problems = os.path.join(here, '..', '..', 'share', 'problems')
table = {'xor': 'xor.csv', 'moons': 'pop.csv', 'iris': 'pop.csv', 'iris-full': 'pop.csv', 'asy26-toy': 'y.csv',
         'induction': 'six.csv'}


def problem(name):
    folder = name.split('-')[0] if name.startswith('iris') else name
    with open(os.path.join(problems, folder, name + '.yaml')) as file:
        lines = [re.sub(r'\s*#.*', '', line.rstrip()) for line in file]
    text = '\n'.join(line for line in lines if line) + '\n'
    text = re.sub(r'\b(file|test): [a-z-]+\.csv', r'\1: ' + table[name], text)
    text = re.sub(r'count: \d+', 'count: 9', text)
    with open(os.path.join(here, 'corpus', 'problem', name), 'w') as file:
        file.write(text)


def columns(name, version, target=False, **more):
    with h5py.File(os.path.join(here, 'corpus', 'table', name), 'w', libver=version) as file:
        file.create_dataset('sequence', data=numpy.array([4, 4, 0], 'i4'), track_times=False, **more)
        file.create_dataset('position', data=numpy.array([1, 0, 0], 'i8'), track_times=False, **more)
        if target:
            file.create_dataset('y0', data=numpy.array([1, 2, 3], '<f4'), track_times=False, **more)
        else:
            file.create_dataset('label', data=numpy.array([1, 1, 0], 'u1'), track_times=False, **more)
        file.create_dataset('z0', data=numpy.array([0.5, -0.25, 1], '>f8'), track_times=False, **more)


def refused(name, values):
    """One column that is not what is wanted."""
    with h5py.File(os.path.join(here, 'corpus', 'table', name), 'w', libver='latest') as file:
        for column in ['sequence', 'position', 'label']:
            file.create_dataset(column, data=numpy.array([0, 1], 'i2'), track_times=False)
        file.create_dataset('z0', data=values, track_times=False)


for name in table:
    problem(name)
columns('hdf5', 'earliest')
columns('hdf5-targets', 'latest', target=True)
columns('hdf5-deflate', 'earliest', chunks=(3,), compression='gzip', shuffle=True, fletcher32=True)
refused('hdf5-matrix', numpy.zeros((2, 2)))
refused('hdf5-text', numpy.array([b'0', b'1']))
refused('hdf5-nan', numpy.array([0, numpy.nan], 'f4'))
