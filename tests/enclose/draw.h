/* Numbers by chance, splitmix64. */
#pragma once
#include <stdint.h>

void   seed(uint64_t s);
double uniform(void);    /* in [0, 1) */
double both_sides(void); /* in [-1, 1) */
int    among(int n);     /* 0 .. n-1 */
