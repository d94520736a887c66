// Slabs: the blocks of memory that hold bytes which outlive a dispatch.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/owner.h"
#include "base/poison.h"

namespace sluice::buffer {

// A block of bytes, shared by the fragments that point into it (a plain count: slabs never leave their thread).
struct Slab {
  uint32_t references;
  uint32_t capacity;
  uint32_t used;
  class SlabPool* pool;
  Slab* next_free;

  char* data() { return reinterpret_cast<char*>(this) + sizeof(Slab); }
  uint32_t room() const { return capacity - used; }
};

// Hands out slabs of two sizes and keeps some for reuse, all charged to one Owner. One for each worker; outlives
// every Buffer of that thread. Thread: its owner's.
class SlabPool {
 public:
  static constexpr size_t kSmall = 4096;
  static constexpr size_t kLarge = 65536;
  static constexpr size_t kMaxKept[2] = {256, 16};  // 1 MiB of each size

  explicit SlabPool(Owner& owner) : owner_(owner) {}
  ~SlabPool();
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  // A slab with one reference, for `wanted` bytes: small when they fit, else large (the caller takes several).
  Slab* take(size_t wanted) {
    const int kind = wanted <= kSmall - sizeof(Slab) ? 0 : 1;
    Slab* slab = free_[kind];
    if (slab == nullptr) {
      return make(kind == 0 ? kSmall : kLarge);
    }
    free_[kind] = slab->next_free;
    --kept_[kind];
    unpoison(slab->data(), slab->capacity);
    slab->references = 1;
    slab->used = 0;
    return slab;
  }
  // One slab that holds all of `wanted` bytes; those above kLarge are not kept for reuse.
  Slab* take_whole(size_t wanted);
  static void release(Slab* slab) {
    if (--slab->references == 0) {
      slab->pool->give_back(slab);
    }
  }

 private:
  void give_back(Slab* slab) {
    const int kind = slab->capacity == kSmall - sizeof(Slab) ? 0 : 1;
    if (slab->capacity > kLarge - sizeof(Slab) || kept_[kind] >= kMaxKept[kind]) [[unlikely]] {
      free_slab(slab);
      return;
    }
    slab->next_free = free_[kind];
    free_[kind] = slab;
    ++kept_[kind];
    poison(slab->data(), slab->capacity);
  }
  void free_slab(Slab* slab);
  Slab* make(size_t bytes);

  Owner& owner_;
  Slab* free_[2] = {nullptr, nullptr};
  size_t kept_[2] = {0, 0};
};

}  // namespace sluice::buffer
