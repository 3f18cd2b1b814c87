#pragma once
#include <zlib.h>

// The macro hides the size and the version, which are no expressions for Swift.
static inline int refrain_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}
