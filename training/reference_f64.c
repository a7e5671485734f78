#include "training/reference.h"

#define TG_REAL double
#define TG_REFERENCE(name) tg_reference_##name##_f64
#include "training/reference_body.h"
