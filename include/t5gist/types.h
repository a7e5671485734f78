/* t5gist: the words shared by every part of the library: status, error, condition. A leaf: includes nothing of the project. */
#ifndef T5GIST_TYPES_H
#define T5GIST_TYPES_H

#ifdef __cplusplus
extern "C" {
#endif

/* What went wrong, coarse enough to branch on. The sentence for people is in t5gist_error. */
typedef enum t5gist_status {
  T5GIST_OK = 0,
  T5GIST_EUSAGE,       /* the caller asked for something that makes no sense (k = 0, both texts empty, beams with sampling) */
  T5GIST_EIO,          /* the system refused: open, read, write, no space */
  T5GIST_EFORMAT,      /* a file or text is not what its format demands */
  T5GIST_EMISMATCH,    /* well formed, but belongs to another model, template or version */
  T5GIST_EUNSUPPORTED, /* understood, but this program cannot do it */
  T5GIST_ENOMEM,       /* memory; also of a request that would not fit, refused before it starts */
  T5GIST_ECANCELLED,   /* a callback asked to stop */
  T5GIST_EINTERNAL     /* a library below us failed; a bug in us or in it */
} t5gist_status;

/* Filled by every function that can fail: one sentence saying what was expected, what was found, and where. The caller owns it; a null pointer
 * means that the caller does not want the sentence. Untouched on success. */
typedef struct t5gist_error {
  t5gist_status status;
  char message[1024];
} t5gist_error;

/* Who may see whom (Mu, Li & Goodman 2023, arXiv 2304.08467; masking/masking.h has the exact rule of each). */
typedef enum t5gist_condition {
  T5GIST_GIST = 0,    /* the input and the decoder see gist tokens and input, never the task */
  T5GIST_POS_CONTROL, /* gist tokens present, nothing masked */
  T5GIST_NEG_CONTROL, /* the input and the decoder see the input alone */
  T5GIST_PREFIX,      /* task and gist do not see the input; everything else is visible */
  T5GIST_FULL,        /* the plain prompt: no gist tokens, nothing masked */
  T5GIST_N_CONDITIONS
} t5gist_condition;

#ifdef __cplusplus
}
#endif
#endif
