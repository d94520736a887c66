#include "base/arena.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"
#include "base/poison.h"

namespace sluice {

ChunkPool::~ChunkPool() {
  while (free_ != nullptr) {
    Chunk* chunk = std::exchange(free_, free_->next);
    owner_.release(static_cast<int64_t>(chunk->bytes));
    unpoison(chunk, chunk->bytes);
    std::free(chunk);
  }
}

ChunkPool::Chunk* ChunkPool::take(size_t payload) {
  const size_t bytes = std::max(kChunkBytes, payload + sizeof(Chunk));
  if (bytes == kChunkBytes && free_ != nullptr) {
    --kept_;
    Chunk* chunk = std::exchange(free_, free_->next);
    unpoison(chunk, chunk->bytes);
    return chunk;
  }
  auto* chunk = static_cast<Chunk*>(std::malloc(bytes));
  SLUICE_CHECK(chunk != nullptr);
  chunk->bytes = bytes;
  owner_.charge(static_cast<int64_t>(bytes));
  return chunk;
}

void ChunkPool::give_back(Chunk* chunk) {
  if (chunk->bytes == kChunkBytes && kept_ < kMaxKept) {
    chunk->next = free_;
    free_ = chunk;
    ++kept_;
    poison(chunk + 1, chunk->bytes - sizeof(Chunk));
    return;
  }
  owner_.release(static_cast<int64_t>(chunk->bytes));
  std::free(chunk);
}

void* Arena::allocate_slow(size_t bytes, size_t alignment) {
  ChunkPool::Chunk* chunk = pool_.take(bytes + alignment);
  chunk->next = chunks_;
  chunks_ = chunk;
  char* start = align(reinterpret_cast<char*>(chunk) + sizeof(*chunk), alignment);
  char* const end = reinterpret_cast<char*>(chunk) + chunk->bytes;
  // A chunk made for one big object must not end the use of a current one that still has room.
  if (at_ == nullptr || end - (start + bytes) > end_ - at_) {
    at_ = start + bytes;
    end_ = end;
  }
  return start;
}

void Arena::clear() {
  while (cleanups_ != nullptr) {
    Cleanup* cleanup = std::exchange(cleanups_, cleanups_->next);
    cleanup->destroy(cleanup->object);
  }
  while (chunks_ != nullptr) {
    pool_.give_back(std::exchange(chunks_, chunks_->next));
  }
  at_ = end_ = nullptr;
}

}  // namespace sluice
