/* The specification of ops.h in plain loops, once in float (tg_reference_..._f32) and once in double (tg_reference_..._f64): reference_body.h
 * compiled twice. Arguments are those of ops.h, less workspace and errors; numbers that are differentiated are of the type computed in, constants
 * stay float. Serial, no allocation. */
#ifndef T5GIST_TRAINING_REFERENCE_H
#define T5GIST_TRAINING_REFERENCE_H

#include "training/ops.h"

#define TG_REAL float
#define TG_REFERENCE(name) tg_reference_##name##_f32
#include "training/reference_declare.h"
#undef TG_REAL
#undef TG_REFERENCE

#define TG_REAL double
#define TG_REFERENCE(name) tg_reference_##name##_f64
#include "training/reference_declare.h"
#undef TG_REAL
#undef TG_REFERENCE

#endif
