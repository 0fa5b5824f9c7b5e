/* A mutation that keeps what stands round a word, so that more inputs get past the parser to the checks behind it. */
#pragma once
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed);

/* What a target may put in; NULL ends it. */
extern const char *const WORDS[];

static inline unsigned next_random(unsigned *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static inline int in_word(uint8_t c) { return isalnum(c) || strchr("+-._", c ? c : ' '); }

/* Put another word where one stands; one time in four, let libFuzzer do what it does to any bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed) {
  unsigned random = seed;
  if (!size || next_random(&random) % 4 == 0) return LLVMFuzzerMutate(bytes, size, room);
  unsigned count = 0;
  while (WORDS[count]) count++;
  const char *word  = WORDS[next_random(&random) % count];
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
