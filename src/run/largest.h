/* The larger of two numbers; NaN where one is, which fmax passes over: then nobody knows the largest. */
#pragma once
#include <math.h>

static inline double bf_larger(double a, double b) { return a > b || isnan(a) ? a : b; }
