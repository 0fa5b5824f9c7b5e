#include "flow/dispatch.h"
#include <math.h>
#include <unistd.h>

enum { WORDS = 2 }; /* of an order: it, and a start */
enum { NEWS, ORDER, NUMBERS = sizeof(BfNews) / sizeof(double) };

static const double between = 0.5; /* seconds between news of work, at least */

/* News under way to rank 0: complete once it was received. */
typedef struct Letter {
  BfNews         news;
  MPI_Request    request;
  bool           owned;
  struct Letter *next;
} Letter;

struct BfDispatch {
  BfRun       *run;
  MPI_Comm     comm; /* messages meet no others there */
  BfDispatchOf of;
  Letter      *sent;
  Letter       asked, wants, last; /* always there is memory for these */
  int64_t      taken;              /* of rank 0's answers */
  bool         has_asked;
  double       evaluations, longest, told; /* work that rank 0 was not told of; when it was last */
  /* Rank 0 alone: */
  int         *leader; /* [groups] */
  MPI_Request *order;  /* [2][groups] of orders to all, of starts to single groups */
  int64_t     *start;  /* [groups][WORDS] */
  int64_t      word[WORDS], next;
  double      *rows; /* [groups] */
  double       slowest;
  int          working;
  bool         stop, failed, has_saved, has_taken, closed;
};

static void clear(BfDispatch **dispatch) {
  if (!*dispatch) return;
  bf_free((*dispatch)->leader);
  bf_free((*dispatch)->order);
  bf_free((*dispatch)->start);
  bf_free((*dispatch)->rows);
  bf_free(*dispatch);
  *dispatch = NULL;
}

static BfStatus make(BfRun *run, int groups, BfDispatch **out, int **leads, BfError *error) {
  BF_TRY(BF_NEW(out, 1, error));
  if (run->rank) return BF_OK;
  BF_TRY(BF_NEW(leads, run->size, error));
  BF_TRY(BF_NEW(&(*out)->leader, groups, error));
  BF_TRY(BF_NEW(&(*out)->order, 2 * groups, error));
  BF_TRY(BF_NEW(&(*out)->start, WORDS * groups, error));
  for (int g = 0; g < 2 * groups; g++) (*out)->order[g] = MPI_REQUEST_NULL;
  return BF_NEW(&(*out)->rows, groups, error);
}

BfStatus bf_dispatch_create(BfRun *run, const BfDispatchOf *of, BfDispatch **out, BfError *error) {
  int mine = of->leads ? of->group : -1, *leads = NULL;
  *out = NULL;
  if (bf_together(run->world, make(run, of->groups, out, &leads, error), error) != BF_OK) {
    bf_free(leads);
    clear(out);
    return error->status;
  }
  BfDispatch *x    = *out;
  x->run           = run;
  x->of            = *of;
  x->working       = of->groups;
  x->wants.request = MPI_REQUEST_NULL;
  MPI_Comm_dup(run->world, &x->comm);
  MPI_Gather(&mine, 1, MPI_INT, leads, 1, MPI_INT, 0, x->comm);
  for (int r = 0; leads && r < run->size; r++)
    if (leads[r] >= 0) x->leader[leads[r]] = r;
  bf_free(leads);
  return BF_OK;
}

/* ---- news ------------------------------------------------------------------------------------------------------- */

/* A start to the group that wants one. */
static void deal(BfDispatch *x, int group) {
  int64_t *word = x->start + WORDS * group;
  MPI_Wait(&x->order[x->of.groups + group], MPI_STATUS_IGNORE); /* it was received: the group has come back */
  word[0] = BF_SEARCH_TAKE;
  word[1] = x->next < x->of.fresh ? x->next++ : -1;
  if (group) {
    MPI_Isend(word, WORDS, MPI_INT64_T, x->leader[group], ORDER, x->comm, &x->order[x->of.groups + group]);
  } else {
    x->taken     = word[1];
    x->has_taken = true;
  }
}

static void receive(BfDispatch *x, const BfNews *news) {
  const int g = (int)news->group;
  if (news->kind == BF_NEWS_WANTS && !x->closed) deal(x, g);
  if (news->kind != BF_NEWS_ASKED) x->rows[g] = news->rows;
  x->slowest = fmax(x->slowest, news->longest);
  x->stop |= news->kind == BF_NEWS_ASKED;
  x->failed |= news->kind == BF_NEWS_FAILED;
  x->working -= news->kind == BF_NEWS_FINISHED || news->kind == BF_NEWS_FAILED;
  x->of.hear(x->of.context, news);
}

static void receive_all(BfDispatch *x) {
  for (int there = 1; there;) {
    BfNews     news;
    MPI_Status from;
    MPI_Iprobe(MPI_ANY_SOURCE, NEWS, x->comm, &there, &from);
    if (!there) return;
    MPI_Recv(&news, NUMBERS, MPI_DOUBLE, from.MPI_SOURCE, NEWS, x->comm, MPI_STATUS_IGNORE);
    receive(x, &news);
  }
}

/* Forget letters that have arrived. Whether one of work is still under way. */
static bool forget_arrived(BfDispatch *x) {
  bool work = false;
  for (Letter **at = &x->sent; *at;) {
    Letter *letter  = *at;
    int     arrived = 0;
    MPI_Test(&letter->request, &arrived, MPI_STATUS_IGNORE);
    if (arrived) {
      *at = letter->next;
      if (letter->owned) bf_free(letter);
    } else {
      work |= letter->news.kind == BF_NEWS_WORKED;
      at = &letter->next;
    }
  }
  return work;
}

