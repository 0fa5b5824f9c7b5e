"""Two results, bit by bit."""


def bits(x):
    return x if isinstance(x, bytes) else (str(x.dtype), x.shape, x.tolist() if x.dtype == object else x.tobytes())


def difference(one, other, leave=("provenance",)):
    """Names of datasets and attributes that differ, or that only one of them has."""
    lost = []
    for a, b in ((one.data, other.data), (one.attributes, other.attributes)):
        lost += [name for name in set(a) ^ set(b) if not name.startswith(leave)]
    names = [name for name in one.data if name in other.data and not name.startswith(leave)]
    lost += [name for name in names if bits(one.data[name]) != bits(other.data[name])]
    for name in one.attributes:
        if name in other.attributes and not name.startswith(leave):
            a, b = one.attributes[name], other.attributes[name]
            lost += [(name, key) for key in set(a) | set(b) if key not in a or key not in b or repr(a[key]) != repr(b[key])]
    return lost
