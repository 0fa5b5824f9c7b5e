/* The choices that a problem makes, and the keys that each kind uses. */
#include "kind.h"

const BfChoice bf_choice_heads = {"layer.heads", "1 or more", 1, 1,
                                  (const BfKind[]){{"0", {NULL}},
                                                   {"1 or more",
                                                    {"layer.beta", "layer.mask", "data.position_encoding",
                                                     "data.position_amplitude", "control.A", "control.V"}},
                                                   {NULL, {NULL}}}};

const BfChoice bf_choice_feedforward = {
    "layer.feedforward", "none", 0, 1,
    (const BfKind[]){{"none", {NULL}},
                     {"tanh, relu or gelu", {"layer.width", "control.W1", "control.b1", "control.W2", "control.b2"}},
                     {NULL, {NULL}}}};

const BfChoice bf_choice_encoding = {
    "data.position_encoding", "none", 0, 1,
    (const BfKind[]){
        {"none", {NULL}}, {"sinusoidal", {"data.position_amplitude"}}, {"a list", {NULL}}, {NULL, {NULL}}}};

#define FREE "control.A.range", "control.A.levels"
#define PIECES "control.A.row_I_column_J.range", "control.A.row_I_column_J.levels"
const BfChoice bf_choice_form = {"control.A.form", "full", 0, 0,
                                 (const BfKind[]){{"full", {FREE, PIECES}},
                                                  {"diagonal", {FREE, PIECES}},
                                                  {"scalar", {FREE}},
                                                  {"skew", {FREE}},
                                                  {"fixed", {"control.A.value"}},
                                                  {NULL, {NULL}}}};

const BfChoice bf_choice_action = {"action.kind", "grid", 0, 0,
                                   (const BfKind[]){{"grid", {"control.A.levels", "control.A.row_I_column_J.levels"}},
                                                    {"sample", {"action.count", "action.seed"}},
                                                    {"file", {"action.file"}},
                                                    {NULL, {NULL}}}};

#define READOUT                                                                                                        \
  "cost.readout.kind", "cost.readout.matrix", "cost.readout.bias", "cost.readout.classes", "cost.readout.file"
const BfChoice bf_choice_terminal = {"cost.terminal", NULL, 0, 0,
                                     (const BfKind[]){{"pooled_cross_entropy", {"cost.pooling", READOUT}},
                                                      {"token_cross_entropy", {READOUT}},
                                                      {"squared_error", {NULL}},
                                                      {"wasserstein", {"cost.position_weight"}},
                                                      {NULL, {NULL}}}};

const BfChoice bf_choice_readout = {
    "cost.readout.kind", "fixed", 0, 0,
    (const BfKind[]){{"fixed", {NULL}}, {"decision", {"cost.readout.file"}}, {NULL, {NULL}}}};

const BfChoice bf_choice_rows = {NULL, NULL, 0, 0,
                                 (const BfKind[]){{"cost.readout.file", {"cost.readout.file"}},
                                                  {"cost.readout.matrix", {"cost.readout.matrix", "cost.readout.bias"}},
                                                  {NULL, {NULL}}}};

const BfChoice bf_choice_codebook = {NULL, NULL, 0, 0,
                                     (const BfKind[]){{"quantize.codebook", {"quantize.codebook"}},
                                                      {"quantize.cells", {"quantize.cells"}},
                                                      {NULL, {NULL}}}};

const BfChoice bf_choice_cells = {
    "quantize.cells", "1 or more", 1, 1,
    (const BfKind[]){{"0", {NULL}}, {"1 or more", {"quantize.atoms", "quantize.transition"}}, {NULL, {NULL}}}};

const BfChoice *const bf_choices[] = {&bf_choice_heads,
                                      &bf_choice_feedforward,
                                      &bf_choice_encoding,
                                      &bf_choice_form,
                                      &bf_choice_action,
                                      &bf_choice_terminal,
                                      &bf_choice_readout,
                                      &bf_choice_rows,
                                      &bf_choice_codebook,
                                      &bf_choice_cells,
                                      NULL};