/* Sent so that it is complete only when it was received: none is left behind (bf_dispatch_destroy). */
static void send(BfDispatch *x, Letter *letter, const BfNews *news) {
  letter->news = *news;
  letter->next = x->sent;
  x->sent      = letter;
  MPI_Issend(&letter->news, NUMBERS, MPI_DOUBLE, 0, NEWS, x->comm, &letter->request);
}

void bf_dispatch_tell(BfDispatch *x, BfNewsKind kind, BfNews news) {
  const double now     = bf_seconds();
  BfError      ignored = {0};
  Letter      *letter  = kind == BF_NEWS_WANTS ? &x->wants : &x->last;
  if (kind == BF_NEWS_WANTS) MPI_Wait(&letter->request, MPI_STATUS_IGNORE); /* of the one before, which was answered */
  x->evaluations += news.evaluations;
  x->longest           = fmax(x->longest, news.longest);
  const bool under_way = forget_arrived(x);
  if (kind == BF_NEWS_WORKED && x->run->rank && (under_way || now - x->told < between)) return;
  news.kind        = kind;
  news.group       = x->of.group;
  news.evaluations = x->evaluations;
  news.longest     = x->longest;
  if (x->run->rank == 0) {
    receive(x, &news);
  } else {
    if (kind == BF_NEWS_WORKED || kind == BF_NEWS_START) {
      if (BF_NEW(&letter, 1, &ignored) != BF_OK) return; /* only a line is lost */
      letter->owned = true;
    }
    send(x, letter, &news);
  }
  x->evaluations = 0;
  x->told        = now;
}

void bf_dispatch_look(BfDispatch *x) {
  const BfNews news = {.kind = BF_NEWS_ASKED, .group = x->of.group};
  if (!x->run->rank || x->has_asked || !bf_signals_asked()) return; /* rank 0 asks itself */
  x->has_asked = true;
  send(x, &x->asked, &news);
}

/* ---- orders ----------------------------------------------------------------------------------------------------- */

static BfSearchOrder decide(const BfDispatch *x) {
  double bytes = x->of.other_bytes;
  if (x->failed) return BF_SEARCH_ABANDON;
  if (!x->working) return BF_SEARCH_END;
  for (int g = 0; g < x->of.groups; g++) bytes += x->of.row_bytes * x->rows[g];
  const BfOrder due = bf_checkpoint_due(x->of.checkpoint, bytes, x->slowest);
  if (due == BF_SAVE && x->has_saved) return BF_SEARCH_NOTHING; /* never two on end */
  if (due == BF_SAVE_AND_STOP || (x->stop && x->of.checkpoint)) return BF_SEARCH_STOP;
  return due == BF_SAVE ? BF_SEARCH_SAVE : BF_SEARCH_NOTHING;
}

static void give(BfDispatch *x, BfSearchOrder order) {
  MPI_Waitall(x->of.groups, x->order, MPI_STATUSES_IGNORE); /* `word` may be written again */
  x->word[0] = (int64_t)order;
  for (int g = 1; g < x->of.groups; g++)
    MPI_Isend(x->word, WORDS, MPI_INT64_T, x->leader[g], ORDER, x->comm, &x->order[g]);
}

BfSearchOrder bf_dispatch_hear(BfDispatch *x) {
  int     there = 0;
  int64_t word[WORDS];
  bf_dispatch_look(x);
  forget_arrived(x);
  if (x->run->rank) {
    MPI_Iprobe(0, ORDER, x->comm, &there, MPI_STATUS_IGNORE);
    if (!there) return BF_SEARCH_NOTHING;
    MPI_Recv(word, WORDS, MPI_INT64_T, 0, ORDER, x->comm, MPI_STATUS_IGNORE);
    x->taken = word[1];
    return (BfSearchOrder)word[0];
  }
  receive_all(x);
  const BfSearchOrder order = x->has_taken ? BF_SEARCH_TAKE : decide(x);
  x->has_taken              = false;
  x->has_saved              = order == BF_SEARCH_SAVE;
  if (order != BF_SEARCH_NOTHING && order != BF_SEARCH_TAKE) give(x, order);
  return order;
}

int64_t bf_dispatch_taken(const BfDispatch *x) { return x->taken; }

BfSearchOrder bf_dispatch_wait(BfDispatch *x) {
  for (;;) {
    const BfSearchOrder order = bf_dispatch_hear(x);
    if (order != BF_SEARCH_NOTHING) return order;
    usleep(500);
  }
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

/* Letters are received until every rank has none under way. */
void bf_dispatch_destroy(BfDispatch **dispatch) {
  BfDispatch *x = *dispatch;
  if (!x) return;
  MPI_Request all;
  int         over = 0;
  x->closed        = true; /* who wants a start has been told to stop */
  while (x->sent) forget_arrived(x);
  MPI_Ibarrier(x->comm, &all);
  while (!over) {
    if (!x->run->rank) receive_all(x);
    MPI_Test(&all, &over, MPI_STATUS_IGNORE);
  }
  if (!x->run->rank) MPI_Waitall(2 * x->of.groups, x->order, MPI_STATUSES_IGNORE);
  MPI_Comm_free(&x->comm);
  clear(dispatch);
}
