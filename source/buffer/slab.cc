#include "buffer/slab.h"

#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace sluice::buffer {

SlabPool::~SlabPool() {
  for (Slab*& list : free_) {
    while (list != nullptr) {
      Slab* slab = std::exchange(list, list->next_free);
      owner_.release(slab->capacity + sizeof(Slab));
      std::free(slab);
    }
  }
}

Slab* SlabPool::take(size_t wanted) {
  const int kind = wanted <= kSmall - sizeof(Slab) ? 0 : 1;
  Slab* slab = free_[kind];
  if (slab != nullptr) {
    free_[kind] = slab->next_free;
    --kept_[kind];
  } else {
    const size_t bytes = kind == 0 ? kSmall : kLarge;
    slab = static_cast<Slab*>(std::malloc(bytes));
    SLUICE_CHECK(slab != nullptr);
    slab->capacity = static_cast<uint32_t>(bytes - sizeof(Slab));
    owner_.charge(static_cast<int64_t>(bytes));
  }
  slab->references = 1;
  slab->used = 0;
  slab->pool = this;
  slab->next_free = nullptr;
  return slab;
}

void SlabPool::give_back(Slab* slab) {
  const int kind = slab->capacity + sizeof(Slab) == kSmall ? 0 : 1;
  if (kept_[kind] < kMaxKept[kind]) {
    slab->next_free = free_[kind];
    free_[kind] = slab;
    ++kept_[kind];
    return;
  }
  owner_.release(slab->capacity + sizeof(Slab));
  std::free(slab);
}

}  // namespace sluice::buffer
