/* What the runs at a point have given. Pure. */
#pragma once
#include "bellformer/run.h"

typedef enum { BF_DATUM_NUMBER, BF_DATUM_TEXT, BF_DATUM_ARRAY } BfDatumKind;

/* An attribute or a dataset of a run's result. */
typedef struct {
  char       *name; /* "program/rollout@cost"; of a dataset "program/rollout/tokens" */
  BfDatumKind kind;
  double      number; /* whole numbers below 2^53 as they are */
  char       *text;
  int         rank;
  int64_t     dims[4];
  double     *data; /* of an array */
} BfDatum;

typedef enum {
  BF_POINT_BEGUN,   /* in flight when the log was last written */
  BF_POINT_STOPPED, /* orderly, with a checkpoint or without */
  BF_POINT_DONE,
  BF_POINT_FAILED,   /* with its line */
  BF_POINT_SET_ASIDE /* in flight in two crashes */
} BfPointState;

typedef struct {
  char         key[33]; /* BfPoint.key */
  BfPointState state;
  int          crashes; /* that it was in flight in */
  char        *message; /* of a failure: "program: xor.yaml: ..." */
  double       seconds; /* wall time of its runs */
  int          ranks;   /* that ran it */
  int64_t      count, room;
  BfDatum     *datum;
} BfRecord;

BfStatus bf_record_create(const char *key, BfRecord **out, BfError *error);
void     bf_record_destroy(BfRecord **record);
void     bf_record_clear(BfRecord *record); /* of its data */
/* Its message, copied. */
BfStatus bf_record_say(BfRecord *record, const char *message, BfError *error);
/* Texts and data are copied. */
BfStatus bf_record_add_number(BfRecord *record, const char *name, double number, BfError *error);
BfStatus bf_record_add_text(BfRecord *record, const char *name, const char *text, BfError *error);
BfStatus bf_record_add_array(BfRecord *record, const char *name, int rank, const int64_t dims[], const double *data,
                             BfError *error);
/* NULL: not there. */
const BfDatum *bf_record_find(const BfRecord *record, const char *name);

/* A record as bytes, and back: little-endian, with a checksum at its end, so that records stand one behind another in a
 * file whose last one may be cut off. */
BfStatus bf_record_pack(const BfRecord *record, int64_t *size, unsigned char **bytes, BfError *error);
/* *used: bytes of the first record of `bytes`; 0, and *out NULL, where no whole and undamaged one is there. */
BfStatus bf_record_unpack(const unsigned char *bytes, int64_t size, int64_t *used, BfRecord **out, BfError *error);
/* To be destroyed by the caller. */
BfStatus bf_record_copy(const BfRecord *record, BfRecord **out, BfError *error);
