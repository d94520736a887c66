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

Slab* SlabPool::take_whole(size_t wanted) {
  return wanted <= kLarge - sizeof(Slab) ? take(wanted) : make(wanted + sizeof(Slab));
}

Slab* SlabPool::make(size_t bytes) {
  auto* slab = static_cast<Slab*>(std::malloc(bytes));
  SLUICE_CHECK(slab != nullptr);
  *slab = {1, static_cast<uint32_t>(bytes - sizeof(Slab)), 0, this, nullptr};
  owner_.charge(static_cast<int64_t>(bytes));
  return slab;
}

void SlabPool::free_slab(Slab* slab) {
  owner_.release(static_cast<int64_t>(slab->capacity + sizeof(Slab)));
  std::free(slab);
}

}  // namespace sluice::buffer
