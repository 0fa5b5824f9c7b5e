"""The law that heads are drawn from, as share/doc/keys.md states it, in numpy: +, -, *, / and square roots of doubles alone, so that the bits are
the program's."""
import numpy as np

GAMMA, MASK = 0x9e3779b97f4a7c15, (1 << 64) - 1


def mix(state):
    """The 64 bits that splitmix64 gives in that state, of an array of uint64."""
    z = np.asarray(state, dtype=np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
    return z ^ (z >> np.uint64(31))


def outputs(seed, count):
    """The first `count` of splitmix64(seed)."""
    return mix(np.array([(seed + (k + 1) * GAMMA) & MASK for k in range(count)], dtype=np.uint64))


def logarithm(x):
    m, e = np.frexp(x)
    low = m < np.sqrt(0.5)
    m, e = np.where(low, 2 * m, m), e - low
    s = (m - 1) / (m + 1)
    square, total = s * s, np.zeros_like(s)
    for k in range(21, 0, -2):
        total = total * square + 1 / k
    return e * np.log(2.0) + 2 * s * total


def ratio(above, below, r):
    a, b = np.full_like(r, above[0]), np.full_like(r, below[0])
    for x, y in zip(above[1:], below[1:]):
        a, b = a * r + x, b * r + y
    return a / b


MIDDLE = ([2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457, 13731.693765509461125, 1971.5909503065514427,
           133.14166789178437745, 3.3871328727963666080],
          [5226.4952788528545610, 28729.085735721942674, 39307.895800092710610, 21213.794301586595867, 5394.1960214247511077, 687.18700749205790830,
           42.313330701600911252, 1.0])
NEAR = ([7.74545014278341407640e-4, 0.0227238449892691845833, 0.241780725177450611770, 1.27045825245236838258, 3.64784832476320460504,
         5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734],
        [1.05075007164441684324e-9, 5.47593808499534494600e-4, 0.0151986665636164571966, 0.148103976427480074590, 0.689767334985100004550,
         1.67638483018380384940, 2.05319162663775882187, 1.0])
FAR = ([2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.00124266094738807843860, 0.0265321895265761230930, 0.296560571828504891230,
        1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720],
       [2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4, 0.0148753612908506148525,
        0.136929880922735805310, 0.599832206555887937690, 1.0])


def quantile(u):
    """Of the normal law: Wichura's AS 241."""
    q = u - 0.5
    r = np.sqrt(-logarithm(np.where(q < 0, u, 1 - u)))
    tail = np.where(r <= 5, ratio(*NEAR, r - 1.6), ratio(*FAR, r - 5))
    return np.where(np.abs(q) <= 0.425, q * ratio(*MIDDLE, 0.180625 - q * q), np.where(q < 0, -tail, tail))


def law(layers, heads, lower, upper, free_A, kind="normal", A=2.0, V=0.0, same=True, seed=0):
    """theta [T, H, q]; lower, upper [q]: the ranges of a head."""
    q, theta = len(lower), []
    for stream in outputs(seed, layers):
        u = ((outputs(int(stream), heads * q) >> np.uint64(12)).astype(float) + 0.5) * 2.0 ** -52
        u = u.reshape(heads, q)
        deviation = np.where(np.arange(q) < free_A, A, V)
        theta.append(deviation * quantile(u) if kind == "normal" else np.asarray(lower) + (np.asarray(upper) - np.asarray(lower)) * u)
    return np.array([theta[0]] * layers if same else theta)
