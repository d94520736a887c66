#include "buffer/slab.h"

#include <cstdlib>
#include <utility>

#include "base/check.h"
#include "base/poison.h"

namespace sluice::buffer {

SlabPool::~SlabPool() {
  for (Slab*& list : free_) {
    while (list != nullptr) {
      Slab* slab = std::exchange(list, list->next_free);
      owner_.release(slab->capacity + sizeof(Slab));
      unpoison(slab->data(), slab->capacity);
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
    unpoison(slab->data(), slab->capacity);
  } else {
    slab = make(kind == 0 ? kSmall : kLarge);
  }
  slab->references = 1;
  slab->used = 0;
  slab->pool = this;
  slab->next_free = nullptr;
  return slab;
}

Slab* SlabPool::take_whole(size_t wanted) {
  if (wanted <= kLarge - sizeof(Slab)) {
    return take(wanted);
  }
  Slab* slab = make(wanted + sizeof(Slab));
  slab->references = 1;
  slab->used = 0;
  slab->pool = this;
  slab->next_free = nullptr;
  return slab;
}

Slab* SlabPool::make(size_t bytes) {
  auto* slab = static_cast<Slab*>(std::malloc(bytes));
  SLUICE_CHECK(slab != nullptr);
  slab->capacity = static_cast<uint32_t>(bytes - sizeof(Slab));
  owner_.charge(static_cast<int64_t>(bytes));
  return slab;
}

void SlabPool::give_back(Slab* slab) {
  const size_t bytes = slab->capacity + sizeof(Slab);
  const int kind = bytes == kSmall ? 0 : 1;
  if (bytes <= kLarge && kept_[kind] < kMaxKept[kind]) {
    slab->next_free = free_[kind];
    free_[kind] = slab;
    ++kept_[kind];
    poison(slab->data(), slab->capacity);
    return;
  }
  owner_.release(slab->capacity + sizeof(Slab));
  std::free(slab);
}

}  // namespace sluice::buffer
