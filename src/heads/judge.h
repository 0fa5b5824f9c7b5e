/* What is told of a law beside its risk and gradient, at the start and at the end. */
#pragma once
#include "heads/certify/certify.h"
#include "heads/descend.h"
#include "heads/tangent/tangent.h"
#include "heads/variation/variation.h"

typedef struct {
  BfStationarity stationary;
  double        *lse; /* [T + 1] -lse: of the laws of z_t + e; owned */
} BfJudgedLaw;

typedef struct {
  BfJudgedLaw   first, last;
  double        promise;     /* 4 lambda_min / N at the start; NaN where none is made */
  BfCertificate certificate; /* -certify, T = 1 */
  double        certified;   /* max_t (int G_t dnu_t - lower_t) */
} BfJudgement;

/* Of a descent that has ended. x->value: of its end, with tokens, adjoint and variation. Clear it also after a failure.
 * Collective. */
BfStatus bf_judge(BfDescent *x, BfJudgement *out, BfError *error);
void     bf_judgement_clear(BfJudgement *judgement);
/* What does not go with the problem. Local. */
BfStatus bf_judge_check(const BfProblem *problem, const BfHeadsSettings *set, BfError *error);

/* The rate 4 lambda / N at which R falls at least while no eigenvalue is below lambda; NaN where nothing is known of
 * it: another cost than a mean of squares, decay, weights that move. */
double bf_promised_rate(const BfDescent *x, double smallest);

/* /heads/kernel, /heads/lse, /heads/stationarity and their attributes of /heads, those of the certificate too.
 * Collective. */
BfStatus bf_judgement_write(const BfDescent *x, const BfJudgement *judgement, BfStore *store, BfError *error);
/* Rank 0 speaks. */
void bf_judgement_report(const BfDescent *x, const BfJudgement *judgement);
