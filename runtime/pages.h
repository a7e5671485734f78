/* Memory for what is read from end to end again and again: large pages where the system gives them, for fewer faults while it is filled and fewer
 * misses while it is read. Blocks lie side by side in regions of such pages, since few are as large as a page. */
#ifndef T5GIST_RUNTIME_PAGES_H
#define T5GIST_RUNTIME_PAGES_H

#include <stddef.h>

#include "t5gist/types.h"

/* bytes zeroed bytes, aligned to 64, to be returned with tg_pages_return; small ones come from tg_alloc. Thread-safe. */
t5gist_status tg_pages_take(void *out /* T ** */, size_t bytes, t5gist_error *err);
/* Gives the pages that are the block's alone back to the system, and its region with the last of its blocks. null is allowed. */
void tg_pages_return(void *block);

/* Tells of every region that blocks lie in: [begin, begin + bytes) can be read, and holds nothing but
 * blocks and what was returned of them, which reads as zeros. None comes or goes meanwhile. */
typedef void tg_pages_visit(void *user, const void *begin, size_t bytes);
void tg_pages_each(tg_pages_visit *visit, void *user);

#endif
