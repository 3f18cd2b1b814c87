#include "include/CHnsw.h"

#include <memory>
#include <mutex>
#include <new>

#include <hnswlib/hnswlib.h>

#include "products.h"

namespace {

/// The graph's points are addresses of rows: the rows stand once in memory, wherever their owner keeps them.
class RowSpace : public hnswlib::SpaceInterface<float> {
public:
    explicit RowSpace(std::size_t width) : width(width), product(row_product()) {}
    std::size_t get_data_size() override { return sizeof(const void *); }
    hnswlib::DISTFUNC<float> get_dist_func() override { return distance; }
    void *get_dist_func_param() override { return this; }

private:
    static float distance(const void *a, const void *b, const void *space) {
        const auto *self = static_cast<const RowSpace *>(space);
        return -self->product(*static_cast<const void *const *>(a), *static_cast<const void *const *>(b), self->width);
    }

    std::size_t width;
    RowProduct product;
};

} // namespace

/// One lock for both searches and changes: hnswlib lets either run beside its like, but not beside the other.
struct refrain_graph {
    refrain_graph(std::size_t width, std::size_t capacity, std::size_t links, std::size_t breadth)
        : space(width), graph(&space, capacity, links, breadth) {}

    RowSpace space;
    hnswlib::HierarchicalNSW<float> graph;
    mutable std::mutex lock;
};

refrain_graph *refrain_graph_make(
    std::size_t width, std::size_t capacity, std::size_t links, std::size_t build_breadth) {
    try {
        return new refrain_graph(width, capacity > 0 ? capacity : 1, links, build_breadth);
    } catch (...) {
        return nullptr;
    }
}

void refrain_graph_free(refrain_graph *graph) { delete graph; }

bool refrain_graph_add(refrain_graph *graph, const void *row, std::uint64_t label) {
    try {
        const std::lock_guard<std::mutex> held(graph->lock);
        auto &inner = graph->graph;
        // hnswlib would move the point that has the label.
        if (inner.label_lookup_.count(label) > 0) return true;
        if (inner.cur_element_count >= inner.max_elements_) inner.resizeIndex(inner.max_elements_ * 3 / 2 + 1);
        inner.addPoint(&row, label);
        return true;
    } catch (...) {
        return false;
    }
}

void refrain_graph_remove(refrain_graph *graph, std::uint64_t label) {
    try {
        const std::lock_guard<std::mutex> held(graph->lock);
        auto &inner = graph->graph;
        const auto place = inner.label_lookup_.find(label);
        if (place == inner.label_lookup_.end() || inner.isMarkedDeleted(place->second)) return;
        inner.markDeletedInternal(place->second);
    } catch (...) {
        // Locking can fail in theory; the row is then found once more, and nobody owns it.
    }
}

std::ptrdiff_t refrain_graph_search(
    refrain_graph *graph, const void *query, std::size_t count, std::size_t breadth, std::uint64_t *labels,
    float *products) {
    try {
        const std::lock_guard<std::mutex> held(graph->lock);
        graph->graph.setEf(breadth);
        auto found = graph->graph.searchKnn(&query, count);
        std::ptrdiff_t taken = 0;
        for (; !found.empty(); found.pop(), taken += 1) {
            products[taken] = -found.top().first;
            labels[taken] = found.top().second;
        }
        return taken;
    } catch (...) {
        return -1;
    }
}

std::size_t refrain_graph_bytes(const refrain_graph *graph) {
    const std::lock_guard<std::mutex> held(graph->lock);
    const auto &inner = graph->graph;
    // For each place: its links and label, its lock, its level, its upper links' address, its mark of a visit. For each
    // point: a node and a bucket of the table of labels, and upper links for one in `links`.
    const std::size_t place =
        inner.size_data_per_element_ + sizeof(std::mutex) + sizeof(int) + sizeof(void *) + sizeof(unsigned short);
    const std::size_t point = 48 + inner.size_links_per_element_ / inner.M_;
    return sizeof(refrain_graph) + inner.max_elements_ * place + inner.cur_element_count * point
        + inner.max_update_element_locks * sizeof(std::mutex);
}
