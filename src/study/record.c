/* What the runs at a point have given, and that as bytes. */
#include "study/record.h"
#include "run/hash.h"
#include "run/text.h"
#include <string.h>

BfStatus bf_record_create(const char *key, BfRecord **out, BfError *error) {
  BF_TRY(BF_NEW(out, 1, error));
  memcpy((*out)->key, key, strnlen(key, sizeof(*out)->key - 1));
  return BF_OK;
}

static void clear_datum(BfDatum *d) {
  bf_free(d->name);
  bf_free(d->text);
  bf_free(d->data);
}

void bf_record_clear(BfRecord *record) {
  for (int64_t i = 0; i < record->count; i++) clear_datum(&record->datum[i]);
  bf_free(record->datum);
  record->count = record->room = 0;
  record->datum                = NULL;
}

void bf_record_destroy(BfRecord **record) {
  if (!*record) return;
  bf_record_clear(*record);
  bf_free((*record)->message);
  bf_free(*record);
  *record = NULL;
}

BfStatus bf_record_say(BfRecord *record, const char *message, BfError *error) {
  bf_free(record->message);
  record->message = NULL;
  return bf_text_join(&record->message, message, "", error);
}

const BfDatum *bf_record_find(const BfRecord *record, const char *name) {
  for (int64_t i = 0; i < record->count; i++)
    if (!strcmp(record->datum[i].name, name)) return &record->datum[i];
  return NULL;
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

/* A copy of `datum` behind the others. */
static BfStatus add(BfRecord *record, const BfDatum *datum, int64_t entries, BfError *error) {
  BF_TRY(bf_array_room(&record->datum, record->count, &record->room, sizeof *record->datum, error));
  BfDatum *d = &record->datum[record->count];
  *d         = *datum;
  d->name = d->text = NULL;
  d->data           = NULL;
  BfStatus status   = bf_text_join(&d->name, datum->name, "", error);
  if (status == BF_OK && datum->text) status = bf_text_join(&d->text, datum->text, "", error);
  if (status == BF_OK && datum->kind == BF_DATUM_ARRAY) status = BF_NEW(&d->data, entries, error);
  if (status != BF_OK) {
    clear_datum(d);
    return status;
  }
  if (entries) memcpy(d->data, datum->data, sizeof *d->data * (size_t)entries);
  record->count++;
  return BF_OK;
}

BfStatus bf_record_add_number(BfRecord *record, const char *name, double number, BfError *error) {
  return add(record, &(BfDatum){.name = (char *)name, .kind = BF_DATUM_NUMBER, .number = number}, 0, error);
}

BfStatus bf_record_add_text(BfRecord *record, const char *name, const char *text, BfError *error) {
  return add(record, &(BfDatum){.name = (char *)name, .kind = BF_DATUM_TEXT, .text = (char *)text}, 0, error);
}

enum { DIMS = sizeof((BfDatum *)0)->dims / sizeof(int64_t) };

/* Entries of an array; -1: dimensions that it cannot have. */
static int64_t product(int rank, const int64_t dims[]) {
  int64_t entries = 1;
  if (rank < 0 || rank > DIMS) return -1;
  for (int i = 0; i < rank; i++)
    if (dims[i] < 0 || __builtin_mul_overflow(entries, dims[i], &entries)) return -1;
  return entries > INT64_MAX / 16 ? -1 : entries;
}

BfStatus bf_record_add_array(BfRecord *record, const char *name, int rank, const int64_t dims[], const double *data,
                             BfError *error) {
  const int64_t entries = product(rank, dims);
  BfDatum       datum   = {.name = (char *)name, .kind = BF_DATUM_ARRAY, .rank = rank, .data = (double *)data};
  if (entries < 0) return bf_fail(error, BF_BAD_INPUT, "%s: not an array that a record can hold", name);
  for (int i = 0; i < rank; i++) datum.dims[i] = dims[i]; /* none of an array of rank 0 */
  return add(record, &datum, entries, error);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ *
 *
 * "BFr1", size of all in 8 bytes, key in 32, state, crashes, ranks in 4 each, seconds; message (a text); number of
 * data; data: kind in 4, name, then a number, a text, or rank in 4, dimensions, entries. A sum of all that in 8. Whole
 * numbers are little-endian, a text has its length in 4 before it, or 2^32 - 1 where there is none. */

enum { HEAD = 4 + 8, SUM = 8, KEY = 32 };
static const unsigned char magic[4]  = {'B', 'F', 'r', '1'};
static const uint32_t      no_length = UINT32_MAX;

static uint64_t sum_of(const unsigned char *bytes, int64_t size) { return bf_hash(BF_HASH_NONE, bytes, (size_t)size); }

/* Bytes that are counted, or, where `to` is there, written. */
typedef struct {
  unsigned char *to;
  int64_t        at;
} Writer;

static void put(Writer *w, const void *bytes, size_t size) {
  if (w->to) memcpy(w->to + w->at, bytes, size);
  w->at += (int64_t)size;
}

static void put_whole(Writer *w, uint64_t value, int bytes) {
  unsigned char little[8];
  for (int i = 0; i < 8; i++) little[i] = (unsigned char)(value >> (8 * i));
  put(w, little, (size_t)bytes);
}

static void put_double(Writer *w, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_whole(w, bits, 8);
}

static void put_text(Writer *w, const char *text) {
  const size_t length = text ? strlen(text) : 0;
  put_whole(w, text ? length : no_length, 4);
  put(w, text ? text : "", length);
}

static void put_datum(Writer *w, const BfDatum *d) {
  put_whole(w, d->kind, 4);
  put_text(w, d->name);
  if (d->kind == BF_DATUM_NUMBER) put_double(w, d->number);
  if (d->kind == BF_DATUM_TEXT) put_text(w, d->text);
  if (d->kind != BF_DATUM_ARRAY) return;
  const int64_t entries = product(d->rank, d->dims);
  put_whole(w, (uint64_t)d->rank, 4);
  for (int i = 0; i < d->rank; i++) put_whole(w, (uint64_t)d->dims[i], 8);
  for (int64_t i = 0; i < entries; i++) put_double(w, d->data[i]);
}

static void put_record(Writer *w, const BfRecord *r, int64_t size) {
  char key[KEY] = "";
  memcpy(key, r->key, strnlen(r->key, KEY));
  put(w, magic, sizeof magic);
  put_whole(w, (uint64_t)size, 8);
  put(w, key, KEY);
  put_whole(w, r->state, 4);
  put_whole(w, (uint64_t)r->crashes, 4);
  put_whole(w, (uint64_t)r->ranks, 4);
  put_double(w, r->seconds);
  put_text(w, r->message);
  put_whole(w, (uint64_t)r->count, 8);
  for (int64_t i = 0; i < r->count; i++) put_datum(w, &r->datum[i]);
  put_whole(w, w->to ? sum_of(w->to, w->at) : 0, SUM);
}

BfStatus bf_record_pack(const BfRecord *record, int64_t *size, unsigned char **bytes, BfError *error) {
  Writer count = {0}, w = {0};
  put_record(&count, record, 0);
  BF_TRY(BF_NEW(&w.to, count.at, error));
  put_record(&w, record, count.at);
  *size  = w.at;
  *bytes = w.to;
  return BF_OK;
}

/* What is not there reads as 0, and is remembered. */
typedef struct {
  const unsigned char *bytes;
  int64_t              at, size;
  bool                 ended;
} Reader;

static const unsigned char *take(Reader *r, int64_t size) {
  const unsigned char *here = r->bytes + r->at;
  r->ended |= size < 0 || size > r->size - r->at;
  if (r->ended) return NULL;
  r->at += size;
  return here;
}

static uint64_t take_whole(Reader *r, int bytes) {
  const unsigned char *here  = take(r, bytes);
  uint64_t             value = 0;
  for (int i = 0; here && i < bytes; i++) value |= (uint64_t)here[i] << (8 * i);
  return value;
}

static double take_double(Reader *r) {
  const uint64_t bits = take_whole(r, 8);
  double         value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static BfStatus take_text(Reader *r, char **text, BfError *error) {
  const uint32_t length = (uint32_t)take_whole(r, 4);
  *text                 = NULL;
  if (length == no_length) return BF_OK;
  const unsigned char *here = take(r, length);
  if (here) *text = bf_text_copy((const char *)here, length, error);
  return here && !*text ? error->status : BF_OK;
}

static BfStatus take_array(Reader *r, BfDatum *d, BfError *error) {
  d->rank = (int)take_whole(r, 4);
  r->ended |= d->rank < 0 || d->rank > DIMS;
  for (int i = 0; !r->ended && i < d->rank; i++) d->dims[i] = (int64_t)take_whole(r, 8);
  const int64_t entries = r->ended ? -1 : product(d->rank, d->dims);
  r->ended |= entries < 0 || entries > (r->size - r->at) / 8;
  if (r->ended) return BF_OK;
  BF_TRY(BF_NEW(&d->data, entries, error));
  for (int64_t i = 0; i < entries; i++) d->data[i] = take_double(r);
  return BF_OK;
}

static BfStatus take_datum(Reader *r, BfRecord *record, BfError *error) {
  BF_TRY(bf_array_room(&record->datum, record->count, &record->room, sizeof *record->datum, error));
  BfDatum *d = &record->datum[record->count++];
  *d         = (BfDatum){.kind = (BfDatumKind)take_whole(r, 4)};
  BF_TRY(take_text(r, &d->name, error));
  r->ended |= !d->name || d->kind > BF_DATUM_ARRAY;
  if (r->ended) return BF_OK;
  if (d->kind == BF_DATUM_NUMBER) d->number = take_double(r);
  if (d->kind == BF_DATUM_TEXT) BF_TRY(take_text(r, &d->text, error));
  return d->kind == BF_DATUM_ARRAY ? take_array(r, d, error) : BF_OK;
}

static BfStatus take_record(Reader *r, BfRecord **out, BfError *error) {
  const unsigned char *name         = take(r, KEY);
  char                 key[KEY + 1] = "";
  if (name) memcpy(key, name, KEY);
  BF_TRY(bf_record_create(key, out, error));
  BfRecord *record = *out;
  record->state    = (BfPointState)take_whole(r, 4);
  record->crashes  = (int)take_whole(r, 4);
  record->ranks    = (int)take_whole(r, 4);
  record->seconds  = take_double(r);
  BF_TRY(take_text(r, &record->message, error));
  const int64_t count = (int64_t)take_whole(r, 8);
  r->ended |= record->state > BF_POINT_SET_ASIDE;
  for (int64_t i = 0; i < count && !r->ended; i++) BF_TRY(take_datum(r, record, error));
  return BF_OK;
}

/* Of the record at the beginning of the bytes; 0: no whole and undamaged one is there. */
static int64_t size_of_first(const unsigned char *bytes, int64_t size) {
  Reader head = {.bytes = bytes, .size = size}, tail = {.bytes = bytes};
  if (size < HEAD + SUM || memcmp(bytes, magic, sizeof magic)) return 0;
  head.at             = sizeof magic;
  const int64_t whole = (int64_t)take_whole(&head, 8);
  if (whole < HEAD + SUM || whole > size) return 0;
  tail.at   = whole - SUM;
  tail.size = whole;
  return take_whole(&tail, SUM) == sum_of(bytes, whole - SUM) ? whole : 0;
}

BfStatus bf_record_unpack(const unsigned char *bytes, int64_t size, int64_t *used, BfRecord **out, BfError *error) {
  const int64_t whole = size_of_first(bytes, size);
  *used               = 0;
  *out                = NULL;
  if (!whole) return BF_OK;
  Reader         r      = {.bytes = bytes, .at = HEAD, .size = whole - SUM};
  const BfStatus status = take_record(&r, out, error);
  if (status != BF_OK || r.ended || r.at != r.size) bf_record_destroy(out);
  else *used = whole;
  return status;
}

BfStatus bf_record_copy(const BfRecord *record, BfRecord **out, BfError *error) {
  unsigned char *bytes;
  int64_t        size, used;
  BF_TRY(bf_record_pack(record, &size, &bytes, error));
  const BfStatus status = bf_record_unpack(bytes, size, &used, out, error);
  bf_free(bytes);
  return status;
}
