#include "yaml_stream.h"
#include "run/text.h"
#include "yaml_mistake.h"

#include <string.h>

int bf_yaml_line(const BfYamlStream *stream) { return (int)stream->event.start_mark.line + 1; }

/* What a line would hide: references to elsewhere, and types that are not the text's own. */
static BfStatus refuse_decoration(const BfYamlStream *stream, BfError *error) {
  const yaml_event_t *event  = &stream->event;
  const yaml_char_t  *anchor = NULL, *tag = NULL;
  switch (event->type) {
  case YAML_ALIAS_EVENT:
    return bf_fail(error, BF_BAD_INPUT, "line %d: aliases are not read here", bf_yaml_line(stream));
  case YAML_SCALAR_EVENT:
    anchor = event->data.scalar.anchor, tag = event->data.scalar.tag;
    break;
  case YAML_SEQUENCE_START_EVENT:
    anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
    break;
  case YAML_MAPPING_START_EVENT:
    anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
    break;
  default:
    break;
  }
  if (anchor) return bf_fail(error, BF_BAD_INPUT, "line %d: anchors are not read here", bf_yaml_line(stream));
  char text[BF_QUOTE];
  if (tag)
    return bf_fail(error, BF_BAD_INPUT, "line %d: tags are not read here, got '%s'", bf_yaml_line(stream),
                   bf_text_quote((const char *)tag, text));
  return BF_OK;
}

BfStatus bf_yaml_next(BfYamlStream *stream, BfError *error) {
  yaml_event_delete(&stream->event);
  if (!yaml_parser_parse(&stream->parser, &stream->event)) {
    const yaml_parser_t *parser = &stream->parser;
    size_t               line   = parser->problem_mark.line + 1;
    if (parser->error == YAML_MEMORY_ERROR) return bf_fail(error, BF_FAILURE, "out of memory");
    /* The reader's own errors (a byte that is no UTF-8) carry an offset and no mark. */
    if (parser->error == YAML_READER_ERROR) {
      line              = 1;
      const char *bytes = (const char *)parser->input.string.start;
      size_t      size  = (size_t)(parser->input.string.end - parser->input.string.start);
      for (size_t k = 0; k < parser->problem_offset && k < size; k++) line += bytes[k] == '\n';
    }
    /* A context that has begun has a mark; the reader's errors have none. */
    const int           context = parser->context ? (int)parser->context_mark.line + 1 : 0;
    const BfYamlFailure failure = {.problem = parser->problem ? parser->problem : "cannot be parsed",
                                   .line    = (int)line,
                                   .column  = (int)parser->problem_mark.column,
                                   .context = context};
    return bf_yaml_mistake(stream->file, &failure, error);
  }
  return refuse_decoration(stream, error);
}

bool bf_yaml_is_null(const BfYamlStream *stream) {
  static const char *const names[] = {"", "~", "null", "Null", "NULL", NULL};
  if (stream->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  for (int k = 0; names[k]; k++)
    if (!strcmp((const char *)stream->event.data.scalar.value, names[k])) return true;
  return false;
}

BfStatus bf_yaml_open(BfYamlStream *stream, const BfFile *file, BfError *error) {
  const char *nul = file->size ? memchr(file->bytes, '\0', (size_t)file->size) : NULL;
  *stream         = (BfYamlStream){.file = file};
  BF_TRY(bf_yaml_check_blanks(file, error));
  if (nul) {
    int line = 1;
    for (const char *byte = file->bytes; byte < nul; byte++) line += *byte == '\n';
    return bf_fail(error, BF_BAD_INPUT, "line %d: a NUL byte", line);
  }
  if (!yaml_parser_initialize(&stream->parser)) return bf_fail(error, BF_FAILURE, "out of memory");
  stream->open = true;
  yaml_parser_set_input_string(&stream->parser, (const unsigned char *)file->bytes, (size_t)file->size);
  return BF_OK;
}

void bf_yaml_close(BfYamlStream *stream) {
  if (!stream->open) return;
  yaml_event_delete(&stream->event);
  yaml_parser_delete(&stream->parser);
  stream->open = false;
}
