#include "CDNNL.h"

#include <dlfcn.h>
#include <stdbool.h>

// What is called of oneDNN: name, result, parameters, arguments. The compiler compares each line with oneDNN's header.
#define FUNCTIONS(FUNCTION) \
    FUNCTION(dnnl_get_effective_cpu_isa, dnnl_cpu_isa_t, (void), ()) \
    FUNCTION(dnnl_engine_create, dnnl_status_t, \
        (dnnl_engine_t *engine, dnnl_engine_kind_t kind, size_t index), (engine, kind, index)) \
    FUNCTION(dnnl_engine_destroy, dnnl_status_t, (dnnl_engine_t engine), (engine)) \
    FUNCTION(dnnl_stream_create, dnnl_status_t, \
        (dnnl_stream_t *stream, dnnl_engine_t engine, unsigned flags), (stream, engine, flags)) \
    FUNCTION(dnnl_stream_wait, dnnl_status_t, (dnnl_stream_t stream), (stream)) \
    FUNCTION(dnnl_stream_destroy, dnnl_status_t, (dnnl_stream_t stream), (stream)) \
    FUNCTION(dnnl_memory_desc_init_by_tag, dnnl_status_t, \
        (dnnl_memory_desc_t *description, int count, const dnnl_dims_t sizes, dnnl_data_type_t type, \
            dnnl_format_tag_t tag), \
        (description, count, sizes, type, tag)) \
    FUNCTION(dnnl_memory_desc_get_size, size_t, (const dnnl_memory_desc_t *description), (description)) \
    FUNCTION(dnnl_memory_create, dnnl_status_t, \
        (dnnl_memory_t *memory, const dnnl_memory_desc_t *description, dnnl_engine_t engine, void *address), \
        (memory, description, engine, address)) \
    FUNCTION(dnnl_memory_destroy, dnnl_status_t, (dnnl_memory_t memory), (memory)) \
    FUNCTION(dnnl_post_ops_create, dnnl_status_t, (dnnl_post_ops_t *operations), (operations)) \
    FUNCTION(dnnl_post_ops_append_eltwise, dnnl_status_t, \
        (dnnl_post_ops_t operations, float scale, dnnl_alg_kind_t kind, float alpha, float beta), \
        (operations, scale, kind, alpha, beta)) \
    FUNCTION(dnnl_post_ops_append_sum, dnnl_status_t, (dnnl_post_ops_t operations, float scale), (operations, scale)) \
    FUNCTION(dnnl_post_ops_destroy, dnnl_status_t, (dnnl_post_ops_t operations), (operations)) \
    FUNCTION(dnnl_primitive_attr_create, dnnl_status_t, (dnnl_primitive_attr_t *attributes), (attributes)) \
    FUNCTION(dnnl_primitive_attr_set_scratchpad_mode, dnnl_status_t, \
        (dnnl_primitive_attr_t attributes, dnnl_scratchpad_mode_t mode), (attributes, mode)) \
    FUNCTION(dnnl_primitive_attr_set_post_ops, dnnl_status_t, \
        (dnnl_primitive_attr_t attributes, const_dnnl_post_ops_t operations), (attributes, operations)) \
    FUNCTION(dnnl_primitive_attr_destroy, dnnl_status_t, (dnnl_primitive_attr_t attributes), (attributes)) \
    FUNCTION(dnnl_matmul_desc_init, dnnl_status_t, \
        (dnnl_matmul_desc_t *product, const dnnl_memory_desc_t *source, const dnnl_memory_desc_t *weights, \
            const dnnl_memory_desc_t *bias, const dnnl_memory_desc_t *target), \
        (product, source, weights, bias, target)) \
    FUNCTION(dnnl_reorder_primitive_desc_create, dnnl_status_t, \
        (dnnl_primitive_desc_t *plan, const dnnl_memory_desc_t *from, dnnl_engine_t from_engine, \
            const dnnl_memory_desc_t *to, dnnl_engine_t to_engine, const_dnnl_primitive_attr_t attributes), \
        (plan, from, from_engine, to, to_engine, attributes)) \
    FUNCTION(dnnl_primitive_desc_create, dnnl_status_t, \
        (dnnl_primitive_desc_t *plan, const_dnnl_op_desc_t operation, const_dnnl_primitive_attr_t attributes, \
            dnnl_engine_t engine, const_dnnl_primitive_desc_t hint), \
        (plan, operation, attributes, engine, hint)) \
    FUNCTION(dnnl_primitive_desc_query_md, const dnnl_memory_desc_t *, \
        (const_dnnl_primitive_desc_t plan, dnnl_query_t what, int index), (plan, what, index)) \
    FUNCTION(dnnl_primitive_desc_destroy, dnnl_status_t, (dnnl_primitive_desc_t plan), (plan)) \
    FUNCTION(dnnl_primitive_create, dnnl_status_t, \
        (dnnl_primitive_t *primitive, const_dnnl_primitive_desc_t plan), (primitive, plan)) \
    FUNCTION(dnnl_primitive_execute, dnnl_status_t, \
        (const_dnnl_primitive_t primitive, dnnl_stream_t stream, int count, const dnnl_exec_arg_t *arguments), \
        (primitive, stream, count, arguments)) \
    FUNCTION(dnnl_primitive_destroy, dnnl_status_t, (dnnl_primitive_t primitive), (primitive))

#define POINTER(name, result, parameters, arguments) result(*name) parameters;
struct functions {
    FUNCTIONS(POINTER)
};

// Written once, before the first call.
static bool is_open;
static struct functions found;
static void (*set_threads)(int);

// Hidden, so that the library's calls of its own functions do not come here.
#define CALL(name, result, parameters, arguments) \
    __attribute__((visibility("hidden"))) result name parameters { return found.name arguments; }
FUNCTIONS(CALL)

const char *refrain_dnnl_open(const char *file) {
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
    struct functions here;
#define FIND(name, result, parameters, arguments) \
    if (!(here.name = (result(*) parameters)dlsym(library, #name))) return dlerror();
    FUNCTIONS(FIND)
    if (is_open) return NULL;
    is_open = true;
    found = here;
    // Absent where the library was built without OpenMP.
    set_threads = (void (*)(int))dlsym(library, "omp_set_num_threads");
    return NULL;
}

void refrain_dnnl_set_threads(int count) {
    if (set_threads) set_threads(count);
}
