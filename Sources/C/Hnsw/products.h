#pragma once

#include <cstddef>

/// The inner product of two rows (see CHnsw.h).
using RowProduct = float (*)(const void *a, const void *b, std::size_t width);

/// The fastest one that this processor has.
RowProduct row_product() noexcept;
