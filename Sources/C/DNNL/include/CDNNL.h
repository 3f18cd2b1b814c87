#ifndef REFRAIN_CDNNL_H
#define REFRAIN_CDNNL_H

// oneDNN's own header. Its functions are defined in this shelf (library.c), each as a call of the library that
// `refrain_dnnl_open` loaded: the library and what it brings along cost megabytes just by being linked, also where nothing
// is computed.

#include <oneapi/dnnl/dnnl.h>

/// Loads the library and looks its functions up; before anything else of this shelf, and by one thread at a time. NULL
/// where all went well, else the reason: it is good until the thread's next call of the loader. What was loaded first
/// stays.
const char *refrain_dnnl_open(const char *file);

/// Debian builds oneDNN on OpenMP, whose number of threads is a setting of each calling thread.
void refrain_dnnl_set_threads(int count);

#endif
