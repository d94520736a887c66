// Arena: memory of one exchange, given back all at once. Chunks come from a per-thread free list (ChunkPool) and are
// charged to an Owner.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/owner.h"

namespace sluice {

// Keeps a bounded number of 4 KiB chunks for reuse. One for each worker; outlives its arenas. Thread: its owner's.
class ChunkPool {
 public:
  static constexpr size_t kChunkBytes = 4096;
  static constexpr size_t kMaxKept = 1024;

  explicit ChunkPool(Owner& owner) : owner_(owner) {}
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

 private:
  friend class Arena;
  struct Chunk {
    Chunk* next;
    size_t bytes;  // of the whole chunk, this header included
  };
  Chunk* take(size_t payload);
  void give_back(Chunk* chunk);

  Owner& owner_;
  Chunk* free_ = nullptr;
  size_t kept_ = 0;
};

// Bump allocation; nothing is freed before the arena ends, but destructors of objects made with create() run (in
// reverse order) when they have any. Takes no memory before its first use. Thread: its owner's.
class Arena {
 public:
  explicit Arena(ChunkPool& pool) : pool_(pool) {}
  ~Arena() { clear(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(size_t bytes, size_t alignment = alignof(std::max_align_t)) {
    char* start = align(at_, alignment);
    if (at_ == nullptr || static_cast<size_t>(end_ - start) < bytes || start > end_) {
      return allocate_slow(bytes, alignment);
    }
    at_ = start + bytes;
    return start;
  }

  template <typename T, typename... Args>
  T* create(Args&&... args) {
    T* object = new (allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
    if constexpr (!std::is_trivially_destructible_v<T>) {
      auto* cleanup = static_cast<Cleanup*>(allocate(sizeof(Cleanup), alignof(Cleanup)));
      *cleanup = {cleanups_, object, [](void* p) { static_cast<T*>(p)->~T(); }};
      cleanups_ = cleanup;
    }
    return object;
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) {
      return {};
    }
    char* to = static_cast<char*>(allocate(text.size(), 1));
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  // Runs the destructors and gives all memory back.
  void clear();

 private:
  struct Cleanup {
    Cleanup* next;
    void* object;
    void (*destroy)(void*);
  };
  static char* align(char* p, size_t alignment) {
    return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(p) + alignment - 1) & ~(alignment - 1));
  }
  void* allocate_slow(size_t bytes, size_t alignment);

  ChunkPool& pool_;
  ChunkPool::Chunk* chunks_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
  Cleanup* cleanups_ = nullptr;
};

}  // namespace sluice
