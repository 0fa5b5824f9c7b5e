/* Transposed Jacobian products of the velocity, compiled once for each instruction set.
 *
 * With weights w_ij = softmax_j <s_i, y_j>, keys y_j = beta A s_j, mean_i = sum_j w_ij z_j, v_i = sum over heads of
 * V mean_i, and the cotangent lambda_i of v_i:
 *
 *     c_i    = V^T lambda_i
 *     t_ij   = <c_i, z_j>
 *     dl_ij  = w_ij (t_ij - sum_k w_ik t_ik)      cotangents of the logits
 *     by s_i += sum_j dl_ij y_j
 *     by y_j  = sum_i dl_ij s_i
 *     by A   += beta by_y_j s_j^T                 by s_j += beta A^T by_y_j
 *     seen_j  = sum_i w_ij lambda_i
 *     by V   += seen_j z_j^T                      by z_j += V^T seen_j
 *
 * so that a pair of tokens costs five products of d numbers. Sums over queries run row by row in each lane; lanes are
 * added at the end: where lanes are sequences into the parameters, where they are queries also into the keys. */
#include "kernel/velocity.h"

BF_INLINE double sum_lanes(BfLane x) { return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7])); }

/* What `rows` rows from i give to components a .. a + count - 1 of queries and of n keys, with weights w_ij in w->logit
 * and dl_ij in w->t. Bound by its loads and stores of the keys' sums, which the rows share. */
BF_INLINE void add_rows(const int d, const BfLayout layout, const int rows, const int count, int i, int a, int n,
                        const BfVelocityWork *w) {
  const int tokens = w->block->tokens;
  for (int p = 0; p < BF_PARTS; p++) {
    BfPart s[VELOCITY_ROWS][2], lambda[VELOCITY_ROWS][2], by_s[VELOCITY_ROWS][2];
    for (int r = 0; r < rows; r++)
      for (int b = 0; b < count; b++) {
        s[r][b]      = part_of(&w->s[(i + r) * d + a + b], p);
        lambda[r][b] = part_of(&w->lambda[(i + r) * d + a + b], p);
        by_s[r][b]   = part_set(0.0);
      }
    for (int j = 0; j < n; j++) {
      BfLane *by_y = w->by_y + j * d + a, *seen = w->seen + j * d + a;
      for (int b = 0; b < count; b++) {
        const BfPart y  = key_part(layout, w->y, j * d + a + b, p);
        BfPart       by = part_of(&by_y[b], p), sum = part_of(&seen[b], p);
        for (int r = 0; r < rows; r++) {
          const BfPart by_logit = part_of(&w->t[r * tokens + j], p);
          by_s[r][b] += by_logit * y;
          by += by_logit * s[r][b];
          sum += part_of(&w->logit[r * tokens + j], p) * lambda[r][b];
        }
        part_put(&by_y[b], p, by);
        part_put(&seen[b], p, sum);
      }
    }
    for (int r = 0; r < rows; r++)
      for (int b = 0; b < count; b++) ((BfPartLoose *)&w->by_x[(i + r) * d + a + b])[p] += by_s[r][b];
  }
}

/* Cotangents from `rows` rows from i through one head. */
BF_INLINE void rows_transposed(const int d, const BfLayout layout, const int rows, const double *V, int i,
                               const BfVelocityWork *w) {
  const int tokens = w->block->tokens;
  BfLane    den[VELOCITY_ROWS], c[VELOCITY_ROWS * BF_MOST_DIM];
  const int n = velocity_weights(d, layout, rows, i, w, den);
  for (int r = 0; r < rows; r++) {
    for (int a = 0; a < d; a++) c[r * d + a] = lane_set(0.0);
    multiply_transposed(d, d, V, w->lambda + (i + r) * d, c + r * d);
  }
  velocity_dots(d, layout, rows, c, w->zk, n, tokens, w->t);
  for (int r = 0; r < rows; r++) {
    BfLane      *weight = w->logit + r * tokens, *t = w->t + r * tokens, mean = lane_set(0.0);
    const BfLane inverse = lane_set(1.0) / den[r];
    for (int j = 0; j < n; j++) {
      weight[j] *= inverse;
      mean += weight[j] * t[j];
    }
    for (int j = 0; j < n; j++) t[j] = weight[j] * (t[j] - mean);
  }
  for (int a = 0; a + 2 <= d; a += 2) add_rows(d, layout, rows, 2, i, a, n, w);
  if (d % 2) add_rows(d, layout, rows, 1, i, d - 1, n, w);
}

/* by[a][b] += sum over `count` keys from j of x[a] key[b]; x [tokens][d] in lanes. Several keys share the loads and
 * stores. */
BF_INLINE void add_products(const int d, const BfLayout layout, const int count, int j, const BfLane *x,
                            const double *keys, BfLane *by) {
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) {
      BfLane sum = by[a * d + b];
      for (int r = 0; r < count; r++) sum += x[(j + r) * d + a] * key_at(layout, keys, (j + r) * d + b);
      by[a * d + b] = sum;
    }
}

