#include "training/reference.h"

#define TG_REAL float
#define TG_REFERENCE(name) tg_reference_##name##_f32
#include "training/reference_body.h"
