// Buffer: a sequence of bytes in fragments, for bodies and for what waits to be written. No callbacks.
//
// A fragment is either *borrowed* (it points into the thread's read buffer or another memory that lives as long as
// the dispatch that is running) or *owned* (it points into a slab). Whoever keeps a Buffer past the dispatch calls
// own(): body bytes that can be sent at once are never copied, only what cannot is.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "buffer/slab.h"

namespace sluice::buffer {

// Move-only. Thread: its owner's.
class Buffer {
 public:
  explicit Buffer(SlabPool& pool) : pool_(&pool) {}
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { clear(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  SlabPool& pool() { return *pool_; }

  // Bytes stay where they are; they must live until the end of this dispatch (or forever, as literals do; own()
  // copies those too).
  void append_borrowed(std::string_view bytes) {
    if (bytes.size() - 1 < UINT32_MAX / 2) {
      push_back({const_cast<char*>(bytes.data()), static_cast<uint32_t>(bytes.size()), nullptr});
      borrowed_ = true;
    } else {
      append_borrowed_parts(bytes);
    }
  }
  // Copies the bytes into slabs.
  void append_copy(std::string_view bytes);
  // What `other` holds now, which keeps it; borrowed from it, or copied.
  void append_borrowed_from(const Buffer& other);
  void append_copy_of(const Buffer& other);
  // Contiguous space for up to `bytes`, then commit() what was really written. No other call may come between.
  char* reserve(size_t bytes) {
    if (count_ > 0) {
      Fragment& tail = last();
      // Only the fragment that ends where its slab's used part ends may grow.
      if (tail.slab != nullptr && tail.slab->room() >= bytes &&
          tail.data + tail.size == tail.slab->data() + tail.slab->used) {
        return tail.data + tail.size;
      }
    }
    return reserve_slab(bytes);
  }
  void commit(size_t bytes) {
    Fragment& tail = last();
    tail.size += static_cast<uint32_t>(bytes);
    tail.slab->used += static_cast<uint32_t>(bytes);
    size_ += bytes;
    if (tail.size == 0) {  // nothing was written into a fresh slab
      SlabPool::release(tail.slab);
      --count_;
    }
  }

  // Moves bytes from the front of `other` to our end without copying them.
  void move_from(Buffer& other) { move_from(other, other.size()); }
  void move_from(Buffer& other, size_t bytes);

  // Copies what is borrowed into slabs. Cheap when nothing is.
  void own();

  void drain(size_t bytes) {
    if (count_ > 0 && bytes < begin()->size) {
      begin()->data += bytes;
      begin()->size -= static_cast<uint32_t>(bytes);
      size_ -= bytes;
    } else {
      drain_fragments(bytes);
    }
  }
  void clear() {
    if (count_ == 1 && list_ == inline_) {  // nearly always
      if (begin()->slab != nullptr) {
        SlabPool::release(begin()->slab);
      }
      count_ = 0;
      size_ = 0;
      borrowed_ = false;
    } else if (count_ > 0 || list_ != inline_) {
      clear_all();
    }
    first_ = 0;
  }

  // The first fragment; empty when the buffer is.
  std::string_view front() const {
    return count_ == 0 ? std::string_view() : std::string_view(begin()->data, begin()->size);
  }
  // Fills `out` with the first fragments, at most `max`; returns how many.
  size_t fragments(iovec* out, size_t max) const;
  // Copies at most `bytes` from the front to `to` without draining; returns how many.
  size_t copy_out(char* to, size_t bytes) const;
  // Makes the first `bytes` (<= size()) one contiguous view; copies only when they are not yet.
  std::string_view linearize(size_t bytes);
  std::string to_string() const;

 private:
  struct Fragment {
    char* data;
    uint32_t size;
    Slab* slab;  // null: borrowed
  };
  static constexpr uint32_t kInline = 3;

  Fragment* begin() const { return list_ + first_; }
  Fragment& last() const { return list_[first_ + count_ - 1]; }
  void push_back(Fragment fragment) {
    if (first_ + count_ == capacity_) {
      make_room();
    }
    // Member by member: a wider load than the stores that made `fragment` would wait for them.
    Fragment& last = list_[first_ + count_++];
    last.data = fragment.data;
    last.size = fragment.size;
    last.slab = fragment.slab;
    size_ += fragment.size;
  }
  void make_room();
  char* reserve_slab(size_t bytes);
  void append_borrowed_parts(std::string_view bytes);
  void clear_all();
  void drain_fragments(size_t bytes);
  void pop_front();
  void steal(Buffer& other);

  SlabPool* pool_;
  Fragment* list_ = inline_;
  uint32_t capacity_ = kInline;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  bool borrowed_ = false;  // some fragment may be borrowed
  size_t size_ = 0;
  Fragment inline_[kInline];
};

}  // namespace sluice::buffer
