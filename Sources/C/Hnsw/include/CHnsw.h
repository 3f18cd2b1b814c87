#ifndef REFRAIN_CHNSW_H
#define REFRAIN_CHNSW_H

// hnswlib is headers of C++ only. This is the part of it that Swift calls, as C: no exception leaves it.
//
// A row is `width` signed bytes, a multiple of 64, and behind them the number that each stands for at 1 and the sum of
// the bytes. `width` travels with each call; rows need no alignment.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct refrain_row_tail {
    float scale;
    int32_t sum;
};

typedef struct refrain_graph refrain_graph;

/// The inner products of `count` rows, `stride` bytes from each other, with `query`, a row too.
void refrain_rows_products(
    const void *rows, size_t count, size_t stride, size_t width, const void *query, float *products);

/// NULL where memory is out.
refrain_graph *refrain_graph_make(size_t width, size_t capacity, size_t links, size_t build_breadth);
void refrain_graph_free(refrain_graph *graph);

/// The row is not copied: it must not move or change while the graph lives. Grows the graph where it is full. False
/// where memory is out: the graph is not to be used any more then, only freed.
bool refrain_graph_add(refrain_graph *graph, const void *row, uint64_t label);

/// Searches pass over it from now on. Unknown labels and those that are marked already are no harm.
void refrain_graph_remove(refrain_graph *graph, uint64_t label);

/// Up to `count` rows with the greatest inner products, in no order; how many, negative where memory is out.
ptrdiff_t refrain_graph_search(
    refrain_graph *graph, const void *query, size_t count, size_t breadth, uint64_t *labels, float *products);

/// What it takes beside the rows, nearly.
size_t refrain_graph_bytes(const refrain_graph *graph);

#ifdef __cplusplus
}
#endif

#endif
