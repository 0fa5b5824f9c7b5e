/* A mutation that keeps what stands round a word, so that more inputs get past the parser to the checks behind it. */
#pragma once
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed);

static const char *const WORDS[] = {
    "0",       "1",        "2",         "3",     "5",     "-1",      "0.5",       "1e-300",     "-5e-324",     "1e154",
    "1e300",   "-1e300",   "1.7e308",   "-1e308", "64",   "65536",   "1000000",   "2147483647", "9223372036854775807",
    "nan",     "",         "none",      "full",  "fixed", "scalar",  "diagonal",  "skew",       "causal",      "sphere",
    "relu",    "sinusoidal", "sample",  "file",  "grid",  "decision", "split",    "auto",       "last",        "xor.csv",
    "pop.csv", "y.csv",    "one.csv",   "x.csv", "u.csv", "r.csv",   "wasserstein", "squared_error", "token_cross_entropy",
    "label",   "y0",       "z0",        "z1"};

static inline unsigned next_random(unsigned *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static inline int in_word(uint8_t c) { return isalnum(c) || strchr("+-._", c ? c : ' '); }

/* Put another word where one stands; as often, let libFuzzer do what it does to any bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed) {
  unsigned random = seed;
  if (!size || next_random(&random) % 2) return LLVMFuzzerMutate(bytes, size, room);
  const char *word  = WORDS[next_random(&random) % (sizeof WORDS / sizeof *WORDS)];
  size_t      begin = next_random(&random) % size, length = strlen(word);
  while (begin < size && !in_word(bytes[begin])) begin++;
  while (begin > 0 && in_word(bytes[begin - 1])) begin--;
  size_t end = begin;
  while (end < size && in_word(bytes[end])) end++;
  if (size - (end - begin) + length > room) return LLVMFuzzerMutate(bytes, size, room);
  memmove(bytes + begin + length, bytes + end, size - end);
  memcpy(bytes + begin, word, length);
  return size - (end - begin) + length;
}
