/* The B best paths, by each measure's own list of the best ones from there: number r of a list is asked for only where
 * something before it has used number r - 1. A list is ordered by (J, k, place in the successor's list), J the cost of
 * a path, k its first action; that order does not decrease along the places in one successor's list, since rounding is
 * monotone: J grows with the cost of what follows, and where it does not, no smaller action can attain it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* qsort_r */
#endif
#include "solve/best.h"
#include "run/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int32_t action;
  double  stage;
} Edge;

/* All ways to one successor. */
typedef struct {
  int64_t measure; /* of layer t + 1 */
  int64_t readout; /* of the last layer */
  Edge   *edge;    /* the actions that may be the cheapest, in increasing order and of decreasing c(u_k) */
  int     edges;
  bool    stale;  /* cost and action are of a path that was used: the next is to be looked up */
  bool    over;   /* there is no next */
  int64_t place;  /* in the successor's list, of what follows */
  int64_t node;   /* of the successor; -1: not expanded */
  double  cost;   /* of the path, J */
  int32_t action; /* its first action */
} Branch;

typedef struct {
  double  cost;
  int32_t action;
  int64_t branch, place;
} Path;

typedef struct {
  int     t;
  int64_t measure;
  int64_t branches;
  Branch *branch;
  Edge   *edge; /* of all of them */
  int64_t paths, room;
  Path   *path; /* the best ones from here, as far as they were asked for */
} Node;

typedef struct {
  const BfGraph *graph;
  int64_t        wanted;
  int64_t        nodes, room;
  Node          *node;
  BfSuccessors   next; /* of the measure that is expanded, as all below: [K] */
  int64_t       *order;
  Branch        *branch;
  Edge          *edge;
} Search;

void bf_best_clear(BfBest *best) {
  bf_free(best->action);
  bf_free(best->readout);
  bf_free(best->cost);
  *best = (BfBest){.wanted = best->wanted};
}

/* ---- a measure's successors ---------------------------------------------------------------------------------------
 */

/* The cheapest way into a branch, whose successor costs `value`. */
static void choose(Branch *branch, double value) {
  branch->cost = INFINITY;
  for (int i = 0; i < branch->edges; i++) {
    const double cost = branch->edge[i].stage + value;
    if (cost >= branch->cost) continue;
    branch->cost   = cost;
    branch->action = branch->edge[i].action;
  }
}

static int by_successor(const void *a, const void *b, void *context) {
  const BfSuccessors *next = context;
  const int64_t       i = *(const int64_t *)a, j = *(const int64_t *)b;
  if (next->next[i] != next->next[j]) return next->next[i] < next->next[j] ? -1 : 1;
  return i < j ? -1 : i > j;
}

static int by_cost(const void *a, const void *b) {
  const Branch *x = a, *y = b;
  if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
  return x->action < y->action ? -1 : x->action > y->action;
}

/* A branch from successors order[0 .. count-1], which are one; edge: room for as many. */
static Branch make_branch(const Search *x, const int64_t order[], int64_t count, Edge *edge) {
  const BfSuccessors *next = &x->next;
  Branch branch = {.measure = next->next[order[0]], .readout = next->readout[order[0]], .node = -1, .edge = edge};
  for (int64_t i = 0; i < count; i++) {
    const int32_t k = next->action[order[i]];
    const double  c = x->graph->stage[k];
    if (branch.edges && c >= edge[branch.edges - 1].stage) continue;
    edge[branch.edges++] = (Edge){k, c};
  }
  choose(&branch, next->value[order[0]]);
  return branch;
}

/* All of the successors' into x->branch, the best first. Returns how many. */
static int64_t make_branches(Search *x) {
  int64_t *order = x->order, used = 0, branches = 0;
  for (int64_t i = 0; i < x->next.count; i++)
    if (x->next.value[i] < INFINITY) order[used++] = i;
  qsort_r(order, (size_t)used, sizeof *order, by_successor, &x->next);
  for (int64_t i = 0, j; i < used; i = j) {
    for (j = i + 1; j < used && x->next.next[order[j]] == x->next.next[order[i]];) j++;
    x->branch[branches++] = make_branch(x, order + i, j - i, x->edge + i);
  }
  qsort(x->branch, (size_t)branches, sizeof *x->branch, by_cost);
  return branches;
}

/* Of all branches no more than the `wanted` best can have a part in the best paths: whatever follows, a path begins
 * with the branch's best. */
static BfStatus keep_branches(const Search *x, int64_t branches, Node *node, BfError *error) {
  const int64_t kept  = branches < x->wanted ? branches : x->wanted;
  int64_t       edges = 0;
  for (int64_t b = 0; b < kept; b++) edges += x->branch[b].edges;
  BF_TRY(BF_NEW(&node->branch, kept, error));
  BF_TRY(BF_NEW(&node->edge, edges, error));
  node->branches = kept;
  Edge *edge     = node->edge;
  for (int64_t b = 0; b < kept; b++) {
    node->branch[b]      = x->branch[b];
    node->branch[b].edge = memcpy(edge, x->branch[b].edge, sizeof *edge * (size_t)x->branch[b].edges);
    edge += x->branch[b].edges;
  }
  return BF_OK;
}

static BfStatus add_node(Search *x, int t, int64_t measure, BfError *error) {
  BF_TRY(bf_array_room(&x->node, x->nodes, &x->room, sizeof *x->node, error));
  Node *node = &x->node[x->nodes++];
  *node      = (Node){.t = t, .measure = measure};
  return keep_branches(x, make_branches(x), node, error);
}

