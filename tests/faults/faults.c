/* The linker puts these wrappers (--wrap) between our code and the calls of calls.def; what libraries call among
 * themselves is not touched. By environment:
 *
 *   BF_FAULT=CLASS:N:RANK  call number N (from 1) of the class fails on that rank
 *   BF_FAULT_TRACE=FILE    FILE.RANK gets a line a call: class, number in it, name, hash of the callers */
#include <errno.h>
#include <execinfo.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum { memory, file, hdf5, mpi, petsc, CLASSES } Class;

static const struct {
  Class class;
  const char *name;
  int64_t     value;
} calls[] = {
#define CALL(class, name, value) {class, #name, value},
#include "calls.def"
#undef CALL
};

enum {
#define CALL(class, name, value) index_##name,
#include "calls.def"
#undef CALL
};

static const char *const class_name[CLASSES] = {"memory", "file", "hdf5", "mpi", "petsc"};

static struct {
  int ready;
  int class;
  int64_t number, count[CLASSES];
  FILE   *trace;
} plan = {.class = -1};

FILE *__real_fopen64(const char *path, const char *mode);
int   __real_close(int file);
int   __real_fclose(FILE *file);
int   __real_closedir(void *folder);

static void prepare(void) {
  const char *fault = getenv("BF_FAULT"), *trace = getenv("BF_FAULT_TRACE"), *rank = getenv("OMPI_COMM_WORLD_RANK");
  char        name[16], path[4096];
  long long   number, which;
  plan.ready = 1;
  if (fault && sscanf(fault, "%15[^:]:%lld:%lld", name, &number, &which) == 3 && which == atoll(rank ? rank : "0"))
    for (int c = 0; c < CLASSES; c++)
      if (!strcmp(name, class_name[c])) {
        plan.class  = c;
        plan.number = number;
      }
  if (!trace) return;
  snprintf(path, sizeof path, "%s.%s", trace, rank ? rank : "0");
  plan.trace = __real_fopen64(path, "w");
}

/* The four innermost callers, in offsets from this function: the same in every run. */
static uint64_t callers(void) {
  enum { DEEP = 4, OURS = 3 }; /* this function, bf_fault, the wrapper */
  void     *frame[DEEP + OURS];
  uint64_t  hash  = 14695981039346656037u;
  const int depth = backtrace(frame, DEEP + OURS);
  for (int i = OURS; i < depth; i++)
    hash = (hash ^ (uint64_t)((char *)frame[i] - (char *)(uintptr_t)callers)) * 1099511628211u;
  return hash;
}

typedef struct {
  int64_t fails, value;
} Answer;

/* What a failed call leaves behind beside its value. */
static void leave(int index, const int64_t *argument) {
  if (index == index_close) __real_close((int)argument[0]); /* what cannot be closed is closed all the same */
  if (index == index_fclose) __real_fclose((FILE *)(uintptr_t)argument[0]);
  if (index == index_closedir) __real_closedir((void *)(uintptr_t)argument[0]);
  errno = index == index_aligned_alloc ? ENOMEM : EIO;
  if (index == index_fread) ((FILE *)(uintptr_t)argument[3])->_flags |= 0x20; /* glibc's sign of an error */
  if (index == index_fgets) ((FILE *)(uintptr_t)argument[2])->_flags |= 0x20;
  if (index == index_fputs) ((FILE *)(uintptr_t)argument[1])->_flags |= 0x20;
  if (calls[index].class == mpi && index != index_MPI_Win_allocate_shared)
    MPI_Comm_call_errhandler(MPI_COMM_WORLD, MPI_ERR_OTHER);
}

/* argument: the first six, as integers. */
Answer bf_fault(int index, const int64_t *argument);
Answer bf_fault(int index, const int64_t *argument) {
  static int within; /* what this function calls itself is let through */
  const int class = calls[index].class;
  if (within || gettid() != getpid()) return (Answer){0, 0}; /* the thread of the progress line is not counted */
  if ((index == index_fputs && ((FILE *)(uintptr_t)argument[1] == stderr || (FILE *)(uintptr_t)argument[1] == stdout)))
    return (Answer){0, 0};
  if (!plan.ready) prepare();
  const int64_t number = ++plan.count[class];
  if (plan.trace) {
    within = 1;
    fprintf(plan.trace, "%s %lld %s %016llx\n", class_name[class], (long long)number, calls[index].name,
            (unsigned long long)callers());
    fflush(plan.trace);
    within = 0;
  }
  if (class != plan.class || number != plan.number) return (Answer){0, 0};
  leave(index, argument);
  return (Answer){1, calls[index].value};
}

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x) /* __COUNTER__ runs from 0, as the indices do */
/* Save what arguments may be in, ask, then jump to the real function with all as it was, or return the value. */
#define CALL(class, name, value)                                                                                       \
  __asm__(".text\n.globl __wrap_" #name "\n.type __wrap_" #name ", @function\n__wrap_" #name ":\n"                     \
          ".cfi_startproc\n"                                                                                           \
          "pushq %rax\n.cfi_adjust_cfa_offset 8\n"                                                                     \
          "pushq %r9\n.cfi_adjust_cfa_offset 8\n"                                                                      \
          "pushq %r8\n.cfi_adjust_cfa_offset 8\n"                                                                      \
          "pushq %rcx\n.cfi_adjust_cfa_offset 8\n"                                                                     \
          "pushq %rdx\n.cfi_adjust_cfa_offset 8\n"                                                                     \
          "pushq %rsi\n.cfi_adjust_cfa_offset 8\n"                                                                     \
          "pushq %rdi\n.cfi_adjust_cfa_offset 8\n"                                                                     \
          "movq %rsp, %rsi\n"                                                                                          \
          "subq $64, %rsp\n.cfi_adjust_cfa_offset 64\n"                                                                \
          "movups %xmm0, (%rsp)\nmovups %xmm1, 16(%rsp)\nmovups %xmm2, 32(%rsp)\nmovups %xmm3, 48(%rsp)\n"             \
          "movl $" TEXT(__COUNTER__) ", %edi\n"                                                                        \
                                     "call bf_fault\n"                                                                 \
                                     "movq %rax, %r10\nmovq %rdx, %r11\n"                                              \
                                     "movups (%rsp), %xmm0\nmovups 16(%rsp), %xmm1\nmovups 32(%rsp), %xmm2\nmovups "   \
                                     "48(%rsp), %xmm3\n"                                                               \
                                     "addq $64, %rsp\n.cfi_adjust_cfa_offset -64\n"                                    \
                                     "popq %rdi\n.cfi_adjust_cfa_offset -8\n"                                          \
                                     "popq %rsi\n.cfi_adjust_cfa_offset -8\n"                                          \
                                     "popq %rdx\n.cfi_adjust_cfa_offset -8\n"                                          \
                                     "popq %rcx\n.cfi_adjust_cfa_offset -8\n"                                          \
                                     "popq %r8\n.cfi_adjust_cfa_offset -8\n"                                           \
                                     "popq %r9\n.cfi_adjust_cfa_offset -8\n"                                           \
                                     "popq %rax\n.cfi_adjust_cfa_offset -8\n"                                          \
                                     "testq %r10, %r10\njne 1f\n"                                                      \
                                     "jmp *__real_" #name "@GOTPCREL(%rip)\n"                                          \
                                     "1: movq %r11, %rax\nret\n.cfi_endproc\n.size __wrap_" #name                      \
                                     ", . - __wrap_" #name "\n");
#include "calls.def"
