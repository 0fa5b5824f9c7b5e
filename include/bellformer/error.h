/* Errors, and the memory that can cause them. Pure: no MPI, no PETSc.
 *
 * A function that can fail returns a BfStatus and takes a BfError as its last argument. On failure it fills the error
 * with one line that names what is wrong and returns the status, which is also the exit code of the program. Its
 * outputs are then undefined, unless its header says more: what a create function was to fill is not to be used,
 * cleared or destroyed, except where it says "clear it also after a failure"; whatever it took for itself it has given
 * back. Nothing is printed here: the caller knows the file, the rank and the stream. */
#pragma once
#include "bellformer/api.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

BF_API_BEGIN

typedef enum {
  BF_OK        = 0,
  BF_FAILURE   = 1, /* inside: no memory, a library's error */
  BF_BAD_INPUT = 2, /* usage, a problem file, a table, a size that cannot be */
  BF_STOPPED   = 75 /* stopped early, with a checkpoint that -restart continues */
} BfStatus;

/* Of a failure that a caller may do without: it is of this problem or this size, not of the machine. */
typedef enum {
  BF_CAUSE_NONE,
  BF_CAUSE_MEMORY, /* there is no room: what is smaller may fit */
  BF_CAUSE_NUMBERS /* they leave what a double holds */
} BfCause;

#define BF_ERROR_LENGTH 1024

typedef struct {
  BfStatus status;
  BfCause  cause;
  bool     known; /* to all ranks: an agreement (run.h) has told them, and another has nothing to tell */
  char     text[BF_ERROR_LENGTH]; /* one line without the newline; empty while status is BF_OK */
} BfError;                        /* start with BfError error = {0} */

/* Fill `error` (unless it already holds an earlier one: the first cause is kept) and return `status`. */
BfStatus bf_fail(BfError *error, BfStatus status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same of that cause. */
BfStatus bf_fail_for(BfError *error, BfStatus status, BfCause cause, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Put "prefix: " before the text of an error that is set: a file's name, a key. */
void bf_error_prefix(BfError *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Return from the enclosing function when a call fails. */
#define BF_TRY(call)                                                                                                   \
  do {                                                                                                                 \
    BfStatus bf_status_ = (call);                                                                                      \
    if (bf_status_ != BF_OK) return bf_status_;                                                                        \
  } while (0)

/* Go to the label `done` of the enclosing function, which has `BfStatus status`, when a call fails. */
#define BF_GOTO(call)                                                                                                  \
  do {                                                                                                                 \
    status = (call);                                                                                                   \
    if (status != BF_OK) goto done;                                                                                    \
  } while (0)

/* `count` zeroed objects of `size` bytes, 64-byte aligned (a cache line, and the widest vector), to be given back with
 * bf_free. A count of 0 gives a pointer that may be freed. NULL with `error` filled when there is no memory, or
 * when count * size overflows. */
void *bf_calloc(int64_t count, size_t size, BfError *error);
void  bf_free(void *pointer); /* NULL-safe */

/* BF_NEW(&array, count, error): an array of what `array` points to. */
#define BF_NEW(out, count, error) bf_new((void **)(out), (count), sizeof **(out), (error))
static inline BfStatus bf_new(void **out, int64_t count, size_t size, BfError *error) {
  *out = bf_calloc(count, size, error);
  return *out ? BF_OK : BF_FAILURE;
}

BF_API_END