/* The node of a measure, expanded when it is first asked for. */
static BfStatus visit(Search *x, int t, int64_t measure, int64_t *at, BfError *error) {
  for (*at = 0; *at < x->nodes; ++*at)
    if (x->node[*at].t == t && x->node[*at].measure == measure) return BF_OK;
  x->next.count = 0;
  BF_TRY(x->graph->expand(x->graph->space, t, measure, &x->next, error));
  return bf_together(x->graph->run->world, add_node(x, t, measure, error), error);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static BfStatus list(Search *x, int64_t at, int64_t count, BfError *error);

/* What follows a branch's path that was used. */
static BfStatus advance(Search *x, int64_t at, int64_t b, BfError *error) {
  Branch   *branch = &x->node[at].branch[b];
  const int t      = x->node[at].t + 1;
  int64_t   next   = branch->node;
  branch->stale    = false;
  branch->over     = t == x->graph->problem->horizon;
  if (branch->over) return BF_OK;
  if (next < 0) BF_TRY(visit(x, t, branch->measure, &next, error));
  const int64_t place = x->node[at].branch[b].place + 1;
  BF_TRY(list(x, next, place + 1, error));
  branch        = &x->node[at].branch[b]; /* nodes may have moved */
  branch->node  = next;
  branch->place = place;
  branch->over  = x->node[next].paths <= place;
  if (!branch->over) choose(branch, x->node[next].path[place].cost);
  return BF_OK;
}

static bool is_before(const Branch *a, const Branch *b) {
  return a->cost != b->cost ? a->cost < b->cost : a->action < b->action;
}

static BfStatus add_path(Node *node, int64_t b, BfError *error) {
  Branch *branch = &node->branch[b];
  BF_TRY(bf_array_room(&node->path, node->paths, &node->room, sizeof *node->path, error));
  node->path[node->paths++] = (Path){branch->cost, branch->action, b, branch->place};
  branch->stale             = true;
  return BF_OK;
}

/* The first `count` paths of a node, or as many as there are. */
static BfStatus list(Search *x, int64_t at, int64_t count, BfError *error) {
  while (x->node[at].paths < count) {
    int64_t first = -1;
    for (int64_t b = 0; b < x->node[at].branches; b++) {
      if (x->node[at].branch[b].stale) BF_TRY(advance(x, at, b, error));
      const Branch *branch = x->node[at].branch;
      if (!branch[b].over && (first < 0 || is_before(&branch[b], &branch[first]))) first = b;
    }
    if (first < 0) return BF_OK;
    BF_TRY(bf_together(x->graph->run->world, add_path(&x->node[at], first, error), error));
  }
  return BF_OK;
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static BfStatus make_answer(BfBest *best, int64_t count, BfError *error) {
  BF_TRY(BF_NEW(&best->action, count * best->layers, error));
  BF_TRY(BF_NEW(&best->readout, count, error));
  return BF_NEW(&best->cost, count, error);
}

/* Actions and readout of path number `place` of a node. */
static BfStatus follow(Search *x, int64_t at, int64_t place, int32_t action[], int64_t *readout, BfError *error) {
  const int T = x->graph->problem->horizon;
  for (int t = 0; t < T; t++) {
    BF_TRY(list(x, at, place + 1, error));
    const Path   *path   = &x->node[at].path[place];
    const Branch *branch = &x->node[at].branch[path->branch];
    action[t]            = path->action;
    *readout             = branch->readout;
    place                = path->place;
    if (t + 1 < T) BF_TRY(visit(x, t + 1, branch->measure, &at, error));
  }
  return BF_OK;
}

static BfStatus find(Search *x, BfBest *best, BfError *error) {
  const MPI_Comm world = x->graph->run->world;
  int64_t        root;
  BF_TRY(visit(x, 0, x->graph->initial, &root, error));
  BF_TRY(list(x, root, x->wanted, error));
  const int64_t count = x->node[root].paths;
  BF_TRY(bf_together(world, make_answer(best, count, error), error));
  for (int64_t i = 0; i < count; i++) {
    best->cost[i] = x->node[root].path[i].cost;
    BF_TRY(follow(x, root, i, best->action + i * best->layers, &best->readout[i], error));
  }
  best->count = count;
  return BF_OK;
}

static BfStatus make(Search *x, int64_t K, BfError *error) {
  BF_TRY(BF_NEW(&x->order, K, error));
  BF_TRY(BF_NEW(&x->branch, K, error));
  BF_TRY(BF_NEW(&x->edge, K, error));
  BF_TRY(BF_NEW(&x->next.action, K, error));
  BF_TRY(BF_NEW(&x->next.next, K, error));
  BF_TRY(BF_NEW(&x->next.value, K, error));
  return BF_NEW(&x->next.readout, K, error);
}

static void clear(Search *x) {
  for (int64_t n = 0; n < x->nodes; n++) {
    bf_free(x->node[n].branch);
    bf_free(x->node[n].edge);
    bf_free(x->node[n].path);
  }
  bf_free(x->node);
  bf_free(x->order);
  bf_free(x->branch);
  bf_free(x->edge);
  bf_free(x->next.action);
  bf_free(x->next.next);
  bf_free(x->next.value);
  bf_free(x->next.readout);
}

BfStatus bf_best_find(const BfGraph *graph, BfBest *best, BfError *error) {
  Search   x = {.graph = graph, .wanted = best->wanted};
  BfStatus status;
  bf_best_clear(best);
  best->layers = graph->problem->horizon;
  bf_progress_what(graph->run, "the %lld best open loops", (long long)best->wanted);
  BF_GOTO(bf_together(graph->run->world, make(&x, graph->problem->actions, error), error));
  status = find(&x, best, error);
done:
  clear(&x);
  return status;
}
