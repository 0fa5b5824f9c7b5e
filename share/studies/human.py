"""Times as bellformer tells them (src/run/human.c), read back."""
import re

UNITS = {"microseconds": 1e-6, "milliseconds": 1e-3, "s": 1, "second": 1, "seconds": 1, "min": 60, "minute": 60, "minutes": 60, "hour": 3600,
         "hours": 3600, "day": 86400, "days": 86400, "year": 31557600, "years": 31557600}


def seconds(text):
    """Of "about 3 min 20 s", "4.5 milliseconds". ValueError where there is no time, or a number of what is none."""
    found = re.findall(r"([0-9]\S*) (\S+)", text)
    if not found or any(unit not in UNITS for _, unit in found):
        raise ValueError("no time: '%s'" % text)
    return sum(float(number) * UNITS[unit] for number, unit in found)