/* From the keys of one head to tokens and parameters. */
BF_INLINE void keys_transposed(const int d, const BfLayout layout, int h, const BfVelocityWork *w) {
  const int tokens = w->block->tokens, at_A = bf_flat_A(w->layer, d, h), at_V = bf_flat_V(w->layer, d, h);
  BfLane   *by_A = w->by_parameters + at_A, *by_V = w->by_parameters + at_V;
  int       j = 0;
  for (int i = 0; i < tokens * d; i++) w->by_y[i] *= lane_set(w->layer->beta);
  for (; j + VELOCITY_ROWS <= tokens; j += VELOCITY_ROWS) {
    add_products(d, layout, VELOCITY_ROWS, j, w->by_y, w->sk, by_A);
    add_products(d, layout, VELOCITY_ROWS, j, w->seen, w->zk, by_V);
  }
  for (; j < tokens; j++) {
    add_products(d, layout, 1, j, w->by_y, w->sk, by_A);
    add_products(d, layout, 1, j, w->seen, w->zk, by_V);
  }
  for (j = 0; j < tokens; j++) {
    BfLane by_key[BF_MOST_DIM];
    for (int a = 0; a < d; a++) by_key[a] = lane_set(0.0);
    multiply_transposed(d, d, w->parameters + at_A, w->by_y + j * d, by_key);
    multiply_transposed(d, d, w->parameters + at_V, w->seen + j * d, by_key);
    for (int a = 0; a < d; a++) {
      if (layout == BF_LANES_OF_TOKENS) w->by_x[j / BF_LANES * d + a][j % BF_LANES] += sum_lanes(by_key[a]);
      else w->by_x[j * d + a] += by_key[a];
    }
  }
}

/* From f to v: w->lambda, and what z gets directly. On the sphere f has v - <z,v> z / |z|^2 in place of v. */
BF_INLINE void start_transposed(const int d, double zeta, const BfLoose *z, const BfLoose *lambda, BfLoose *by_z,
                                const BfVelocityWork *w) {
  const BfFlatLayer *layer = w->layer;
  const BfLane       relax = lane_set((layer->residual - 1) / layer->step);
  for (int i = 0; i < w->block->rows * d; i++) {
    w->lambda[i] = lane_set(zeta) * lambda[i];
    by_z[i]      = layer->residual == 1 ? lane_set(0.0) : relax * lambda[i];
  }
  for (int i = 0; layer->unit && i < w->block->rows; i++) {
    const BfLoose *x       = z + i * d;
    BfLane        *l       = w->lambda + i * d;
    const BfLane   inverse = velocity_inverse_square(d, x), zv = velocity_dot(d, x, w->v + i * d) * inverse,
                 zl = velocity_dot(d, x, l) * inverse;
    for (int a = 0; a < d; a++) {
      by_z[i * d + a] += lane_set(2.0) * zv * zl * x[a] - zl * w->v[i * d + a] - zv * l[a];
      l[a] -= zl * x[a];
    }
  }
}

BF_INLINE void transposed(const int d, const BfLayout layout, double zeta, const BfLoose *z, const BfLoose *lambda,
                          const BfTransposed *to, BfVelocityWork *w) {
  const BfFlatLayer *layer = w->layer;
  const int          rows = w->block->rows, tokens = w->block->tokens;
  BfLoose           *by_z = (BfLoose *)to->by_z;
  const BfLoose     *x    = layer->unit ? velocity_layer(d, layout, z, w) : velocity_encode(d, layout, z, w);
  for (int p = 0; p < layer->parameters; p++) w->by_parameters[p] = lane_set(0.0);
  start_transposed(d, zeta, z, lambda, by_z, w);
  for (int i = 0; layer->normalize && i < rows * d; i++) w->by_x[i] = lane_set(0.0);
  for (int h = 0; h < layer->heads; h++) {
    const double *A = w->parameters + bf_flat_A(layer, d, h), *V = w->parameters + bf_flat_V(layer, d, h);
    velocity_keys(d, layout, A, w);
    for (int j = 0; j < tokens * d; j++) w->by_y[j] = w->seen[j] = lane_set(0.0);
    int i = 0;
    for (; i + VELOCITY_ROWS <= rows; i += VELOCITY_ROWS) rows_transposed(d, layout, VELOCITY_ROWS, V, i, w);
    for (; i < rows; i++) rows_transposed(d, layout, 1, V, i, w);
    keys_transposed(d, layout, h, w);
  }
  const BfPoints           points = velocity_points(z, x, w);
  const BfPointsTransposed by     = {to->by_z, (double *)w->by_x, (double *)w->by_parameters};
  if (layer->terms) layer->add_terms_transposed(layer->of, &points, (const double *)w->lambda, &by);
  for (int i = 0; layer->normalize && i < rows; i++)
    layer->normalize_transposed(d, (const double *)(z + i * d), (const double *)(w->by_x + i * d),
                                (double *)(by_z + i * d));
  for (int p = 0; p < layer->parameters; p++) to->by_parameters[p] += sum_lanes(w->by_parameters[p]);
}

void BF_KERNEL(bf_velocity_transposed)(const BfFlatLayer *layer, const BfBlock *block, const double parameters[],
                                       double zeta, const double *z, const double *lambda, const BfTransposed *to,
                                       double *work) {
  BfVelocityWork w = velocity_work(layer, block, parameters, work);
  w.by_x           = layer->normalize ? (BfLoose *)w.by_normed : (BfLoose *)to->by_z;
  BF_VELOCITY_CASES(transposed, zeta, (const BfLoose *)z, (const BfLoose *)lambda, to, &w);
}
