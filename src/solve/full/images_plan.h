/* What the images of a context's tags depend on (src/kernel/images.h): on a tag's own law, and on the union of the laws
 * that its atoms see beside it; tags of one place and one mass are told apart by nothing but the mask. */
#pragma once
#include "kernel/images.h"
#include "solve/full/space.h"

/* Which way the images of a block of actions are found. */
typedef enum {
  BF_IMAGES_NONE,   /* none: each measure by itself */
  BF_IMAGES_UNIONS, /* of all (law, union) first, as there are far fewer than measures; a measure looks them up */
  BF_IMAGES_PAIRS,  /* two tags, in tiles of their laws: where they differ in nothing, an image serves two measures */
  BF_IMAGES_RANKS,  /* such tiles by comparisons of 16 bits, where many laws meet few borders of cells */
  BF_IMAGES_ROWS    /* along rows of measures, which differ in the law of the last tag */
} BfImagesWay;

typedef struct {
  int     like;        /* the first tag with the same images: itself or an earlier one */
  int     groups;      /* of other tags that it sees, */
  int    *group;       /* [groups] their numbers, increasing, */
  int    *atoms;       /* [groups] and how many atoms of each */
  int64_t laws, rests; /* of its own, and unions of the others: mixed radix over its groups */
  int64_t at;          /* its images in a block's: [laws][rests][BF_LANES] from at * BF_LANES; of `like` */
} BfImagesTag;

typedef struct {
  const BfFullSpace *space;
  const BfContext   *context;
  int64_t            s;
  BfImagesWay        way;
  int                positions; /* that are told apart */
  int               *place;     /* [tags] */
  int               *group;     /* [tags] the group of each: of one place and mass */
  BfImagesTag       *tag;       /* [tags] */
  BfTypes          **types;     /* [slots + 1] by atoms, NULL where no union has that many */
  int32_t          **unions;    /* [slots + 1] by atoms m: [types of m][laws of the last tag], of BF_IMAGES_UNIONS */
  double             images;    /* of a block, each in lanes */
} BfImagesPlan;

static inline int bf_images_atoms(const BfImagesPlan *plan, int g) {
  return plan->context->first[g + 1] - plan->context->first[g];
}

/* place: of each tag among `positions`; borrowed. Takes no more time than a context is large. */
BfStatus bf_images_plan_create(const BfFullSpace *space, int64_t s, int positions, int *place, BfImagesPlan *plan,
                               BfError *error);
void     bf_images_plan_clear(BfImagesPlan *plan);
/* What the functions below look up. */
BfStatus bf_images_plan_number(BfImagesPlan *plan, BfError *error);
/* Numbers of unions that bf_images_plan_number tabulates. */
double bf_images_unions(const BfImagesPlan *plan);
/* Bytes of a block's images or ranks, which a node's ranks share; 0 where they are not kept. */
int64_t bf_images_bytes(const BfImagesPlan *plan);

/* The atoms of number `rest` of what tag g sees beside its own law; place, cell, mass: room for all slots. */
void bf_images_rest(const BfImagesPlan *plan, int g, int64_t rest, int place[], int64_t cell[], double mass[],
                    int *count);
/* Where measures whose tags before the last have their atoms in cell[] find the rest of tag g: base + step * row[c]
 * for law c of the last tag, row NULL: c. */
void bf_images_find(const BfImagesPlan *plan, int g, const int64_t cell[], BfImageTag *to);
/* Whether tag g sees tag t. */
bool bf_images_sees(const BfImagesPlan *plan, int g, int t);
